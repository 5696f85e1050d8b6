//! The program and its control interface.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing test is meant to panic

mod common;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Process, Target, sleep};
use serde_json::json;

fn authserver() -> Command {
    Command::new(env!("CARGO_BIN_EXE_authserver"))
}

#[test]
fn wrong_usage_is_status_2_and_no_port_is_status_1() {
    for arguments in
        [&["--listen", "0.0.0.0:0"][..], &["--approve", "--deny"], &["--nonsense"], &["--interval", "-1"]]
    {
        let output = authserver().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    let taken = Process::start(&[]);
    let output = authserver().args(["--listen", taken.main().authority()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn signals_end_it_at_once_with_status_0() {
    for signal in ["TERM", "INT"] {
        let mut child = authserver().stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("READY http://127.0.0.1:"));
        let begun = Instant::now();
        Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn it_can_end_with_its_input() {
    let mut child =
        authserver().arg("--exit-on-eof").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn several_listeners_share_one_server_and_only_the_first_is_controlled() {
    let file = std::env::temp_dir().join(format!("authserver-test-{}.pem", std::process::id()));
    let path = file.to_str().unwrap();
    let listen =
        ["--listen", "127.0.0.1:0", "--listen", "localhost:0", "--tls", "--ca-out", path, "--control"];
    let process = Process::start(&[&listen[..], &["--approve", "--interval", "1"]].concat());
    let ca = Some(std::fs::read_to_string(&file).unwrap());
    std::fs::remove_file(&file).unwrap();
    let at = |index: usize| Target { url: process.urls[index].clone(), ca: ca.clone(), tls: None };
    assert!(process.urls[1].starts_with("https://localhost:"));
    assert_eq!(at(1).get("/control/clock").status, 404);
    assert!(at(0).get("/control/clock").json()["now"].as_f64().unwrap() > 0.0);
    let started = at(0).post("/oauth2/device_authorization", &[("client_id", "c")]).json();
    sleep(1.0);
    let device_code = started["device_code"].as_str().unwrap();
    let poll = [("grant_type", common::DEVICE_GRANT), ("device_code", device_code), ("client_id", "c")];
    assert_eq!(at(1).post("/oauth2/token", &poll).status, 200);
    let log = at(0).get("/control/servers/main/log").json();
    assert_eq!(log["requests"].as_array().unwrap().len(), 3);
}

#[test]
fn without_control_there_is_none() {
    let process = Process::start(&["--approve"]);
    assert_eq!(process.control("GET", "/control/servers", &json!({})).0, 404);
}

#[test]
fn mistakes_in_control_requests_are_explained() {
    let process = Process::start(&["--control"]);
    let told = |method: &str, path: &str, body| {
        let (status, answer) = process.control(method, path, &body);
        (status, answer["error"].as_str().unwrap().to_owned())
    };
    let (status, error) = told("POST", "/control/servers", json!({"intervall": 1}));
    assert!(status == 400 && error.contains("intervall"), "{error}");
    let (status, error) = told("POST", "/control/servers", json!({"script": {"token": [{"stat": 1}]}}));
    assert!(status == 400 && error.contains("token: step 0"), "{error}");
    for (step, member) in [
        (json!({"gzip_bomb": 10_000_000_001_u64}), "gzip_bomb"),
        (json!({"header_flood": {"count": 100_000, "bytes": 1000}}), "header_flood"),
        (json!({"header_flood": {"count": u64::MAX, "bytes": 0}}), "header_flood"),
    ] {
        let (status, error) = told("POST", "/control/servers", json!({"script": {"token": [step]}}));
        assert!(status == 400 && error.contains(member), "{error}");
    }
    assert_eq!(told("GET", "/control/servers/s9/log", json!({})).0, 404);
    assert_eq!(told("DELETE", "/control/servers/main", json!({})).0, 409);
    assert_eq!(told("POST", "/control/servers/main/answer", json!({"decision": "approve"})).0, 404);
    let page = [("Content-Type", "application/json"), ("Origin", "https://example.test")];
    assert_eq!(process.main().send("POST", "/control/servers", &page, b"{}").unwrap().status, 403);
    let mut stream = process.main().connect().unwrap();
    stream.write_all(b"GET /control/servers HTTP/1.1\r\nHost: rebound.example\r\n\r\n").unwrap();
    assert_eq!(common::read_reply(&mut *stream).unwrap().status, 403);
}

#[test]
fn a_deleted_server_is_gone_and_its_connections_are_reset() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({}));
    let mut idle = server.target.connect().unwrap();
    sleep(0.1);
    assert_eq!(server.control("DELETE", "", &json!({})).0, 204);
    assert_eq!(idle.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.target.connect().err().unwrap().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(server.control("GET", "/log", &json!({})).0, 404);
}

#[test]
fn a_port_can_be_closed_and_opened_again() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({}));
    for _ in 0..3 {
        assert_eq!(server.control("PUT", "/listening", &json!({"listening": false})).0, 204);
        assert_eq!(server.target.connect().err().unwrap().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(server.control("PUT", "/listening", &json!({"listening": true})).0, 204);
        assert_eq!(server.target.get("/oauth2/jwks").status, 200);
    }
}

#[test]
fn the_log_has_headers_times_and_bytes() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({}));
    let silent = server.target.connect().unwrap();
    let headers = [("X-One", "1"), ("x-TWO", "2"), ("X-One", "3")];
    server.target.send("POST", "/elsewhere?a=b", &headers, b"\xff").unwrap();
    sleep(0.1);
    let log = server.log();
    let entry = &log["requests"][0];
    let expected = json!([["X-One", "1"], ["x-TWO", "2"], ["X-One", "3"]]);
    assert_eq!(entry["headers"].as_array().unwrap()[1..4], expected.as_array().unwrap()[..]);
    assert_eq!(
        (&entry["body"], &entry["body_base64"], &entry["query"]),
        (&json!(null), &json!("/w=="), &json!("a=b"))
    );
    assert_eq!((&entry["endpoint"], &entry["status"]), (&json!("other"), &json!(404)));
    let times: Vec<f64> =
        [&log["connections"][1]["opened"], &entry["arrived"], &entry["replied"], &log["now"]]
            .iter()
            .map(|time| time.as_f64().unwrap())
            .collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
    assert_eq!(
        (&log["connections"][0]["bytes_in"], &log["connections"][0]["closed"]),
        (&json!(0), &json!(null))
    );
    drop(silent);
    assert_eq!(server.control("DELETE", "/log", &json!({})).0, 204);
    assert!(server.log()["requests"].as_array().unwrap().is_empty());
}

#[test]
fn absurd_numbers_are_brought_into_range() {
    let process = Process::start(&["--control"]);
    for (offset, year) in [(i64::MIN, " 1970 "), (i64::MAX, " 9998 ")] {
        let late = json!({"merge": {"later": format!("{{http_date:{offset}}}")}});
        let settings = json!({
            "clock_offset": offset, "access_token_expires_in": u64::MAX, "expires_in": 1e300, "interval": 0,
            "answer": "approve", "refresh_grace": 1e300, "script": {"token": [late]},
        });
        let server = process.server(settings);
        let started = server.start("offline_access");
        let granted = server.poll(&started);
        let tokens = granted.json();
        assert_eq!((granted.status, granted.header("date").is_some()), (200, true));
        assert!(tokens["later"].as_str().unwrap().contains(year), "{tokens}");
        assert_eq!(server.refresh(tokens["refresh_token"].as_str().unwrap()).status, 200);
    }
}

#[test]
fn the_log_counts_what_it_dropped() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({}));
    assert_eq!(server.log()["dropped"], json!({"connections": 0, "requests": 0}));
    let mut stream = server.target.connect().unwrap();
    let large = vec![b'a'; 1024 * 1024];
    for _ in 0..40 {
        stream.write_all(&server.target.request("POST", "/elsewhere", &[], &large)).unwrap();
        assert_eq!(common::read_reply(&mut *stream).unwrap().status, 404);
    }
    let log = server.log();
    assert_eq!(log["dropped"], json!({"connections": 0, "requests": 9}));
    assert_eq!((log["requests"].as_array().unwrap().len(), &log["requests"][0]["request"]), (31, &json!(10)));
}

#[test]
fn a_script_can_be_replaced() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({"script": {"jwks": {"steps": [{"status": 500}], "then": "repeat"}}}));
    assert_eq!(server.target.get("/oauth2/jwks").status, 500);
    assert_eq!(server.target.get("/oauth2/jwks").status, 500);
    assert_eq!(server.control("PUT", "/script", &json!({"jwks": [{"status": 418}]})).0, 204);
    assert_eq!(server.target.get("/oauth2/jwks").status, 418);
    assert_eq!(server.target.get("/oauth2/jwks").status, 200);
}
