//! Scripted answers, as the bytes that arrive.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing test is meant to panic

mod common;

use std::io::{ErrorKind, Read};
use std::time::Instant;

use common::{Process, Server, sleep};
use serde_json::{Value, json};

/// A server whose token endpoint plays these steps.
fn scripted(process: &Process, steps: Value) -> Server<'_> {
    process.server(
        json!({"interval": 1, "answer": "approve", "enforce_interval": 0, "script": {"token": steps}}),
    )
}

fn control() -> Process {
    Process::start(&["--control"])
}

fn entries(server: &Server<'_>, endpoint: &str) -> Vec<Value> {
    let log = server.log();
    let requests = log["requests"].as_array().unwrap();
    requests.iter().filter(|entry| entry["endpoint"] == endpoint).cloned().collect()
}

#[test]
fn words_statuses_and_bodies_come_in_their_order_and_then_reality() {
    let process = control();
    let html = json!({"status": 502, "body": "<h1>no</h1>", "content_type": "text/html", "times": 2});
    let late = json!({"status": 503, "headers": {"Retry-After": "{http_date:7}"}, "json": ["{origin}"]});
    let server = scripted(&process, json!(["authorization_pending", html, late]));
    let started = server.start("");
    assert_eq!(server.poll(&started).error(), (400, "authorization_pending".to_owned()));
    for _ in 0..2 {
        let reply = server.poll(&started);
        assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
    }
    let reply = server.poll(&started);
    assert!(reply.header("retry-after").unwrap().ends_with("GMT"));
    assert_eq!(reply.json(), json!([server.target.url]));
    assert_eq!(server.poll(&started).status, 200);
    let steps: Vec<Value> = entries(&server, "token").iter().map(|entry| entry["step"].clone()).collect();
    assert_eq!(steps, [json!(0), json!(1), json!(1), json!(2), json!(null)]);
}

#[test]
fn merged_answers_count_as_announced() {
    let process = control();
    let settings = json!({"answer": "approve", "script": {"device": [
        {"merge": {"interval": 1, "expires_in": 2, "device_code": "a+b &=%é", "extra": [1]}, "remove": ["verification_uri_complete"]}
    ]}});
    let server = process.server(settings);
    let started = server.start("");
    assert_eq!((&started["extra"], &started["verification_uri_complete"]), (&json!([1]), &json!(null)));
    sleep(1.0);
    assert_eq!(server.poll(&started).status, 200);
    let form = entries(&server, "token")[0]["form"].clone();
    assert_eq!(form[1], json!(["device_code", "a+b &=%é"]));
}

#[test]
fn a_scripted_slow_down_slows_the_real_server_too() {
    let process = control();
    let server =
        process.server(json!({"interval": 1, "answer": "approve", "script": {"token": ["slow_down"]}}));
    let started = server.start("");
    sleep(1.0);
    assert_eq!(server.poll(&started).error().1, "slow_down");
    sleep(1.0);
    assert_eq!(server.poll(&started).error().1, "slow_down");
    assert_eq!(entries(&server, "token")[1]["violations"], json!(["polled_too_early"]));
}

#[test]
fn a_granted_step_asks_nobody() {
    let process = control();
    let server =
        process.server(json!({"script": {"token": [{"grant": true, "merge": {"token_type": "mac"}}]}}));
    let started = server.start("openid");
    let reply = server.poll(&started).json();
    assert_eq!(reply["token_type"], "mac");
    assert!(reply["id_token"].is_string());
}

