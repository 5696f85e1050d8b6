//! SOCKS proxies, and the credentials of proxies.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use cli_auth::{Client, ClientBuilder, Error, ErrorKind};

use crate::support::patient;

fn client() -> ClientBuilder {
    patient(Client::with_endpoints("https://login.test/device", "https://login.test/token", "client_1"))
}

/// Reads this many bytes, then writes these.
type Turn<'a> = (usize, &'a [u8]);

/// Starts a login through a proxy that takes these turns and then closes the connection. `url` is its URL, with `{}`
/// for the host and the port. Returns why the login failed, and what the proxy was sent.
fn failure_through(url: &str, turns: &'static [Turn<'static>]) -> (Error, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let proxy = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut sent = Vec::new();
        for (length, response) in turns {
            let mut message = vec![0; *length];
            stream.read_exact(&mut message).unwrap();
            sent.extend(message);
            stream.write_all(response).unwrap();
        }
        sent
    });
    let builder = client().proxy(url.replace("{}", &address));
    let error = builder.build().unwrap().login().start().unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("no connection") && !shown.contains("pass-1"), "{shown}");
    assert!(error.to_string().contains(&address), "{error}");
    (error, proxy.join().unwrap())
}

/// The length of the greeting of SOCKS 5, and of the request for a connection to `login.test`.
const GREETING: usize = 3;
const REQUEST: usize = 17;
/// The length of the message with `CORP\me` and `a:b@c%41-ü-pass-1`.
const CREDENTIALS: usize = 3 + 7 + 18;

const NONE: &[u8] = &[5, 0];
const PASSWORD: &[u8] = &[5, 2];

// proves: HTTP-P-02
#[test]
fn a_socks_proxy_is_sent_the_exact_credentials_and_the_name() {
    const TURNS: &[Turn<'_>] =
        &[(GREETING, PASSWORD), (CREDENTIALS, &[1, 0]), (REQUEST, &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0])];
    for url in
        ["socks5h://CORP\\me:a:b@c%2541-ü-pass-1@{}", "socks://CORP%5Cme:a%3Ab%40c%2541-%C3%BC-pass-1@{}"]
    {
        let (error, sent) = failure_through(url, TURNS);
        assert_eq!(error.kind(), ErrorKind::Proxy);
        assert!(error.to_string().contains("refused the connection to login.test"), "{error}");
        let mut expected = b"\x05\x01\x02\x01\x07CORP\\me\x12".to_vec();
        expected.extend("a:b@c%41-ü-pass-1".as_bytes());
        expected.extend(b"\x05\x01\x00\x03\x0alogin.test\x01\xbb");
        assert_eq!(sent, expected);
    }
}

