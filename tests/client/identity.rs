//! Who logged in: the ID token and its keys, userinfo, and what a refresh asks for.

use std::thread;

use cli_auth::{Client, ClientBuilder, ErrorKind, Event, RefreshOptions, Secret, Tokens};
use serde_json::{Value, json};

use crate::support::{AT_ONCE, Server, patient, started};

fn openid(server: &Server) -> ClientBuilder {
    server.builder().scopes(["openid", "email", "profile"])
}

fn logged_in(builder: ClientBuilder) -> Tokens {
    started(&builder.build().unwrap()).0.poll(drop).unwrap()
}

fn form(request: &Value, name: &str) -> Vec<String> {
    let pairs = request["form"].as_array().unwrap();
    let values = pairs.iter().filter(|pair| pair[0] == name);
    values.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

// proves: OIDCC-5.3.2-01, P6-id-token, R6750-2-01, R6750-2.1-01, R6750-2.1-02, R6750-2.2-01, R6750-2.3-01
#[test]
fn an_openid_login_and_userinfo_name_the_user() {
    let server = Server::approving(json!({}));
    let client = openid(&server).build().unwrap();
    let tokens = started(&client).0.poll(drop).unwrap();
    let user = tokens.identity().unwrap();
    assert!(user.subject().starts_with("user_"));
    assert_eq!((user.email(), user.name()), (Some("ada@example.test"), Some("Ada Example")));
    assert_eq!(user.claim("aud"), Some("\"client_1\""));
    let asked = client.userinfo(tokens.access_token(), Some(user.subject())).unwrap();
    assert_eq!((asked.subject(), asked.email()), (user.subject(), user.email()));
    let other = client.userinfo(tokens.access_token(), Some("user_other")).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidResponse);
    let dead = client.userinfo(&Secret::new("never-seen"), None).unwrap_err();
    assert_eq!((dead.kind(), dead.http_status()), (ErrorKind::Rejected, Some(401)));
    for request in server.requests("userinfo", 3) {
        assert_eq!((&request["method"], &request["violations"]), (&json!("GET"), &json!([])));
        assert_eq!((&request["path"], &request["body"]), (&json!("/oauth2/userinfo"), &json!("")));
    }
    let sent = server.requests("userinfo", 3)[0]["headers"].to_string();
    assert!(sent.contains(&format!("Bearer {}\"", tokens.access_token().expose())), "{sent}");
    for wrong in ["", "two\r\nlines", "a b", "é", "=", "a=b"] {
        assert_eq!(client.userinfo(&Secret::new(wrong), None).unwrap_err().kind(), ErrorKind::InvalidConfig);
    }
}

#[test]
fn userinfo_is_known_for_connect_and_not_for_authkit() {
    let server = Server::approving(json!({}));
    let connect = patient(Client::workos_connect(&server.url, "client_1")).scope("openid").build().unwrap();
    let tokens = started(&connect).0.poll(drop).unwrap();
    let subject = tokens.identity().unwrap().subject();
    assert_eq!(connect.userinfo(tokens.access_token(), Some(subject)).unwrap().subject(), subject);
    let authkit = patient(Client::authkit("client_1")).api_base(&server.url).build().unwrap();
    let tokens = started(&authkit).0.poll(drop).unwrap();
    assert_eq!(tokens.identity().unwrap().email(), Some("ada@example.test"));
    let unsupported = authkit.userinfo(tokens.access_token(), None).unwrap_err();
    assert_eq!(unsupported.kind(), ErrorKind::Unsupported);
}

// proves: OIDCC-10.1.1-01
#[test]
fn keys_are_fetched_once_for_several_logins() {
    let server = Server::approving(json!({}));
    let client = openid(&server).build().unwrap();
    for _ in 0..3 {
        assert!(started(&client).0.poll(drop).unwrap().identity().is_some());
    }
    assert_eq!(server.requests("jwks", 1).len(), 1);
}

#[test]
fn an_unwanted_identity_costs_no_request() {
    let server = Server::approving(json!({}));
    let tokens = logged_in(openid(&server).verify_id_token(false));
    assert!(tokens.id_token().is_some() && tokens.identity().is_none());
    assert!(server.requests("jwks", 0).is_empty());
    let endpoint = |path: &str| format!("{}/oauth2/{path}", server.url);
    let explicit = Client::with_endpoints(endpoint("device_authorization"), endpoint("token"), "client_1");
    let tokens = logged_in(patient(explicit).scope("openid"));
    assert!(tokens.id_token().is_some() && tokens.identity().is_none());
}

