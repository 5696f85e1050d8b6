//! Sessions: one refresh for all callers, and tokens that no cancelled caller loses.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use cli_auth::{
    CancelToken, Client, ErrorKind, ErrorReason, Protection, Secret, Session, SessionBuilder, SessionState,
    TokenOptions,
};
use nix::fcntl::{Flock, FlockArg};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    asynchronous::block_on,
    support::{PATIENCE, Server, patient, started},
};

/// A directory for sessions.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn builder(&self, client: &Client) -> SessionBuilder {
        client.session().app("test").directory(self.path()).protection(Protection::File)
    }

    pub(crate) fn session(&self, client: &Client) -> Session {
        self.builder(client).build().unwrap()
    }
}

pub(crate) fn log_in(client: &Client, session: &Session) {
    session.save(&started(client).0.poll(drop).unwrap()).unwrap();
}

/// Asks for a token that is valid for longer than the current one.
pub(crate) fn longer() -> TokenOptions {
    TokenOptions::new().min_validity(Duration::from_secs(295))
}

/// A server whose access tokens are due for [`longer`] some seconds after they were issued.
pub(crate) fn server(script: serde_json::Value) -> Server {
    Server::new(json!({
        "interval": 1, "answer": "approve", "access_token_expires_in": 297, "script": script,
    }))
}

