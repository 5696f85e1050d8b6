//! Cancel from another thread, in every phase. The bounds are generous: the benchmark measures, this proves.

use std::{
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use cli_auth::{Client, ErrorKind, Login, Step};
use serde_json::json;

use crate::support::{Server, started, step_until};

/// Far below every timeout, far above any scheduling noise.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Cancels a login from another thread once `ready` returned, and checks that the call that drives it ends at once.
fn cancelled_at_once(login: &Login, ready: impl FnOnce() + Send + 'static) {
    let canceller = thread::spawn({
        let login = login.clone();
        move || {
            ready();
            thread::sleep(Duration::from_millis(100));
            let at = Instant::now();
            login.cancel();
            login.cancel();
            at
        }
    });
    let error = match login.prompt() {
        None => login.start().unwrap_err(),
        Some(_) => login.poll(drop).unwrap_err(),
    };
    let ended = Instant::now();
    let at = canceller.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(ended.duration_since(at) < AT_ONCE);
    assert_eq!(login.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Cancelled);
}

// proves: R8628-3.5-11, R10027-6.1.14-02
#[test]
fn while_waiting_for_the_next_poll() {
    let server = Server::new(json!({"interval": 60}));
    let (login, _) = started(&server.client());
    cancelled_at_once(&login, || {});
    assert_eq!(server.requests("token", 0).len(), 0);
}

#[test]
fn in_headers_body_and_discovery() {
    for (endpoint, fault) in [
        ("device", "before"),
        ("device", "body"),
        ("token", "before"),
        ("token", "headers"),
        ("token", "body"),
        ("discovery_oauth", "before"),
    ] {
        let mut script = serde_json::Map::new();
        script.insert(endpoint.to_owned(), json!([{"real": true, "hang": fault}]));
        let server = Server::new(json!({"interval": 1, "script": script}));
        let login = server.client().login();
        if endpoint == "token" {
            login.start().unwrap();
        }
        let server = std::sync::Arc::new(server);
        cancelled_at_once(&login, {
            let server = std::sync::Arc::clone(&server);
            move || drop(server.requests(endpoint, 1))
        });
        assert_eq!(server.requests(endpoint, 1).len(), 1, "{endpoint} {fault}");
    }
}

#[test]
fn in_the_tls_handshake() {
    let server = Server::new(json!({"tls": "handshake_hang"}));
    cancelled_at_once(&server.client().login(), || {});
}

#[test]
fn while_connecting() {
    // Nobody accepts, and the queue is full: further connections get no answer at all.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queue.push(stream);
        assert!(queue.len() < 10_000);
    }
    let url = format!("http://{address}");
    let client = Client::workos_connect(url, "client_1").allow_insecure_loopback(true).build().unwrap();
    cancelled_at_once(&client.login(), || {});
}

/// In a process of its own, whose resolver never answers.
#[test]
fn while_resolving_the_name() {
    const INSIDE: &str = "CLI_AUTH_TEST_HUNG_RESOLVER";
    if std::env::var_os(INSIDE).is_some() {
        let client = Client::workos_connect("auth.example.com", "client_1").build().unwrap();
        return cancelled_at_once(&client.login(), || {});
    }
    let directory = tempfile::tempdir().unwrap();
    let (source, library) = (directory.path().join("hung.c"), directory.path().join("hung.so"));
    std::fs::write(&source, "#include <unistd.h>\nint getaddrinfo(void) { for (;;) pause(); }\n").unwrap();
    let built =
        Command::new("cc").args(["-w", "-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(built.success());
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cancel::while_resolving_the_name"])
        .env(INSIDE, "1")
        .env("LD_PRELOAD", &library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn before_anything_was_sent() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.cancel();
    assert_eq!(login.start().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(server.connections().is_empty());
}

// proves: P6-cancel-race
#[test]
fn a_token_that_was_read_but_not_given_out_is_revoked() {
    let server = Server::approving(json!({"token": [{"real": true, "delay": 0.4}]}));
    let (login, _) = started(&server.client());
    // The poll leaves in one step. Its answer comes later, and waits, unread, for the next one.
    while server.requests("token", 0).is_empty() {
        login.step(Duration::ZERO).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    while server.requests("token", 1)[0]["replied"].is_null() {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(100));
    login.cancel();
    assert_eq!(login.step(Duration::from_secs(5)).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(server.requests("revoke", 1).len(), 1);
}

#[test]
fn hundreds_of_waiting_logins_of_one_client() {
    let server = Server::new(json!({"interval": 60}));
    let client = server.client();
    let logins: Vec<_> = (0..200).map(|_| started(&client).0).collect();
    let threads: Vec<_> = logins
        .iter()
        .cloned()
        .map(|login| thread::spawn(move || (login.poll(drop).unwrap_err().kind(), Instant::now())))
        .collect();
    thread::sleep(Duration::from_millis(300));
    let at = Instant::now();
    for login in &logins {
        login.cancel();
    }
    for thread in threads {
        let (kind, ended) = thread.join().unwrap();
        assert_eq!(kind, ErrorKind::Cancelled);
        assert!(ended.duration_since(at) < AT_ONCE);
    }
}

#[test]
fn one_cancelled_login_leaves_the_others_alone() {
    let server = Server::new(json!({"interval": 1}));
    let client = server.client();
    let (first, second) = (started(&client).0, started(&client).0);
    let other = thread::spawn(move || second.poll(drop));
    cancelled_at_once(&first, || {});
    server.answer("approve");
    server.answer("approve");
    assert!(other.join().unwrap().is_ok());
}

#[test]
fn a_slice_in_progress_ends_too() {
    let server = Server::new(json!({"interval": 60}));
    let (login, _) = started(&server.client());
    assert!(matches!(step_until(&login, |_| true), Ok(Step::Waiting { .. })));
    cancelled_at_once(&login, || {});
}
