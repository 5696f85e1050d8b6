//! Good and bad TLS, as a careful client meets it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing test is meant to panic

mod common;

use std::io::Write;

use common::{Process, Server, read_reply, sleep};
use serde_json::{Value, json};

fn control() -> Process {
    Process::start(&["--control"])
}

fn connection(server: &Server<'_>, index: usize) -> Value {
    server.log()["connections"][index].clone()
}

#[test]
fn a_good_certificate_is_good_under_all_names() {
    let process = control();
    let mut hosts = vec!["127.0.0.1", "localhost"];
    // Some containers have no IPv6 at all.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        hosts.push("[::1]");
    }
    for host in hosts {
        let server = process.server(json!({"tls": "good", "host": host}));
        assert!(server.target.url.starts_with(&format!("https://{host}:")));
        assert_eq!(server.target.get("/oauth2/jwks").status, 200);
        assert_eq!(connection(&server, 0)["tls_version"], "TLSv1_3");
    }
}

#[test]
fn every_bad_certificate_is_refused_before_any_request() {
    let process = control();
    let modes = [
        ("untrusted", "UnknownIssuer"),
        ("self_signed", "UnknownIssuer"),
        ("expired", "certificate expired"),
        ("not_yet_valid", "not valid yet"),
        ("wrong_name", "not valid for"),
        ("cn_only", "not valid for"),
    ];
    for (mode, reason) in modes {
        let server = process.server(json!({"tls": mode, "host": "localhost"}));
        let refused = server.target.send("GET", "/oauth2/jwks", &[], b"").unwrap_err().to_string();
        let fits =
            refused.contains(reason) || (mode == "self_signed" && refused.contains("CaUsedAsEndEntity"));
        assert!(fits, "{mode}: {refused}");
        sleep(0.1);
        let connection = connection(&server, 0);
        assert_eq!(
            (&connection["handshake"], &connection["requests"]),
            (&json!("failed"), &json!(0)),
            "{mode}"
        );
        assert!(connection["handshake_error"].as_str().unwrap().contains("alert"), "{mode}: {connection}");
    }
}

#[test]
fn an_old_version_a_reset_and_silence_are_no_handshake() {
    let process = control();
    let old = process.server(json!({"tls": "tls11"}));
    assert!(old.target.connect().is_err());
    sleep(0.1);
    let why = connection(&old, 0)["handshake_error"].clone();
    assert_eq!(why, "the client refused TLS 1.1 (alert 70, level 2)");
    let reset = process.server(json!({"tls": "handshake_reset"}));
    assert!(reset.target.connect().is_err());
    assert_eq!(connection(&reset, 0)["closed_by"], "server_reset");
    let silent = process.server(json!({"tls": "handshake_hang"}));
    let tcp = std::net::TcpStream::connect(silent.target.authority()).unwrap();
    sleep(0.2);
    let open = connection(&silent, 0);
    assert_eq!(
        (&open["handshake"], &open["bytes_out"], &open["closed"]),
        (&json!("pending"), &json!(0), &json!(null))
    );
    drop(tcp);
    sleep(0.1);
    assert_eq!(connection(&silent, 0)["closed_by"], "client");
}

#[test]
fn the_log_tells_full_from_resumed_handshakes() {
    let process = control();
    let mut server = process.server(json!({"tls": "good"}));
    server.target.tls = Some(server.target.tls_config());
    for _ in 0..2 {
        let mut stream = server.target.connect().unwrap();
        for _ in 0..2 {
            stream.write_all(&server.target.request("GET", "/oauth2/jwks", &[], b"")).unwrap();
            assert_eq!(read_reply(&mut *stream).unwrap().status, 200);
        }
    }
    let log = server.log();
    let tls: Vec<&Value> = log["requests"].as_array().unwrap().iter().map(|entry| &entry["tls"]).collect();
    assert_eq!(tls, ["full", "full", "resumed", "resumed"]);
}
