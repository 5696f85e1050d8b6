//! The bounded step: the contract on which every language's own loop stands.

use std::time::{Duration, Instant};

use cli_auth::{ErrorKind, Event, Step};
use serde_json::json;

use crate::support::{AT_ONCE, PATIENCE, Server, is_waiting, started, step_until};

#[test]
fn zero_never_blocks_and_drives_a_login_to_its_end() {
    let server = Server::new(json!({"interval": 1, "answer": "approve", "script": {
        "device": [{"real": true, "delay": 0.3}],
        "token": ["authorization_pending", {"real": true, "delay": 0.3}]}}));
    let login = server.client().login();
    let mut dues = Vec::new();
    let (mut prompts, mut pending) = (0, 0);
    let end = Instant::now() + PATIENCE;
    let tokens = loop {
        assert!(Instant::now() < end);
        match login.step(Duration::ZERO).unwrap() {
            Step::Waiting { due_in, .. } => {
                dues.push(due_in);
                std::thread::sleep(due_in.clamp(Duration::from_millis(2), Duration::from_millis(50)));
            }
            Step::Prompt(_) => prompts += 1,
            Step::Event(Event::Pending { .. }) => pending += 1,
            Step::Authorized(tokens) => break tokens,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((prompts, pending), (1, 1));
    // A call that waited for the server would not have found a request under way, nor a poll that is not due.
    assert!(dues.iter().any(Duration::is_zero) && dues.iter().any(|due| !due.is_zero()));
    assert!(dues.iter().all(|due| *due <= Duration::from_millis(1_050)));
    match login.step(Duration::ZERO).unwrap() {
        Step::Authorized(again) => assert_eq!(again.access_token(), tokens.access_token()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn zero_never_waits_for_a_silent_server() {
    let server = Server::new(json!({"script": {"device": [{"hang": "before"}]}}));
    let login = server.client().login();
    let begun = Instant::now();
    while server.requests("device", 0).is_empty() {
        assert!(is_waiting(&login.step(Duration::ZERO)));
    }
    assert!(is_waiting(&login.step(Duration::ZERO)));
    assert!(begun.elapsed() < AT_ONCE);
}

// proves: R8628-3.4-06, R8628-3.5-10, P5-14
#[test]
fn a_request_survives_the_slices_and_is_sent_once() {
    let server = Server::approving(json!({"device": [{"real": true, "drip": {"bytes": 20, "every": 0.1}}],
        "token": [{"grant": true, "delay": 1}]}));
    let login = server.client().login();
    // Those in which a request was under way, before the prompt and after it.
    let mut slices = [0, 0];
    loop {
        match login.step(Duration::from_millis(20)).unwrap() {
            Step::Waiting { due_in, .. } if due_in.is_zero() => {
                slices[usize::from(login.prompt().is_some())] += 1;
            }
            Step::Authorized(_) => break,
            _ => {}
        }
    }
    assert!(slices.iter().all(|count| *count > 1), "{slices:?}");
    assert_eq!(server.requests("device", 1).len(), 1);
    assert_eq!(server.requests("token", 1).len(), 1);
}

#[test]
fn an_outcome_stays_the_outcome() {
    let server = Server::new(json!({"interval": 1, "answer": "deny"}));
    let (login, _) = started(&server.client());
    assert_eq!(login.poll(drop).unwrap_err().kind(), ErrorKind::Denied);
    login.cancel();
    assert_eq!(login.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(login.poll(drop).unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(server.requests("token", 1).len(), 1);
}

#[test]
fn start_returns_the_error_of_a_login_that_has_failed_and_not_its_prompt() {
    let denying = Server::new(json!({"interval": 1, "answer": "deny"}));
    let (denied, _) = started(&denying.client());
    denied.poll(drop).unwrap_err();
    assert_eq!(denied.start().unwrap_err().kind(), ErrorKind::Denied);
    assert!(denied.prompt().is_some());

    let server = Server::new(json!({"interval": 1}));
    let (cancelled, prompt) = started(&server.client());
    assert_eq!(cancelled.start().unwrap(), prompt);
    cancelled.cancel();
    assert_eq!(cancelled.start().unwrap_err().kind(), ErrorKind::Cancelled);

    server.answer("approve");
    let (approved, prompt) = started(&server.client());
    server.answer("approve");
    approved.poll(drop).unwrap();
    approved.cancel();
    assert_eq!(approved.start().unwrap(), prompt);
}

#[test]
fn a_second_driver_is_told_and_the_first_goes_on() {
    let server = Server::new(json!({"interval": 1}));
    let (login, _) = started(&server.client());
    let first = std::thread::spawn({
        let login = login.clone();
        move || login.poll(drop)
    });
    server.requests("token", 1);
    assert_eq!(login.step(Duration::ZERO).unwrap_err().kind(), ErrorKind::Busy);
    server.answer("approve");
    assert!(first.join().unwrap().is_ok());
}

#[test]
fn the_callback_may_use_the_login_but_not_drive_it() {
    let server = Server::new(
        json!({"interval": 1, "script": {"token": {"steps": ["authorization_pending"], "then": "repeat"}}}),
    );
    let (login, prompt) = started(&server.client());
    let outcome = login.poll(|_| {
        assert_eq!(login.prompt(), Some(&prompt));
        for driven in
            [login.step(Duration::ZERO).map(drop), login.start().map(drop), login.poll(drop).map(drop)]
        {
            assert_eq!(driven.unwrap_err().kind(), ErrorKind::Busy);
        }
        login.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn poll_before_start_says_what_to_do() {
    let server = Server::approving(json!({}));
    let login = server.client().login();
    let error = login.poll(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(login.start().is_ok(), "nothing was lost");
    assert_eq!(login.start().unwrap(), *login.prompt().unwrap());
    assert_eq!(server.requests("device", 1).len(), 1);
}

#[test]
fn a_login_timeout_ends_it_while_a_request_hangs() {
    let server = Server::new(json!({"script": {"device": [{"hang": "before"}]}}));
    let client = server.builder().login_timeout(Duration::from_millis(300)).build().unwrap();
    let before = Instant::now();
    assert_eq!(client.login().start().unwrap_err().kind(), ErrorKind::Expired);
    assert!(before.elapsed() >= Duration::from_millis(300) && before.elapsed() < AT_ONCE);
}

#[test]
fn a_poll_whose_turn_comes_after_the_expiry_is_never_sent_and_ends_the_login() {
    let server = Server::new(json!({"interval": 1, "expires_in": 4, "enforce_interval": 0}));
    let (login, _) = started(&server.client());
    // Nobody drives the poll between the moment it was asked for and the end of the code.
    step_until(&login, |step| matches!(step, Ok(Step::Waiting { due_in, .. }) if due_in.is_zero())).unwrap();
    std::thread::sleep(Duration::from_secs(4));
    let expired = step_until(&login, |step| !is_waiting(step)).unwrap_err();
    assert_eq!(expired.kind(), ErrorKind::Expired);
    assert_eq!(server.requests("token", 0).len(), 0);
}