/// Waits until the access token of a new login is due for [`longer`].
pub(crate) fn wait_until_due(session: &Session) {
    let end = Instant::now() + PATIENCE;
    while session.status().unwrap().expires_in().unwrap() >= Duration::from_secs(295) {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
}

// proves: C-10
#[test]
fn a_hundred_threads_make_one_refresh() {
    let server = server(json!({"refresh": [{"delay": 0.3}]}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    wait_until_due(&session);
    let barrier = Arc::new(Barrier::new(100));
    let threads: Vec<_> = (0..100)
        .map(|number| {
            // Half of them have a session object, and a client, of their own.
            let session = if number % 2 == 0 { session.clone() } else { place.session(&server.client()) };
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                barrier.wait();
                session.token_with(&longer()).unwrap()
            })
        })
        .collect();
    let tokens: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(tokens.iter().all(|token| token.secret() == tokens[0].secret()));
    assert_eq!(tokens.iter().filter(|token| token.was_refreshed()).count(), 1);
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

// proves: C-10, C-7
#[test]
fn fifty_tasks_whose_token_was_refused_make_one_refresh() {
    let server = server(json!({"refresh": [{"delay": 0.2}]}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    let refused = session.token().unwrap();
    let tokens: Vec<_> = thread::scope(|scope| {
        let call = || block_on(session.refused_async(refused.secret())).unwrap();
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(
        tokens.iter().all(|token| token.secret() == tokens[0].secret() && token.secret() != refused.secret())
    );
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

// proves: C-21
#[test]
fn a_cancelled_call_saves_what_it_has_sent() {
    for delay in [0.4, 3.0] {
        let server = server(json!({"refresh": [{"delay": delay}]}));
        let (client, place) = (server.client(), Place::new());
        let session = place.session(&client);
        log_in(&client, &session);
        wait_until_due(&session);
        let cancel = CancelToken::new();
        let began = Instant::now();
        let error = thread::scope(|scope| {
            let call = scope.spawn(|| session.token_with(&longer().cancel_token(&cancel)).unwrap_err());
            server.requests("refresh", 1);
            cancel.cancel();
            call.join().unwrap()
        });
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_is_saved_without_a_request(&server, &place);
    }
}

// proves: C-21
#[test]
fn a_dropped_future_does_not_lose_what_was_sent() {
    let server = server(json!({"refresh": [{"delay": 0.4}]}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    wait_until_due(&session);
    {
        let options = longer();
        let mut call = Box::pin(session.token_with_async(&options));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        server.requests("refresh", 1);
    }
    drop((session, client));
    assert_is_saved_without_a_request(&server, &place);
}

/// Waits until the record has the tokens of the one refresh that was sent.
fn assert_is_saved_without_a_request(server: &Server, place: &Place) {
    let session = place.session(&server.client());
    let end = Instant::now() + PATIENCE;
    while session.status().unwrap().expires_in().unwrap() < Duration::from_secs(290)
        || !session.export().unwrap().unwrap().expose().contains("\"generation\":2")
    {
        assert!(Instant::now() < end, "the tokens were not saved");
        thread::sleep(Duration::from_millis(20));
    }
    session.token().unwrap();
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

// proves: C-16
#[test]
fn cancelling_calls_that_wait_for_another_process_ends_all_of_them_at_once() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    wait_until_due(&session);
    let _held = hold_lock(&place);
    let cancel = CancelToken::new();
    let options = || longer().cancel_token(&cancel);
    thread::scope(|scope| {
        let calls = [
            scope.spawn(|| session.token_with(&options()).unwrap_err()),
            scope.spawn(|| session.token_with(&options()).unwrap_err()),
            // One that does not share the lead of the others, and waits on the worker.
            scope.spawn(|| block_on(place.session(&client).token_with_async(&options())).unwrap_err()),
        ];
        thread::sleep(Duration::from_millis(100));
        let at = Instant::now();
        cancel.cancel();
        for call in calls {
            assert_eq!(call.join().unwrap().kind(), ErrorKind::Cancelled);
        }
        // Nothing was sent, so nobody waits for tokens.
        assert!(at.elapsed() < Duration::from_millis(1_500), "{:?}", at.elapsed());
    });
    assert!(server.requests("refresh", 0).is_empty());
}

/// Holds the lock of a session as another process would.
fn hold_lock(place: &Place) -> Flock<File> {
    let lock = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.extension().is_some_and(|it| it == "lock")).unwrap();
    Flock::lock(File::open(lock).unwrap(), FlockArg::LockExclusive).unwrap()
}

// proves: C-60
#[test]
fn a_logout_removes_what_a_killed_process_left() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    let record = session.status().unwrap().path().unwrap().to_owned();
    let left = place.path().join(format!("{}.new", record.file_name().unwrap().display()));
    fs::rename(&record, &left).unwrap();
    assert!(!session.log_out().unwrap().removed());
    assert!(!left.exists());
}

// proves: C-12
#[test]
fn organizations_have_tokens_of_their_own_and_one_refresh_token() {
    let server = Server::new(json!({
        "interval": 1, "answer": "approve",
        "organizations": [{"id": "org_1", "name": "One"}, {"id": "org_2", "name": "Two"}],
    }));
    let client = patient(Client::authkit("client_1")).api_base(&server.url).build().unwrap();
    let place = Place::new();
    let session = place.session(&client);
    let tokens = started(&client).0.poll(drop).unwrap();
    session.save(&tokens).unwrap();
    let plain = session.token().unwrap();
    let of = |organization: &str| {
        session.token_with(&TokenOptions::new().param("organization_id", organization)).unwrap()
    };
    let (one, two) = (of("org_1"), of("org_2"));
    assert!(one.was_refreshed() && two.was_refreshed() && one.secret() != two.secret());
    assert_eq!((of("org_1").secret(), of("org_2").secret()), (one.secret(), two.secret()));
    assert_eq!(session.token().unwrap().secret(), plain.secret());
    assert_eq!(server.requests("refresh", 2).len(), 2);
}

#[test]
fn sessions_are_listed_exported_and_imported() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    for profile in ["work", "home"] {
        let session = place.builder(&client).profile(profile).build().unwrap();
        log_in(&client, &session);
    }
    let profiles: Vec<_> =
        place.builder(&client).list().unwrap().iter().map(|status| status.profile().to_owned()).collect();
    assert_eq!(profiles, ["home", "work"]);
    let work = place.builder(&client).profile("work").build().unwrap();
    let record = work.export().unwrap().unwrap();
    let memory = || client.session().app("test").protection(Protection::Memory);
    let copy = memory().profile("work").build().unwrap();
    assert_eq!(copy.status().unwrap().state(), SessionState::None);
    copy.import(&record).unwrap();
    assert_eq!(copy.token().unwrap().secret(), work.token().unwrap().secret());
    let other = memory().profile("home").build().unwrap();
    assert_eq!(other.import(&record).unwrap_err().reason(), Some(ErrorReason::RecordForeign));
    let damaged = Secret::new(record.expose().replace("work", "home"));
    assert_eq!(other.import(&damaged).unwrap_err().reason(), Some(ErrorReason::RecordDamaged));
}

// proves: C-2
#[test]
fn a_fresh_token_needs_no_server_and_sees_the_changes_of_others() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    let (session, other) = (place.session(&client), place.session(&server.client()));
    log_in(&client, &session);
    let first = session.token().unwrap();
    for _ in 0..1_000 {
        assert_eq!(session.token().unwrap().secret(), first.secret());
    }
    assert!(server.requests("refresh", 0).is_empty());
    let second = other.refused(first.secret()).unwrap();
    assert_eq!(session.token().unwrap().secret(), second.secret());
    other.log_out().unwrap();
    assert_eq!(session.token().unwrap_err().kind(), ErrorKind::LoginRequired);
}

// proves: C-63
#[test]
fn a_login_of_another_user_than_expected_fails_and_is_revoked() {
    // In a process of its own, so that no browser opens on the machine of a developer.
    if std::env::var_os("BROWSER").is_none_or(|browser| browser != "true") {
        let name = "session::a_login_of_another_user_than_expected_fails_and_is_revoked";
        let mut again = Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", name]).env("BROWSER", "true").output().unwrap();
        let output = String::from_utf8_lossy(&output.stdout);
        assert!(output.contains("1 passed"), "{output}");
        return;
    }
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    for is_async in [false, true] {
        let session = place.builder(&client).subject("somebody_else").build().unwrap();
        let result = if is_async { block_on(session.log_in_async()) } else { session.log_in() };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidResponse);
        assert_eq!(session.status().unwrap().state(), SessionState::None);
    }
    assert_eq!(server.requests("revoke", 2).len(), 2);
}

// proves: C-8, C-16
#[test]
fn a_process_that_keeps_calling_refreshes_again_after_a_failure() {
    let server = server(json!({"refresh": [{"status": 503, "body": ""}, {"status": 503, "body": ""}]}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    wait_until_due(&session);
    let end = Instant::now() + PATIENCE;
    while session.token_with(&longer()).is_err() {
        assert!(Instant::now() < end, "it never tried again");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_login_is_put_down_and_taken_up() {
    let server = Server::new(json!({"interval": 1}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    assert_eq!(session.resume().unwrap_err().kind(), ErrorKind::Misuse);
    let prompt = session.begin().unwrap();
    let login = place.session(&server.client()).resume().unwrap();
    assert_eq!(login.prompt().unwrap().user_code(), prompt.user_code());
    assert_eq!(session.resume().unwrap_err().kind(), ErrorKind::Busy);
    server.set_decision("approve");
    session.save(&login.poll(drop).unwrap()).unwrap();
    session.token().unwrap();
    assert_eq!(session.resume().unwrap_err().kind(), ErrorKind::Misuse);
}

#[test]
fn no_secret_is_printed() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    let token = session.token().unwrap();
    let options = TokenOptions::new().refused(token.secret());
    let record = session.export().unwrap();
    let printed = format!("{session:?} {token:?} {options:?} {record:?} {:?}", session.status().unwrap());
    assert!(!printed.contains(token.expose()));
}