#[test]
fn connections_break_where_the_script_says() {
    let process = control();
    let mut steps = Vec::new();
    for how in ["reset", "close"] {
        for place in ["before", "headers", "body"] {
            steps.push(json!({how: place, "real": place != "before"}));
        }
    }
    let server = scripted(&process, json!(steps));
    let started = server.start("");
    let device_code = started["device_code"].as_str().unwrap();
    let form = common::encode(&[
        ("grant_type", common::DEVICE_GRANT),
        ("device_code", device_code),
        ("client_id", "client_test"),
    ]);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let mut stream = server.target.connect().unwrap();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let request = server.target.request("POST", "/oauth2/token", &headers, form.as_bytes());
        stream.write_all(&request).unwrap();
        let (mut bytes, mut piece) = (Vec::new(), [0; 65536]);
        let end = loop {
            match stream.read(&mut piece) {
                Ok(0) => break "closed",
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break "reset",
                Err(error) => panic!("{error}"),
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let what = match text.split_once("\r\n\r\n") {
            None => "nothing",
            Some((_, "")) => "headers",
            Some(_) => "some body",
        };
        seen.push((end, what));
    }
    let expected = [
        ("reset", "nothing"),
        ("reset", "headers"),
        ("reset", "some body"),
        ("closed", "nothing"),
        ("closed", "headers"),
        ("closed", "some body"),
    ];
    assert_eq!(seen, expected);
    let closed: Vec<Value> = server.log()["connections"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|entry| entry["closed_by"].clone())
        .collect();
    assert_eq!(closed, ["server_reset", "server_reset", "server_reset", "server", "server", "server"]);
    let statuses: Vec<Value> =
        entries(&server, "token").iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(statuses[0], json!(null));
    assert_eq!(statuses[1], json!(200));
}

#[test]
fn a_lost_answer_has_redeemed_the_code() {
    let process = control();
    let server = scripted(&process, json!([{"real": true, "reset": "before"}]));
    let started = server.start("");
    let form = [
        ("grant_type", common::DEVICE_GRANT),
        ("device_code", started["device_code"].as_str().unwrap()),
        ("client_id", "client_test"),
    ];
    assert!(server.target.try_post("/oauth2/token", &form).is_err());
    assert_eq!(server.poll(&started).error().1, "invalid_grant");
}

#[test]
fn slow_answers_are_slow_where_the_script_says() {
    let process = control();
    let drip = json!({"json": {"a": 1}, "drip": {"bytes": 2, "every": 0.1}});
    let server = scripted(&process, json!([{"delay": 0.5}, {"delay_body": 0.5}, drip]));
    let started = server.start("");
    for least in [0.5, 0.5, 0.3] {
        let begun = Instant::now();
        server.poll(&started);
        let took = begun.elapsed().as_secs_f64();
        assert!((least..least + 0.4).contains(&took), "{took}");
    }
}

#[test]
fn a_client_that_leaves_is_seen_to_leave() {
    let process = control();
    let server = scripted(&process, json!([{"hang": "before"}]));
    let mut stream = server.target.connect().unwrap();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    stream.write_all(&server.target.request("POST", "/oauth2/token", &headers, b"grant_type=x")).unwrap();
    let (_, log) = server.control("GET", "/log?endpoint=token&count=1&timeout=5", &json!({}));
    assert_eq!((&log["requests"][0]["replied"], &log["requests"][0]["gone"]), (&json!(null), &json!(null)));
    drop(stream);
    sleep(0.2);
    let entry = &entries(&server, "token")[0];
    assert!(entry["gone"].as_f64().unwrap() > entry["arrived"].as_f64().unwrap());
    assert_eq!(
        (&entry["status"], &server.log()["connections"][0]["closed_by"]),
        (&json!(null), &json!("client"))
    );
}

#[test]
fn framing_lies_and_odd_bodies_arrive_as_written() {
    let process = control();
    let server = scripted(
        &process,
        json!([
            {"json": {"é": "ü"}, "chunk_size": 1},
            {"json": {}, "content_length": 100},
            {"body_base64": "77u/e30="},
            {"huge": {"bytes": 3_000_000, "prefix": "[\"", "suffix": "\"]"}},
            {"json": {"a": 1}, "until_close": true, "http_version": "1.0"},
            {"gzip_bomb": 50_000_000, "body": "{"},
            {"raw": "SSH-2.0-nonsense\r\n\r\n"},
            {"header_flood": {"count": 50, "bytes": 100}, "interim": [103], "json": {}}
        ]),
    );
    let started = server.start("");
    assert_eq!(server.poll(&started).json(), json!({"é": "ü"}));
    let form = [("grant_type", "x"), ("client_id", "client_test")];
    let cut = server.target.try_post("/oauth2/token", &form).unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(server.poll(&started).body, b"\xef\xbb\xbf{}");
    assert_eq!(server.poll(&started).body.len(), 3_000_004);
    assert_eq!(server.poll(&started).json(), json!({"a": 1}));
    let bomb = server.poll(&started);
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    assert!(bomb.body.len() < 100_000);
    let garbage = server.target.try_post("/oauth2/token", &form).unwrap_err();
    assert_eq!(garbage.kind(), ErrorKind::InvalidData);
    let flooded = server.poll(&started);
    assert!(flooded.headers.iter().filter(|(name, _)| name.starts_with("X-Flood")).count() == 50);
}

#[test]
fn a_redirect_can_lead_to_the_other_origin_and_the_log_shows_who_went_there() {
    let process = control();
    let server = scripted(&process, json!([{"status": 307, "location": "{other_origin}/oauth2/token"}]));
    let started = server.start("");
    let reply = server.poll(&started);
    let other = server.made["other_url"].as_str().unwrap();
    assert_eq!(reply.header("location"), Some(format!("{other}/oauth2/token").as_str()));
    let origins = || -> Vec<Value> {
        server.log()["connections"].as_array().unwrap().iter().map(|entry| entry["origin"].clone()).collect()
    };
    assert_eq!(origins(), ["main", "main"]);
    let there = common::Target { url: other.to_owned(), ..server.target.clone() };
    assert_eq!(there.get("/.well-known/openid-configuration").json()["issuer"], other);
    assert_eq!(origins(), ["main", "main", "other"]);
}

#[test]
fn a_kept_connection_can_die_quietly_or_stay() {
    let process = control();
    let server = process.server(json!({"script": {"jwks": ["real", {"close_after": 0.1}]}}));
    let mut stream = server.target.connect().unwrap();
    for _ in 0..2 {
        stream.write_all(&server.target.request("GET", "/oauth2/jwks", &[], b"")).unwrap();
        let reply = common::read_reply(&mut *stream).unwrap();
        assert_eq!((reply.status, reply.header("connection")), (200, None));
    }
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    let connection = server.log()["connections"][0].clone();
    assert_eq!((&connection["requests"], &connection["closed_by"]), (&json!(2), &json!("server")));
}

#[test]
fn a_server_can_be_down_for_a_while() {
    let process = control();
    let server = process.server(json!({"script": {"jwks": [{"down_for": 0.5}]}}));
    assert_eq!(server.target.get("/oauth2/jwks").status, 200);
    sleep(0.25);
    assert_eq!(server.target.connect().err().unwrap().kind(), ErrorKind::ConnectionRefused);
    sleep(0.6);
    assert_eq!(server.target.get("/oauth2/jwks").status, 200);
}

#[test]
fn connections_can_be_refused_before_a_byte() {
    let process = control();
    let server = process.server(json!({"script": {"connection": ["reset", "close"]}}));
    for _ in 0..2 {
        assert!(server.target.send("GET", "/oauth2/jwks", &[], b"").is_err());
    }
    assert_eq!(server.target.get("/oauth2/jwks").status, 200);
    let log = server.log();
    assert_eq!(
        (log["connections"].as_array().unwrap().len(), log["requests"].as_array().unwrap().len()),
        (3, 1)
    );
}
