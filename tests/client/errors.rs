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

#[test]
fn an_error_without_an_external_cause_has_no_source() {
    let error = Client::authkit("").build().unwrap_err();
    assert!(error.detail().is_none() && error.source().is_none());
}
