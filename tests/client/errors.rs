//! Error messages and their technical causes.

use std::{
    error::Error as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener},
    thread,
};

use cli_auth::{Client, Error, ErrorKind};

use crate::support::patient;

/// Starts a login at an address and returns why it failed.
fn failure_at(address: &str) -> Error {
    let device = format!("{address}/device");
    let client = Client::with_endpoints(device, format!("{address}/token"), "client_1");
    patient(client).build().unwrap().login().start().unwrap_err()
}

/// Starts a login at a server that responds to any request with these bytes, and returns why it failed.
fn failure_after(scheme: &str, response: &'static [u8]) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("{scheme}://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(response).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Read to its end, because closing a socket with unread input resets the connection.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = failure_at(&address);
    server.join().unwrap();
    error
}

fn source(error: &Error) -> &io::Error {
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_refused_connection_is_reported_with_its_cause() {
    // No program listens on port 1, and an unprivileged one cannot.
    let named = failure_at("http://localhost:1");
    assert_eq!(named.to_string(), "localhost refused the connection: check the address and the port");
    let error = failure_at("http://127.0.0.1:1");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.to_string(), "127.0.0.1 refused the connection: check the address and the port");
    assert_eq!(error.detail(), Some("Connection refused (os error 111)"));
    assert_eq!(source(&error).kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_failed_name_lookup_has_the_resolvers_reason() {
    let error = failure_at("https://nothing.invalid");
    assert_eq!(error.kind(), ErrorKind::Network);
    let reason = error.detail().unwrap();
    // "Name or service not known", or that no resolver is available.
    assert!(
        !reason.is_empty() && !reason.contains("lookup") && !error.to_string().contains(reason),
        "{reason}"
    );
}

#[test]
fn a_truncated_response_is_reported_with_its_cause() {
    let error = failure_after("http", b"HTTP/1.1 200 OK\r\nContent-Le");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.detail(), Some("connection closed before message completed"));
}

#[test]
fn a_failed_handshake_states_the_reason() {
    const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    let error = failure_after("https", HANDSHAKE_FAILURE);
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_eq!(error.detail(), Some("the server ended it with the TLS alert handshake_failure"));
    assert!(error.to_string().ends_with("the TLS alert handshake_failure"), "{error}");

    let error = failure_after("https", b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_eq!(error.to_string(), "no secure connection to 127.0.0.1: the response is not TLS");
}

/// Starts a proxy that closes each connection after it has sent `response`, and returns why a login through it failed.
fn failure_through_proxy(response: &'static [u8]) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while !read_line(&mut stream).is_empty() {}
        if !response.is_empty() {
            stream.write_all(response).unwrap();
            // The first bytes of the TLS handshake.
            stream.read_exact(&mut [0; 5]).unwrap();
        }
    });
    let client = Client::with_endpoints("https://login.test/device", "https://login.test/token", "client_1");
    let login = patient(client.proxy(format!("http://{address}"))).build().unwrap().login();
    let error = login.start().unwrap_err();
    proxy.join().unwrap();
    assert!(!error.to_string().contains("no connection"), "{error}");
    error
}

/// Reads a line without its end.
fn read_line(stream: &mut impl Read) -> String {
    let mut line = String::new();
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte).unwrap();
        line.extend(byte.map(char::from));
    }
    line.trim_end().to_owned()
}

#[test]
fn a_proxy_that_closes_the_connection_is_named() {
    let error = failure_through_proxy(b"");
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().contains("did not open a connection to login.test"), "{error}");

    let error = failure_through_proxy(b"HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(error.kind(), ErrorKind::Network);
    let message = error.to_string();
    assert!(message.starts_with("the proxy 127.0.0.1:"), "{message}");
    assert!(message.contains(" or login.test closed the connection during the TLS handshake"), "{message}");
}

#[test]
fn a_server_that_closes_the_connection_during_the_handshake_is_named() {
    let error = failure_after("https", b"");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(
        error.to_string(),
        "127.0.0.1 closed the connection during the TLS handshake: check the network"
    );
    assert_eq!(error.detail(), Some("unexpected end of file"));
}

#[test]
fn an_ipv6_address_is_not_reached_through_a_proxy() {
    for scheme in ["http", "socks5", "socks5h"] {
        let client =
            Client::with_endpoints("https://[2001:db8::1]/device", "https://h.test/token", "client_1");
        let client = client.proxy(format!("{scheme}://127.0.0.1:1")).build().unwrap();
        let error = client.login().start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy);
        let reason = "[2001:db8::1] cannot be reached through the proxy 127.0.0.1:1";
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_error_without_an_external_cause_has_no_source() {
    let error = Client::authkit("").build().unwrap_err();
    assert!(error.detail().is_none() && error.source().is_none());
}
