//! Sessions in a store of the program's own.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use cli_auth::{
    CancelToken, Client, ErrorKind, ErrorReason, Secret, Session, SessionEvent, SessionState, Store,
    StoreLock, TokenOptions,
};
use serde_json::json;

use crate::{
    asynchronous::block_on,
    session::{log_in, server},
};

/// A store of the program's own that remembers which threads called it.
#[derive(Default)]
struct Vault {
    record: Mutex<Option<Secret>>,
    lock: Arc<Mutex<bool>>,
    threads: Mutex<Vec<ThreadId>>,
    is_full: Mutex<bool>,
    is_unreadable: Mutex<bool>,
}

struct VaultLock(Arc<Mutex<bool>>);

impl Drop for VaultLock {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = false;
    }
}

/// The store that the session owns.
struct Shelf(Arc<Vault>);

impl Vault {
    fn has(&self, token: &Secret) -> bool {
        self.record.lock().unwrap().as_ref().unwrap().expose().contains(token.expose())
    }
}

fn session(client: &Client, vault: &Arc<Vault>) -> Session {
    client.session().app("test").store(Shelf(Arc::clone(vault))).build().unwrap()
}

impl Store for Shelf {
    fn load(&self) -> io::Result<Option<Secret>> {
        self.0.threads.lock().unwrap().push(thread::current().id());
        if *self.0.is_unreadable.lock().unwrap() {
            return Err(io::Error::other("the vault does not respond"));
        }
        Ok(self.0.record.lock().unwrap().clone())
    }

    fn replace(&self, current: Option<&Secret>, new: &Secret) -> io::Result<bool> {
        self.0.threads.lock().unwrap().push(thread::current().id());
        if *self.0.is_full.lock().unwrap() {
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
    *vault.is_full.lock().unwrap() = true;
    let third = session.refused(second.secret()).unwrap();
    assert_eq!(not_saved.load(Ordering::SeqCst), 1);
    assert_eq!(session.token().unwrap().secret(), third.secret());
    assert!(!vault.has(third.secret()));
    *vault.is_full.lock().unwrap() = false;
    assert_eq!(session.token().unwrap().secret(), third.secret());
    assert!(vault.has(third.secret()));

    let here = thread::current().id();
    assert!(vault.threads.lock().unwrap().iter().all(|thread| *thread == here));
    assert!(session.log_out().unwrap().removed());
    assert!(vault.record.lock().unwrap().is_none());
    assert_eq!(session.token().unwrap_err().reason(), Some(ErrorReason::NotLoggedIn));
}

// proves: C-50
#[test]
fn tokens_that_could_not_be_saved_twice_are_not_lost() {
    let server = server(json!({}));
    let (client, vault) = (server.client(), Arc::new(Vault::default()));
    let session = session(&client, &vault);
    log_in(&client, &session);
    *vault.is_full.lock().unwrap() = true;
    let second = session.refused(session.token().unwrap().secret()).unwrap();
    let third = session.refused(second.secret()).unwrap();
    *vault.is_unreadable.lock().unwrap() = true;
    assert_eq!(session.token().unwrap().secret(), third.secret());
    *vault.is_unreadable.lock().unwrap() = false;
    *vault.is_full.lock().unwrap() = false;
    assert_eq!(session.token().unwrap().secret(), third.secret());
    assert!(vault.has(third.secret()));
    assert_eq!(server.requests("refresh", 2).len(), 2);
}

// proves: C-26, C-50
#[test]
fn tokens_that_could_not_be_saved_replace_a_record_whose_token_another_process_found_dead() {
    let server = server(json!({}));
    let (client, vault) = (server.client(), Arc::new(Vault::default()));
    let session = session(&client, &vault);
    log_in(&client, &session);
    let first = session.token().unwrap();
    *vault.is_full.lock().unwrap() = true;
    let second = session.refused(first.secret()).unwrap();
    *vault.is_full.lock().unwrap() = false;
    // Another program sends the refresh token that is in the store, which was used.
    let other = self::session(&server.client(), &vault);
    assert_eq!(other.refused(first.secret()).unwrap_err().kind(), ErrorKind::LoginRequired);
    assert_eq!(other.status().unwrap().state(), SessionState::Ended);
    assert_eq!(session.token().unwrap().secret(), second.secret());
    assert!(vault.has(second.secret()));
}

// proves: C-10, C-21
#[test]
fn a_request_whose_call_was_cancelled_is_awaited_by_the_next_call_and_not_repeated() {
    let server = server(json!({"refresh": [{"delay": 4}]}));
    let (client, vault) = (server.client(), Arc::new(Vault::default()));
    let session = session(&client, &vault);
    log_in(&client, &session);
    let first = session.token().unwrap();
    let cancel = CancelToken::new();
    thread::scope(|scope| {
        let options = TokenOptions::new().refused(first.secret()).cancel_token(&cancel);
        let session = &session;
        let call = scope.spawn(move || session.token_with(&options).unwrap_err());
        server.requests("refresh", 1);
        cancel.cancel();
        assert_eq!(call.join().unwrap().kind(), ErrorKind::Cancelled);
    });
    let second = session.refused(first.secret()).unwrap();
    assert_ne!(second.secret(), first.secret());
    assert!(vault.has(second.secret()));
    assert_eq!(server.requests("refresh", 1).len(), 1);
}

// proves: C-10, C-21
#[test]
fn a_request_whose_future_was_dropped_is_awaited_by_the_next_call_and_not_repeated() {
    let server = server(json!({"refresh": [{"delay": 1}]}));
    let (client, vault) = (server.client(), Arc::new(Vault::default()));
    let session = session(&client, &vault);
    log_in(&client, &session);
    let first = session.token().unwrap();
    {
        let mut call = Box::pin(session.refused_async(first.secret()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let end = Instant::now() + Duration::from_secs(20);
        while server.requests("refresh", 0).is_empty() {
            assert!(call.as_mut().poll(&mut context).is_pending());
            assert!(Instant::now() < end);
            thread::sleep(Duration::from_millis(5));
        }
    }
    let second = block_on(session.refused_async(first.secret())).unwrap();
    assert!(vault.has(second.secret()));
    assert_eq!(server.requests("refresh", 1).len(), 1);
}