// proves: P6-jwks
#[test]
fn a_login_without_keys_says_so_and_returns_the_tokens() {
    let server = Server::approving(json!({"jwks": {"steps": [{"status": 503}], "then": "repeat"}}));
    let (login, _) = started(&openid(&server).build().unwrap());
    let mut events = Vec::new();
    let tokens = login.poll(|event| events.push(event)).unwrap();
    assert!(tokens.id_token().is_some() && tokens.identity().is_none());
    match events.as_slice() {
        [Event::IdentityUnverified { message, .. }] => assert!(message.contains("HTTP 503"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.requests("jwks", 3).len(), 3);
}

#[test]
fn a_cancel_during_the_check_revokes_the_tokens() {
    let server = Server::approving(json!({"jwks": [{"hang": "before"}]}));
    let (login, _) = started(&openid(&server).build().unwrap());
    let handle = login.clone();
    let polling = thread::spawn(move || handle.poll(drop));
    server.requests("jwks", 1);
    let before = std::time::Instant::now();
    login.cancel();
    assert_eq!(polling.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(before.elapsed() < AT_ONCE);
    assert_eq!(server.requests("revoke", 1).len(), 1);
}

// proves: R6749-6-02, R6749-6-10, R8707-2.2-01, OIDCC-12.2-01
#[test]
fn a_refresh_asks_for_what_its_options_say() {
    let server = Server::approving(json!({}));
    let client = openid(&server)
        .refresh_param("resource", "https://a.example")
        .refresh_param("audience", "one")
        .build()
        .unwrap();
    let tokens = started(&client).0.poll(drop).unwrap();
    let subject = tokens.identity().unwrap().subject().to_owned();
    let options = RefreshOptions::new()
        .scopes(["openid", "email"])
        .param("audience", "two")
        .param("organization_id", "org_1")
        .subject(&subject);
    let narrowed = client.refresh_with(tokens.refresh_token().unwrap(), &options).unwrap();
    assert_eq!(narrowed.identity().unwrap().subject(), subject);
    let plain = client.refresh(narrowed.refresh_token().unwrap()).unwrap();
    let other = RefreshOptions::new().subject("user_other");
    let error = client.refresh_with(plain.refresh_token().unwrap(), &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    let requests = server.requests("refresh", 3);
    let sent = |name| requests.iter().map(|request| form(request, name)).collect::<Vec<_>>();
    assert_eq!(sent("scope"), [vec!["openid email"], vec![], vec![]]);
    assert_eq!(sent("audience"), [["two"], ["one"], ["one"]]);
    assert_eq!(sent("resource"), [["https://a.example"]; 3]);
    assert_eq!(sent("organization_id"), [vec!["org_1"], vec![], vec![]]);
    assert!(form(&server.requests("device", 1)[0], "audience").is_empty());
    assert!(form(&server.requests("token", 1)[0], "audience").is_empty());
}

#[test]
fn unusable_options_of_a_refresh_are_refused_before_the_request() {
    let server = Server::approving(json!({}));
    let client = server.client();
    for options in [
        RefreshOptions::new().scopes(["two words"]),
        RefreshOptions::new().param("refresh_token", "x"),
        RefreshOptions::new().param("scope", "x"),
        RefreshOptions::new().param("audience", ""),
        RefreshOptions::new().param("audience", "x").param("audience", "y"),
    ] {
        let error = client.refresh_with(&Secret::new("token-1234"), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{options:?}");
    }
    assert!(server.requests("refresh", 0).is_empty());
}

#[test]
fn every_member_of_an_error_response_is_reachable() {
    let body = json!({"error": "invalid_grant", "suberror": "bad_token", "trace": {"id": 7}});
    let server = Server::approving(json!({"refresh": [{"status": 400, "json": body}]}));
    let error = server.client().refresh(&Secret::new("token-1234")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoginRequired);
    assert_eq!(error.member_names().collect::<Vec<_>>(), ["error", "suberror", "trace"]);
    assert_eq!(error.member("suberror").unwrap().expose(), "\"bad_token\"");
    assert_eq!(error.member("trace").unwrap().expose(), r#"{"id":7}"#);
    assert!(error.member("claims").is_none());
    assert!(!format!("{error:?}").contains("bad_token"));
}

#[test]
fn endpoints_beside_the_issuer_complete_its_metadata() {
    let without = json!({"steps": [{"merge": {"device_authorization_endpoint": null}}], "then": "repeat"});
    let server = Server::approving(json!({"discovery_oauth": without, "discovery_oidc": without}));
    let device = format!("{}/oauth2/device_authorization", server.url);
    let tokens = logged_in(openid(&server).device_authorization_endpoint(device));
    assert!(tokens.identity().is_some());
    let misplaced = Client::authkit("client_1").token_endpoint("https://h/t").build().unwrap_err();
    assert_eq!(misplaced.kind(), ErrorKind::InvalidConfig);
    assert!(misplaced.to_string().contains("token endpoint"));
}

// proves: OIDCC-3.1.3.7-07
#[test]
fn a_wrong_clock_of_this_machine_does_not_matter() {
    for offset in [-86_400, 86_400] {
        let server = Server::new(json!({"interval": 1, "answer": "approve", "clock_offset": offset}));
        assert!(logged_in(openid(&server)).identity().is_some(), "{offset}");
    }
}
