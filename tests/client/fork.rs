//! A fork in the middle of a login: the child is told, the parent goes on.
#![allow(unsafe_code, reason = "fork has no safe form")]

use std::{
    future::Future,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cli_auth::ErrorKind;
use nix::{
    libc,
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};
use serde_json::json;

use crate::support::{Server, started};

/// Runs `child` in a forked process and returns its exit status.
fn in_child(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child runs only code that this test wants to prove fit for it, and leaves without unwinding.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
            // SAFETY: ends the process without running the parent's exit handlers.
            unsafe { libc::_exit(status) }
        }
        ForkResult::Parent { child } => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, status) => status,
            other => panic!("{other:?}"),
        },
    }
}

#[test]
fn the_child_makes_its_own_logins_and_the_parent_goes_on() {
    let server = Server::new(json!({"tls": "good", "interval": 1}));
    let client = server.client();
    let (login, _) = started(&client);
    assert!(login.step(Duration::ZERO).is_ok());

    let status = in_child(|| {
        if login.step(Duration::ZERO).unwrap_err().kind() != ErrorKind::Forked {
            return 1;
        }
        if login.start().unwrap_err().kind() != ErrorKind::Forked {
            return 3;
        }
        login.cancel();
        if client.login().start().is_err() {
            return 2;
        }
        // What was inherited is dropped here, with an engine of the child's beside it.
        drop((login.clone(), client.clone()));
        0
    });
    assert_eq!(status, 0);

    let waiter = std::thread::spawn(move || login.poll(drop));
    for _ in 0..2 {
        server.answer("approve");
    }
    assert!(waiter.join().unwrap().is_ok());
}

#[test]
fn the_child_may_drop_all_that_it_inherited() {
    let server = Server::new(json!({"tls": "good", "interval": 1}));
    let client = server.client();
    let (login, _) = started(&client);
    let held = std::sync::Mutex::new(Some((login.clone(), client)));
    let status = in_child(|| {
        drop(held.lock().unwrap().take());
        0
    });
    assert_eq!(status, 0);
    server.answer("approve");
    assert!(login.poll(drop).is_ok());
}

#[test]
fn a_step_that_was_begun_before_the_fork_ends_in_the_child() {
    let server = Server::new(json!({"interval": 1}));
    let (login, _) = started(&server.client());
    let mut context = Context::from_waker(Waker::noop());
    let mut step = Box::pin(login.step_async(Duration::MAX));
    assert!(step.as_mut().poll(&mut context).is_pending());
    let held = std::sync::Mutex::new(step);
    let status =
        in_child(|| match held.lock().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Forked => 0,
            Poll::Ready(_) => 1,
            Poll::Pending => 2,
        });
    assert_eq!(status, 0);
}
