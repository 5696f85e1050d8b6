//! A fork during a login: the child gets an error and the parent continues.
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
    // SAFETY: the child runs only the code under test and exits without unwinding.
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
fn the_child_can_start_new_logins_and_the_parent_continues() {
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
        // Drops the inherited values while the child has an engine of its own.
        drop((login.clone(), client.clone()));
        0
    });
    assert_eq!(status, 0);

    let waiter = std::thread::spawn(move || login.poll(drop));
    for _ in 0..2 {
        server.set_decision("approve");
    }
    assert!(waiter.join().unwrap().is_ok());
}

#[test]
fn the_child_may_drop_inherited_values() {
    let server = Server::new(json!({"tls": "good", "interval": 1}));
    let client = server.client();
    let (login, _) = started(&client);
    let held = std::sync::Mutex::new(Some((login.clone(), client)));
    let status = in_child(|| {
        drop(held.lock().unwrap().take());
        0
    });
    assert_eq!(status, 0);
    server.set_decision("approve");
    assert!(login.poll(drop).is_ok());
}

#[test]
fn a_step_begun_before_the_fork_fails_in_the_child() {
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
