//! The claims that packages for other languages use: one call drives a login, and tokens that the program never
//! received are revoked.

use std::{
    thread,
    time::{Duration, Instant},
};

use cli_auth::{ErrorKind, Login, RefreshOptions, Secret, Tokens, host::Step};
use serde_json::json;

use crate::support::{PATIENCE, Server, started};

/// Steps with the claim `number` until the tokens arrive.
fn tokens_for(login: &Login, number: u64) -> Tokens {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Step::Authorized(tokens) = login.step_as(number, Duration::from_millis(50)).unwrap() {
            return tokens;
        }
        assert!(Instant::now() < end, "no tokens arrived");
    }
}

#[test]
fn a_claim_excludes_every_other_call_until_it_is_released() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.claim_as(1).unwrap();
    let calls: [&dyn Fn() -> ErrorKind; 5] = [
        &|| login.claim_as(2).unwrap_err().kind(),
        &|| login.step_as(2, Duration::ZERO).err().unwrap().kind(),
        &|| login.step(Duration::ZERO).unwrap_err().kind(),
        &|| login.start().unwrap_err().kind(),
        &|| login.poll(drop).unwrap_err().kind(),
    ];
    for call in calls {
        assert_eq!(call(), ErrorKind::Busy);
    }
    // Only the call that holds the claim can release it.
    login.release_as(2);
    assert_eq!(login.claim_as(2).unwrap_err().kind(), ErrorKind::Busy);
    login.release_as(1);
    assert!(login.start().is_ok(), "the rejected calls sent nothing");
    assert_eq!(server.requests("device", 1).len(), 1);
}

#[test]
fn reserved_claim_numbers_are_misuse() {
    let login = Server::approving(json!({})).client().login();
    for number in [0, 1 << 63, u64::MAX] {
        assert_eq!(login.claim_as(number).unwrap_err().kind(), ErrorKind::Misuse);
        assert_eq!(login.step_as(number, Duration::ZERO).err().unwrap().kind(), ErrorKind::Misuse);
    }
}

#[test]
fn tokens_are_kept_after_the_claim_is_released() {
    let server = Server::approving(json!({}));
    let (login, _) = started(&server.client());
    login.claim_as(1).unwrap();
    let tokens = tokens_for(&login, 1);
    login.release_as(1);
    login.abandon_as(2);
    assert_eq!(login.poll(drop).unwrap().access_token(), tokens.access_token());
    assert_eq!(server.requests("revoke", 0).len(), 0);
}

#[test]
fn abandoning_a_claim_revokes_its_returned_tokens() {
    let server = Server::approving(json!({}));
    let (login, _) = started(&server.client());
    login.claim_as(1).unwrap();
    tokens_for(&login, 1);
    login.abandon_as(1);
    login.release_as(1);
    assert_eq!(server.requests("revoke", 1).len(), 1);
    server.wait_until_disconnected();
    assert_eq!(login.poll(drop).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn abandoning_without_the_claim_does_not_revoke_tokens() {
    let server = Server::approving(json!({}));
    let (login, _) = started(&server.client());
    login.claim_as(1).unwrap();
    let tokens = tokens_for(&login, 1);
    login.abandon_as(2);
    assert_eq!(server.requests("revoke", 0).len(), 0);
    login.release_as(1);
    assert_eq!(login.poll(drop).unwrap().access_token(), tokens.access_token());
}

#[test]
fn abandoning_an_unstarted_login_sends_nothing() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.abandon_as(1);
    assert_eq!(login.start().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(server.connections().is_empty());
}

#[test]
fn polling_before_the_prompt_is_misuse_unless_the_login_ended() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.claim_as(1).unwrap();
    assert_eq!(login.must_be_started_as(1).unwrap_err().kind(), ErrorKind::Misuse);
    login.cancel();
    login.must_be_started_as(1).unwrap();
}

#[test]
fn a_stepped_request_is_sent_and_completed_once() {
    let server = Server::approving(json!({"refresh": [{"real": true, "delay": 0.2}]}));
    let (login, _) = started(&server.client());
    let old = login.poll(drop).unwrap();
    let request =
        server.client().begin_refresh(old.refresh_token().unwrap(), &RefreshOptions::new()).unwrap();
    let end = Instant::now() + PATIENCE;
    let new = loop {
        assert!(Instant::now() < end, "no response arrived");
        if let Some(tokens) = request.step(Duration::from_millis(20)).unwrap() {
            break tokens;
        }
    };
    assert_ne!(new.access_token(), old.access_token());
    assert_eq!(request.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

#[test]
fn a_rejection_received_before_cancel_is_still_returned() {
    let server = Server::approving(json!({"refresh": [{"error": "invalid_grant", "delay": 0.2}]}));
    let request = server.client().begin_refresh(&Secret::new("used-up"), &RefreshOptions::new()).unwrap();
    // One of these steps sends the request. Its response stays unread until the step after the cancel.
    while server.requests("refresh", 0).is_empty() {
        assert!(request.step(Duration::ZERO).unwrap().is_none());
        thread::sleep(Duration::from_millis(2));
    }
    while server.requests("refresh", 1)[0]["replied"].is_null() {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    request.cancel();
    assert_eq!(request.step(PATIENCE).unwrap_err().kind(), ErrorKind::LoginRequired);
    assert_eq!(request.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Cancelled);
}