// proves: HTTP-P-02
#[test]
fn an_http_proxy_is_sent_the_exact_credentials() {
    const HEAD: &str = concat!(
        "CONNECT login.test:443 HTTP/1.1\r\nHost: login.test:443\r\n",
        "user-agent: cli-auth/",
        env!("CARGO_PKG_VERSION"),
        // CORP\me:a:b@c%41-ü-pass-1
        "\r\nproxy-authorization: Basic Q09SUFxtZTphOmJAYyU0MS3DvC1wYXNzLTE=\r\n\r\n"
    );
    const TURNS: &[Turn<'_>] = &[(HEAD.len(), b"HTTP/1.1 502 Bad Gateway\r\n\r\n")];
    for url in ["http://CORP\\me:a:b@c%2541-ü-pass-1@{}", "http://CORP%5Cme:a%3Ab%40c%2541-%C3%BC-pass-1@{}"]
    {
        let (error, sent) = failure_through(url, TURNS);
        assert!(error.to_string().contains("refused the connection to login.test"), "{error}");
        assert_eq!(String::from_utf8(sent).unwrap(), HEAD);
    }
}

#[test]
fn what_a_socks_proxy_refuses_is_named() {
    const FULL: &str = "socks5h://CORP\\me:a:b@c%2541-ü-pass-1@{}";
    let cases: [(&str, &'static [Turn<'static>], &str); 12] = [
        (FULL, &[(GREETING, PASSWORD), (CREDENTIALS, &[1, 1])], "refused the user name and the password"),
        (FULL, &[(GREETING, NONE)], "does not accept a user name and a password: remove them"),
        (FULL, &[(GREETING, &[5, 255])], "does not accept a user name and a password: remove them"),
        ("socks5h://{}", &[(GREETING, &[5, 255])], "requires authentication: add a user name"),
        ("socks5h://{}", &[(GREETING, PASSWORD)], "requires authentication: add a user name"),
        (
            "socks5h://{}",
            &[(GREETING, NONE), (REQUEST, &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0])],
            "could not connect to login.test",
        ),
        (
            "socks5h://{}",
            &[(GREETING, NONE), (REQUEST, &[5, 1, 0, 1, 0, 0, 0, 0, 0, 0])],
            "did not open a connection to login.test",
        ),
        (
            "socks5h://{}",
            &[(GREETING, NONE), (REQUEST, &[5, 8, 0, 1, 0, 0, 0, 0, 0, 0])],
            "does not support the address of login.test that socks5h:// sends",
        ),
        (
            "socks5h://{}",
            &[(GREETING, b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            "is not SOCKS 5: check the scheme",
        ),
        ("socks4a://{}", &[(20, b"HTTP/1.1 400 Bad Request\r\n\r\n")], "is not SOCKS 4: check the scheme"),
        ("socks4a://{}", &[(20, &[0, 91, 0, 0, 0, 0, 0, 0])], "did not open a connection to login.test"),
        ("socks5h://{}", &[(GREETING, b"")], "did not open a connection to login.test"),
    ];
    for (url, turns, reason) in cases {
        let (error, _) = failure_through(url, turns);
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(error.to_string().contains("the client's proxy"), "{error}");
    }
}

#[test]
fn credentials_that_do_not_fit_into_a_message_are_refused() {
    let long = "x".repeat(120);
    let url = format!("socks5h://{long}:{long}@{{}}");
    let (error, _) = failure_through(&url, &[(GREETING, PASSWORD), (3 + 2 * 120, &[1, 0])]);
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().contains("too long for a connection to login.test"), "{error}");
}

#[test]
fn a_socks_proxy_that_never_responds_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for scheme in ["socks5h", "socks4a"] {
        let builder = client().connect_timeout(Duration::from_millis(200));
        let builder = builder.proxy(format!("{scheme}://{address}"));
        let error = builder.build().unwrap().login().start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy);
        let message = format!("the proxy {address} did not respond in time: check the client's proxy");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_socks_proxy_that_is_not_reached_is_named() {
    for (url, message) in [
        // No program listens on port 1, and an unprivileged one cannot.
        ("socks5h://127.0.0.1:1", "no connection to the proxy 127.0.0.1:1: check the client's proxy"),
        ("socks4a://[::1]:1", "no connection to the proxy [::1]:1: check the client's proxy"),
        (
            "socks5h://proxy.invalid",
            "the name of the proxy proxy.invalid:1080 could not be resolved: check the client's proxy",
        ),
    ] {
        let error = client().proxy(url).build().unwrap().login().start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn names_are_resolved_on_this_machine_only_where_the_scheme_says_so() {
    for (scheme, other) in [("socks5", "socks5h"), ("socks4", "socks4a")] {
        let error = client().proxy(format!("{scheme}://127.0.0.1:1")).build().unwrap();
        let error = error.login().start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        let message = format!(
            "the name login.test could not be resolved: check the network, or let the proxy resolve it with \
             {other}:// in the client's proxy"
        );
        assert_eq!(error.to_string(), message);
        assert!(error.detail().is_some());
    }
}
