//! Connections, headers and proxies.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use cli_auth::{Client, ErrorKind, Event};
use serde_json::json;

use crate::support::{Server, started};

#[test]
fn one_login_uses_one_connection_and_one_handshake() {
    let server =
        Server::new(json!({"tls": "good", "interval": 1, "answer": "approve", "answer_after_polls": 3}));
    started(&server.client()).0.poll(drop).unwrap();
    let connections = server.connections();
    assert_eq!(connections.len(), 1, "{connections:?}");
    assert_eq!(connections[0]["handshake"], "full");
    assert_eq!(server.requests("token", 4).len(), 4);
}

#[test]
fn an_idle_client_has_no_connections() {
    let server = Server::approving(json!({"device": [{"real": true}, {"hang": "before"}]}));
    let client = server.client();
    let (approved, _) = started(&client);
    let tokens = approved.poll(drop).unwrap();
    server.wait_until_disconnected();
    client.revoke(tokens.refresh_token().unwrap()).unwrap();
    server.wait_until_disconnected();

    let in_a_request = client.login();
    while server.requests("device", 0).len() < 2 {
        in_a_request.step(Duration::from_millis(20)).unwrap();
    }
    drop(in_a_request);
    server.wait_until_disconnected();
    assert_eq!(approved.start().unwrap(), *approved.prompt().unwrap(), "the login still has its prompt");
}

#[test]
fn cancelling_one_login_keeps_the_connection_of_another() {
    let server = Server::new(json!({"interval": 1}));
    let client = server.client();
    let (first, second) = (started(&client).0, started(&client).0);
    first.cancel();
    assert_eq!(first.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Cancelled);
    for _ in 0..2 {
        server.set_decision("approve");
    }
    second.poll(drop).unwrap();
    assert_eq!(server.connections().len(), 1);
}

#[test]
fn a_closed_idle_connection_is_replaced_without_an_event() {
    for fault in [json!({"real": true, "close_after": 0.2}), json!({"real": true, "connection_close": true})]
    {
        let server =
            Server::new(json!({"tls": "good", "interval": 2, "answer": "approve", "answer_after_polls": 2,
            "script": {"device": [fault.clone()], "token": [fault.clone(), fault]}}));
        let mut events = Vec::new();
        started(&server.client()).0.poll(|event| events.push(event)).unwrap();
        assert!(events.iter().all(|event| matches!(event, Event::Pending { .. })), "{events:?}");
        assert_eq!(server.requests("token", 3).len(), 3, "no request was lost or sent twice");
        assert_eq!(server.connections().len(), 4);
    }
}

// proves: HTTP-P-03, R9110-8.4-01
#[test]
fn requests_have_only_the_necessary_and_the_configured_headers() {
    let server = Server::approving(json!({}));
    let client = server.builder().product("my-cli/1.2").header("X-Tenant", "a").build().unwrap();
    started(&client).0.poll(drop).unwrap();
    for endpoint in ["discovery_oauth", "device", "token"] {
        let request = &server.requests(endpoint, 1)[0];
        let headers = request["headers"].as_array().unwrap();
        let value = |name: &str| {
            let found: Vec<_> =
                headers.iter().filter(|h| h[0].as_str().unwrap().eq_ignore_ascii_case(name)).collect();
            assert!(found.len() <= 1, "{name}");
            found.first().map(|h| h[1].as_str().unwrap().to_owned())
        };
        assert_eq!(value("accept").unwrap(), "application/json");
        assert_eq!(value("accept-encoding").unwrap(), "identity");
        assert_eq!(value("user-agent").unwrap(), concat!("my-cli/1.2 cli-auth/", env!("CARGO_PKG_VERSION")));
        assert_eq!(value("x-tenant").unwrap(), "a");
        for absent in ["cookie", "referer", "authorization", "origin", "expect"] {
            assert_eq!(value(absent), None, "{endpoint}");
        }
    }
}

// proves: HTTP-P-02
#[test]
fn the_proxy_is_used_by_connect_but_not_for_loopback() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://user:a#b/c@d-pass-1@{}", listener.local_addr().unwrap());
    let server_thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").unwrap();
        head
    });
    let server = Server::approving(json!({}));
    let local = server.builder().proxy(&proxy).build().unwrap();
    started(&local).0.poll(drop).unwrap();

    let far = Client::workos_connect("auth.example.com", "client_1").proxy(&proxy).build().unwrap();
    let error = far.login().start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().contains("refused the connection to auth.example.com"), "{error}");
    assert!(!format!("{error:?}").contains("pass-1"));
    let head = server_thread.join().unwrap();
    assert_eq!(head[0], "CONNECT auth.example.com:443 HTTP/1.1");
    // user:a#b/c@d-pass-1
    let whole = "basic dxnlcjphi2ivy0bklxbhc3mtmq==";
    assert!(
        head.iter().any(|line| line.to_ascii_lowercase() == format!("proxy-authorization: {whole}")),
        "{head:?}"
    );
}

#[test]
fn a_proxy_that_requires_credentials_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let server_thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(refusal).unwrap();
        head
    });
    let client = Client::workos_connect("auth.example.com", "client_1").proxy(&proxy).build().unwrap();
    let error = client.login().start().unwrap_err();
    server_thread.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().contains(&proxy) && error.to_string().contains("password"), "{error}");
    assert!(error.to_string().contains("NTLM and Negotiate"), "{error}");
}

#[test]
fn a_dropped_client_leaves_no_open_descriptors() {
    let server =
        Server::new(json!({"script": {"device": {"steps": [{"hang": "before"}], "then": "repeat"}}}));
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let login_and_drop = || {
        let login = server.client().login();
        login.step(Duration::from_millis(20)).unwrap();
        login.cancel();
        assert_eq!(login.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Cancelled);
    };
    login_and_drop();
    let before = open();
    for _ in 0..30 {
        login_and_drop();
    }
    // Other tests of this process open and close descriptors meanwhile. Each leaked client would leave seven.
    assert!(open() < before + 100, "{before} {}", open());
}
