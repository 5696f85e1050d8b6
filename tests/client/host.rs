//! Claims, as packages for other languages use them: one call drives, and tokens that the program never got are revoked.

use std::{
    thread,
    time::{Duration, Instant},
};

use cli_auth::{ErrorKind, Login, Secret, Tokens, host::Step};
use serde_json::json;

use crate::support::{PATIENCE, Server, started};

/// Steps by the claim of one call until the tokens come.
fn tokens_for(login: &Login, number: u64) -> Tokens {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Step::Authorized(tokens) = login.step_as(number, Duration::from_millis(50)).unwrap() {
            return tokens;
        }
        assert!(Instant::now() < end, "no tokens came");
    }
}

#[test]
fn a_claim_keeps_every_other_call_out_until_it_is_released() {
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
    // Who does not have the claim cannot end it.
    login.release_as(2);
    assert_eq!(login.claim_as(2).unwrap_err().kind(), ErrorKind::Busy);
    login.release_as(1);
    assert!(login.start().is_ok(), "nothing was sent by the calls that were refused");
    assert_eq!(server.requests("device", 1).len(), 1);
}

#[test]
fn numbers_that_hosts_may_not_use_are_refused() {
    let login = Server::approving(json!({})).client().login();
    for number in [0, 1 << 63, u64::MAX] {
        assert_eq!(login.claim_as(number).unwrap_err().kind(), ErrorKind::Misuse);
        assert_eq!(login.step_as(number, Duration::ZERO).err().unwrap().kind(), ErrorKind::Misuse);
    }
}

#[test]
fn tokens_of_a_released_claim_are_accepted_and_stay() {
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
fn tokens_that_a_step_returned_are_revoked_where_their_call_gives_up() {
    let server = Server::approving(json!({}));
    let (login, _) = started(&server.client());
    login.claim_as(1).unwrap();
    tokens_for(&login, 1);
    login.abandon_as(1);
    login.release_as(1);
    assert_eq!(server.requests("revoke", 1).len(), 1);
    assert_eq!(login.poll(drop).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_call_without_the_claim_leaves_the_tokens_to_the_one_that_has_it() {
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
fn a_login_that_was_never_started_is_abandoned_without_a_request() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.abandon_as(1);
    assert_eq!(login.start().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(server.connections().is_empty());
}

#[test]
fn polling_makes_sense_only_after_the_prompt_or_the_end() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    login.claim_as(1).unwrap();
    assert_eq!(login.must_be_started_as(1).unwrap_err().kind(), ErrorKind::Misuse);
    login.cancel();
    login.must_be_started_as(1).unwrap();
}

#[test]
fn a_request_in_slices_is_sent_once_and_its_outcome_is_returned_once() {
    let server = Server::approving(json!({"refresh": [{"real": true, "delay": 0.2}]}));
    let (login, _) = started(&server.client());
    let old = login.poll(drop).unwrap();
    let request = server.client().begin_refresh(old.refresh_token().unwrap()).unwrap();
    let end = Instant::now() + PATIENCE;
    let new = loop {
        assert!(Instant::now() < end, "no response came");
        if let Some(tokens) = request.step(Duration::from_millis(20)).unwrap() {
            break tokens;
        }
    };
    assert_ne!(new.access_token(), old.access_token());
    assert_eq!(request.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

#[test]
fn a_refusal_that_arrived_before_a_cancel_still_counts() {
    let server = Server::approving(json!({"refresh": [{"error": "invalid_grant", "delay": 0.2}]}));
    let request = server.client().begin_refresh(&Secret::new("used-up")).unwrap();
    // The request leaves in one of these steps. Its response waits, unread, for the step after the cancel.
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
