//! The verification page, used as a browser without JavaScript uses it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing test is meant to panic

mod common;

use common::{Process, Reply, Server, sleep};
use serde_json::{Value, json};

fn form(server: &Server<'_>, cookie: &str, fields: &[(&str, &str)]) -> Reply {
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)];
    server.target.send("POST", "/device", &headers, common::encode(fields).as_bytes()).unwrap()
}

/// Opens the page; gives it, the cookie and the hidden field.
fn open(server: &Server<'_>, path: &str) -> (Reply, String, String) {
    let page = server.target.get(path);
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let text = page.text();
    let csrf = text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (page, cookie, csrf)
}

fn state(server: &Server<'_>) -> Value {
    server.control("GET", "", &json!({})).1["codes"][0]["state"].clone()
}

#[test]
fn a_typed_code_is_confirmed_and_approved() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({"interval": 1}));
    let started = server.start("");
    let (page, cookie, csrf) = open(&server, "/device");
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(page.text().contains("<label for=\"user_code\">"));
    // As people type: without the dash, in lower case.
    let typed = started["user_code"].as_str().unwrap().replace('-', "").to_lowercase();
    let confirm = form(&server, &cookie, &[("csrf", &csrf), ("user_code", &typed)]);
    assert!(confirm.text().contains(started["user_code"].as_str().unwrap()));
    assert!(confirm.text().contains("Go on only if you started this yourself"));
    assert_eq!(state(&server), "pending");
    let done = form(&server, &cookie, &[("csrf", &csrf), ("user_code", &typed), ("decision", "approve")]);
    assert!(done.text().contains("<h1>Approved</h1>"));
    sleep(1.0);
    assert_eq!(server.poll(&started).status, 200);
    let again = form(&server, &cookie, &[("csrf", &csrf), ("user_code", &typed), ("decision", "deny")]);
    assert!(again.text().contains("used already"));
}

#[test]
fn a_link_with_the_code_still_asks_and_can_be_denied() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({"interval": 1}));
    let started = server.start("");
    let link = started["verification_uri_complete"].as_str().unwrap();
    let (page, cookie, csrf) = open(&server, link.strip_prefix(&server.target.url).unwrap());
    assert!(page.text().contains("client_test"));
    assert_eq!(state(&server), "pending");
    let code = started["user_code"].as_str().unwrap();
    let done = form(&server, &cookie, &[("csrf", &csrf), ("user_code", code), ("decision", "deny")]);
    assert!(done.text().contains("<h1>Denied</h1>"));
    sleep(1.0);
    assert_eq!(server.poll(&started).error().1, "access_denied");
}

#[test]
fn a_form_of_another_site_or_session_decides_nothing() {
    let process = Process::start(&["--control"]);
    let server = process.server(json!({}));
    let started = server.start("");
    let code = started["user_code"].as_str().unwrap();
    let (_, cookie, csrf) = open(&server, "/device");
    let (_, other_cookie, _) = open(&server, "/device");
    for (cookie, csrf) in [("", csrf.as_str()), (&other_cookie, &csrf), (&cookie, "")] {
        let mut fields = vec![("user_code", code), ("decision", "approve")];
        if !csrf.is_empty() {
            fields.push(("csrf", csrf));
        }
        assert_eq!(form(&server, cookie, &fields).status, 403);
    }
    assert_eq!(state(&server), "pending");
}

#[test]
fn what_comes_from_outside_is_only_text() {
    let process = Process::start(&["--control"]);
    let evil = "<script>alert(1)</script>";
    let server =
        process.server(json!({"clients": [{"client_id": "client_test", "name": evil, "third_party": true}]}));
    let started = server.start("openid <img>");
    let page =
        server.target.get(&format!("/device?user_code={}", started["user_code"].as_str().unwrap())).text();
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;") && page.contains("Know who you are"));
    let unknown = server.target.get("/device?user_code=%22%3E%3Cscript%3E");
    assert_eq!(unknown.status, 400);
    assert!(!unknown.text().contains("<script") && unknown.text().contains("role=\"alert\""));
}

#[test]
fn an_organization_is_chosen_where_there_are_several() {
    let process = Process::start(&["--control"]);
    let organizations = json!([{"id": "org_A", "name": "Alpha"}, {"id": "org_B", "name": "Beta"}]);
    let server = process.server(json!({"interval": 1, "organizations": organizations}));
    let device = server.target.post("/user_management/authorize/device", &[("client_id", "c")]).json();
    let code = device["user_code"].as_str().unwrap();
    let (page, cookie, csrf) = open(&server, &format!("/device?user_code={code}"));
    assert!(page.text().contains("<legend>Organization</legend>") && page.text().contains("Beta"));
    let fields =
        [("csrf", csrf.as_str()), ("user_code", code), ("decision", "approve"), ("organization_id", "org_B")];
    form(&server, &cookie, &fields);
    sleep(1.0);
    let poll = [
        ("grant_type", common::DEVICE_GRANT),
        ("device_code", device["device_code"].as_str().unwrap()),
        ("client_id", "c"),
    ];
    assert_eq!(server.target.post("/user_management/authenticate", &poll).json()["organization_id"], "org_B");
}
