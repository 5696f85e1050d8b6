//! Cancelling from another thread, in every phase. The benchmark measures how long that takes.

use std::{
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use cli_auth::{Client, ErrorKind, Login, Step};
use serde_json::json;

use crate::support::{AT_ONCE, PATIENCE, Server, patient, started, step_until};

/// Cancels a login from another thread after `ready` returns, and checks that the call that drives it ends immediately.
fn cancels_immediately(login: &Login, ready: impl FnOnce() + Send + 'static) {
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
fn cancel_ends_the_wait_for_the_next_poll() {
    let server = Server::new(json!({"interval": 250}));
    let (login, _) = started(&server.client());
    cancels_immediately(&login, || {});
    assert_eq!(server.requests("token", 0).len(), 0);
}

#[test]
fn cancel_ends_requests_that_hang_at_any_point() {
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
        cancels_immediately(&login, {
            let server = std::sync::Arc::clone(&server);
            move || drop(server.requests(endpoint, 1))
        });
        assert_eq!(server.requests(endpoint, 1).len(), 1, "{endpoint} {fault}");
    }
}

#[test]
fn cancel_ends_a_hanging_tls_handshake() {
    let server = Server::new(json!({"tls": "handshake_hang"}));
    cancels_immediately(&server.client().login(), || {});
}

#[test]
fn cancel_ends_a_hanging_connection_attempt() {
    // The listener never accepts and its queue is full, so further connection attempts hang.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queue.push(stream);
        assert!(queue.len() < 10_000);
    }
    let url = format!("http://{address}");
    let client = patient(Client::workos_connect(url, "client_1")).build().unwrap();
    cancels_immediately(&client.login(), || {});
}

/// Runs in a process of its own whose resolver never returns.
#[test]
fn cancel_ends_a_hanging_name_lookup() {
    const INSIDE: &str = "CLI_AUTH_TEST_HUNG_RESOLVER";
    if std::env::var_os(INSIDE).is_some() {
        let client = patient(Client::workos_connect("auth.example.com", "client_1")).build().unwrap();
        return cancels_immediately(&client.login(), || {});
    }
    let directory = tempfile::tempdir().unwrap();
    let (source, library) = (directory.path().join("hung.c"), directory.path().join("hung.so"));
    std::fs::write(&source, "#include <unistd.h>\nint getaddrinfo(void) { for (;;) pause(); }\n").unwrap();
    let built =
        Command::new("cc").args(["-w", "-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(built.success());
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cancel::cancel_ends_a_hanging_name_lookup"])
        .env(INSIDE, "1")
        .env("LD_PRELOAD", &library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn cancel_before_start_sends_nothing() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.cancel();
    assert_eq!(login.start().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(server.connections().is_empty());
}

// proves: P6-cancel-race
#[test]
fn a_received_but_unreturned_token_is_revoked_on_cancel() {
    let server = Server::approving(json!({"token": [{"real": true, "delay": 2}]}));
    let (login, _) = started(&server.client());
    // One step sends the poll. The response arrives later and stays unread until the next step.
    while server.requests("token", 0).is_empty() {
        login.step(Duration::ZERO).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    while server.requests("token", 1)[0]["replied"].is_null() {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    login.cancel();
    assert_eq!(login.step(PATIENCE).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(server.requests("revoke", 1).len(), 1);
}

#[test]
fn cancel_ends_hundreds_of_waiting_logins() {
    let server = Server::new(json!({"interval": 250}));
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
fn cancelling_one_login_does_not_affect_others() {
    let server = Server::new(json!({"interval": 1}));
    let client = server.client();
    let (first, second) = (started(&client).0, started(&client).0);
    let other = thread::spawn(move || second.poll(drop));
    cancels_immediately(&first, || {});
    server.set_decision("approve");
    server.set_decision("approve");
    assert!(other.join().unwrap().is_ok());
}

#[test]
fn cancel_ends_a_login_that_was_driven_by_steps() {
    let server = Server::new(json!({"interval": 250}));
    let (login, _) = started(&server.client());
    assert!(matches!(step_until(&login, |_| true), Ok(Step::Waiting { .. })));
    cancels_immediately(&login, || {});
}
