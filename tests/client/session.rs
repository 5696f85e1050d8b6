//! Sessions: one refresh for all callers, and tokens that no cancelled caller loses.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use cli_auth::{
    CancelToken, Client, ErrorKind, ErrorReason, Protection, Secret, Session, SessionBuilder, SessionEvent,
    SessionState, Store, StoreLock, TokenOptions,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    asynchronous::block_on,
    support::{PATIENCE, Server, patient, started},
};

/// A directory for sessions.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn builder(&self, client: &Client) -> SessionBuilder {
        client.session().app("test").directory(self.path()).protection(Protection::File)
    }

    fn session(&self, client: &Client) -> Session {
        self.builder(client).build().unwrap()
    }
}

fn log_in(client: &Client, session: &Session) {
    session.save(&started(client).0.poll(drop).unwrap()).unwrap();
}

/// Asks for a token that is valid for longer than the current one.
fn longer() -> TokenOptions {
    TokenOptions::new().min_validity(Duration::from_secs(295))
}

/// A server whose access tokens are due for [`longer`] some seconds after they were issued.
fn server(script: serde_json::Value) -> Server {
    Server::new(json!({
        "interval": 1, "answer": "approve", "access_token_expires_in": 297, "script": script,
    }))
}

/// Waits until the access token of a new login is due for [`longer`].
fn wait_until_due(session: &Session) {
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
fn cancelling_a_call_that_waits_for_another_process_ends_it_at_once() {
    let server = server(json!({}));
    let (client, place) = (server.client(), Place::new());
    let session = place.session(&client);
    log_in(&client, &session);
    wait_until_due(&session);
    let lock = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.extension().is_some_and(|it| it == "lock")).unwrap();
    let held = std::fs::File::open(lock).unwrap();
    let _held = nix::fcntl::Flock::lock(held, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let cancel = CancelToken::new();
    thread::scope(|scope| {
        let call = scope.spawn(|| session.token_with(&longer().cancel_token(&cancel)).unwrap_err());
        thread::sleep(Duration::from_millis(100));
        let at = Instant::now();
        cancel.cancel();
        assert_eq!(call.join().unwrap().kind(), ErrorKind::Cancelled);
        assert!(at.elapsed() < Duration::from_secs(1), "{:?}", at.elapsed());
    });
    assert!(server.requests("refresh", 0).is_empty());
}

/// A store of the program's own that remembers which threads called it.
#[derive(Default)]
struct Vault {
    record: Mutex<Option<Secret>>,
    lock: Arc<Mutex<bool>>,
    threads: Mutex<Vec<ThreadId>>,
    full: Mutex<bool>,
}

struct VaultLock(Arc<Mutex<bool>>);

impl Drop for VaultLock {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = false;
    }
}

/// The store that the session owns.
struct Shelf(Arc<Vault>);

impl Store for Shelf {
    fn load(&self) -> io::Result<Option<Secret>> {
        self.0.threads.lock().unwrap().push(thread::current().id());
        Ok(self.0.record.lock().unwrap().clone())
    }

    fn replace(&self, current: Option<&Secret>, new: &Secret) -> io::Result<bool> {
        self.0.threads.lock().unwrap().push(thread::current().id());
        if *self.0.full.lock().unwrap() {
            return Err(io::Error::other("the vault is full"));
        }
        let mut record = self.0.record.lock().unwrap();
        if record.as_ref() != current {
            return Ok(false);
        }
        *record = Some(new.clone());
        Ok(true)
    }

    fn remove(&self) -> io::Result<bool> {
        Ok(self.0.record.lock().unwrap().take().is_some())
    }

    fn try_lock(&self) -> io::Result<Option<StoreLock>> {
        let mut is_taken = self.0.lock.lock().unwrap();
        if *is_taken {
            return Ok(None);
        }
        *is_taken = true;
        Ok(Some(StoreLock::new(VaultLock(Arc::clone(&self.0.lock)))))
    }
}

// proves: C-50, C-51, C-52
#[test]
fn a_store_of_the_program_is_used_on_the_callers_thread_only() {
    let server = server(json!({}));
    let (client, vault) = (server.client(), Arc::new(Vault::default()));
    let not_saved = Arc::new(AtomicUsize::new(0));
    let session = client
        .session()
        .app("test")
        .store(Shelf(Arc::clone(&vault)))
        .on_event({
            let (not_saved, here) = (Arc::clone(&not_saved), thread::current().id());
            move |event| {
                assert_eq!(thread::current().id(), here);
                if matches!(event, SessionEvent::NotSaved { .. }) {
                    not_saved.fetch_add(1, Ordering::SeqCst);
                }
            }
        })
        .build()
        .unwrap();
    log_in(&client, &session);
    assert_eq!(session.status().unwrap().protection(), Some("program"));
    let first = session.token().unwrap();
    let second = block_on(session.refused_async(first.secret())).unwrap();
    assert_ne!(first.secret(), second.secret());

    // The vault is full: the tokens count, and the next call saves them.
    *vault.full.lock().unwrap() = true;
    let third = session.refused(second.secret()).unwrap();
    assert_eq!(not_saved.load(Ordering::SeqCst), 1);
    assert_eq!(session.token().unwrap().secret(), third.secret());
    assert!(!vault.record.lock().unwrap().as_ref().unwrap().expose().contains(third.expose()));
    *vault.full.lock().unwrap() = false;
    assert_eq!(session.token().unwrap().secret(), third.secret());
    assert!(vault.record.lock().unwrap().as_ref().unwrap().expose().contains(third.expose()));

    let here = thread::current().id();
    assert!(vault.threads.lock().unwrap().iter().all(|thread| *thread == here));
    assert!(session.log_out().unwrap().removed());
    assert!(vault.record.lock().unwrap().is_none());
    assert_eq!(session.token().unwrap_err().reason(), Some(ErrorReason::NotLoggedIn));
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
    let tokens = {
        let (login, _) = started(&client);
        login.poll(drop)
    };
    let Ok(tokens) = tokens else { return };
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
