//! Refresh and revocation: one request each, never retried.

use std::time::{Duration, SystemTime};

use cli_auth::{Client, ErrorKind, Secret};
use serde_json::json;

use crate::support::{Server, patient, started};

// proves: R6749-6-01, R6749-6-03, R6749-6-04, R6749-10.4-01, R9700-2.2.2-01, P5-17
#[test]
fn a_rotated_refresh_token_replaces_the_old_one() {
    let server = Server::approving(json!({}));
    let client = server.client();
    let mut tokens = started(&client).0.poll(drop).unwrap();
    for _ in 0..3 {
        let old = tokens.refresh_token().unwrap().clone();
        tokens = client.refresh(&old).unwrap();
        assert_ne!(tokens.refresh_token().unwrap(), &old);
    }
    let refreshes = server.requests("refresh", 3);
    assert_eq!(refreshes.len(), 3);
    for request in refreshes {
        assert_eq!(request["violations"], json!([]));
        let form = request["form"].as_array().unwrap();
        assert_eq!(form[0], json!(["grant_type", "refresh_token"]));
        assert_eq!(form[2], json!(["client_id", "client_1"]));
        assert_eq!(form.len(), 3);
    }
}

// proves: R6749-6-05, P5-17
#[test]
fn a_response_without_a_refresh_token_keeps_the_old_one() {
    let server = Server::new(json!({"interval": 1, "answer": "approve", "rotate_refresh": false}));
    let client = server.client();
    let tokens = started(&client).0.poll(drop).unwrap();
    let old = tokens.refresh_token().unwrap();
    assert_eq!(client.refresh(old).unwrap().refresh_token(), Some(old));
}

// proves: R6749-6-09, R9700-4.14.2-01, P6-refresh-error-200
#[test]
fn a_failed_refresh_reports_the_reason_and_is_not_retried() {
    let server = Server::new(json!({"script": {"refresh": [
        "invalid_grant",
        {"status": 503, "headers": {"Retry-After": "7"}},
        {"reset": "before"},
        {"json": {"error": "invalid_grant", "access_token": "t"}},
    ]}}));
    let client = server.client();
    let token = Secret::new("refresh-1234");
    let dead = client.refresh(&token).unwrap_err();
    assert_eq!((dead.kind(), dead.oauth_error()), (ErrorKind::LoginRequired, Some("invalid_grant")));
    let later = client.refresh(&token).unwrap_err();
    assert_eq!((later.kind(), later.retry_after()), (ErrorKind::Network, Some(Duration::from_secs(7))));
    assert_eq!(client.refresh(&token).unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(client.refresh(&token).unwrap_err().kind(), ErrorKind::LoginRequired);
    assert_eq!(server.requests("refresh", 4).len(), 4);
}

#[test]
fn expiry_is_in_local_time_despite_server_clock_skew() {
    for offset in [0, 360, -360] {
        // AuthKit's tokens contain their expiry; its responses do not.
        let server = Server::new(json!({"interval": 1, "answer": "approve", "clock_offset": offset}));
        let client = patient(Client::authkit("client_1")).api_base(&server.url).build().unwrap();
        let before = SystemTime::now();
        let tokens = started(&client).0.poll(drop).unwrap();
        let expires_at = tokens.expires_at().unwrap();
        assert!(expires_at >= before + Duration::from_secs(297), "{offset}: too early");
        assert!(expires_at <= SystemTime::now() + Duration::from_secs(300), "{offset}: too late");
        assert_eq!(tokens.expires_in(), Some(Duration::from_secs(300)));
    }
}

#[test]
fn refresh_and_revoke_work_without_the_device_flow() {
    let without = json!({"steps": [{"merge": {"device_authorization_endpoint": null}}], "then": "repeat"});
    let server = Server::approving(json!({"discovery_oauth": without, "discovery_oidc": without}));
    let client = server.client();
    assert_eq!(client.login().start().unwrap_err().kind(), ErrorKind::Unsupported);
    let dead = client.refresh(&Secret::new("never seen")).unwrap_err();
    assert_eq!(dead.kind(), ErrorKind::LoginRequired);
    client.revoke(&Secret::new("never seen")).unwrap();
}

// proves: R7009-2.1-01, R7009-2.1-02, R7009-2.1-03, R7009-2.2-01, P6-revocation
#[test]
fn a_revoked_token_cannot_be_refreshed() {
    let server = Server::approving(json!({}));
    let client = server.client();
    let tokens = started(&client).0.poll(drop).unwrap();
    let refresh = tokens.refresh_token().unwrap();
    client.revoke(refresh).unwrap();
    assert_eq!(client.refresh(refresh).unwrap_err().kind(), ErrorKind::LoginRequired);
    client.revoke(&Secret::new("never seen")).unwrap();
    let requests = server.requests("revoke", 2);
    assert_eq!(requests[0]["form"], json!([["token", refresh.expose()], ["client_id", "client_1"]]));
    assert_eq!(requests[0]["violations"], json!([]));
}

// proves: R7009-2.2-02, R7009-2.2.1-01, R7009-2.2.1-02
#[test]
fn a_failed_revocation_returns_an_error() {
    let server = Server::new(json!({"script": {"revoke": [
        {"status": 503, "headers": {"Retry-After": "9"}},
        "unsupported_token_type",
        {"status": 200, "body": "<html>", "content_type": "text/html"},
    ]}}));
    let client = server.client();
    let token = Secret::new("token-1234");
    let later = client.revoke(&token).unwrap_err();
    assert_eq!((later.kind(), later.retry_after()), (ErrorKind::Network, Some(Duration::from_secs(9))));
    assert_eq!(client.revoke(&token).unwrap_err().kind(), ErrorKind::Unsupported);
    client.revoke(&token).unwrap();
    assert_eq!(server.requests("revoke", 3).len(), 3);
}

#[test]
fn revoke_sends_nothing_to_a_server_without_revocation() {
    let server = Server::new(json!({"revocation": false}));
    let token = Secret::new("token-1234");
    assert_eq!(server.client().revoke(&token).unwrap_err().kind(), ErrorKind::Unsupported);
    let connect =
        Client::workos_connect(&server.url, "client_1").allow_insecure_loopback(true).build().unwrap();
    assert_eq!(connect.revoke(&token).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(server.requests("revoke", 0).len(), 0);
}

// proves: R6749-2.3-01, R6749-2.3.1-01, R6749-3.2.1-01, R7009-2.1-03
#[test]
fn a_confidential_client_uses_one_authentication_method_everywhere() {
    let server = Server::new(json!({"interval": 1, "answer": "approve", "clients": [
        {"client_id": "client_1", "secret": "p%+é :", "auth_methods": ["client_secret_basic"]}]}));
    let client = server.builder().client_secret("p%+é :", cli_auth::ClientAuth::Auto).build().unwrap();
    let tokens = started(&client).0.poll(drop).unwrap();
    let tokens = client.refresh(tokens.refresh_token().unwrap()).unwrap();
    client.revoke(tokens.refresh_token().unwrap()).unwrap();
    for endpoint in ["device", "token", "refresh", "revoke"] {
        for request in server.requests(endpoint, 1) {
            assert_eq!(request["violations"], json!([]), "{endpoint}");
            assert!(!request["body"].as_str().unwrap().contains("client_secret"), "{endpoint}");
        }
    }
}

#[test]
fn an_empty_token_is_not_sent() {
    let server = Server::approving(json!({}));
    let client = server.client();
    let empty = Secret::new("");
    for error in [client.refresh(&empty).unwrap_err(), client.revoke(&empty).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    }
    assert!(server.requests("refresh", 0).is_empty() && server.requests("revoke", 0).is_empty());
}
