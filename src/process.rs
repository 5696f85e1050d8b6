//! Which process this is, and what a fork means for its objects.
//!
//! A fork copies every object into the child but none of the threads, and descriptors such as an epoll instance stay
//! shared with the parent. Values that a child must not touch are kept in a [`Local`]. Locks that another thread may
//! have held at the fork are taken with [`lock`].

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::Duration,
};

use crate::{Error, ErrorKind};

/// The maximum wait for a lock. A lock that another thread held while this process was forked is never released.
const LOST_LOCK: Duration = Duration::from_secs(1);

/// A process, identified by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// Returns the current process. Async-signal-safe.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }

    #[cfg(feature = "__host")]
    pub(crate) fn id(self) -> u32 {
        self.0
    }
}

/// A value that belongs to the process that created it. In a forked child it is neither accessible nor dropped.
#[derive(Debug)]
pub(crate) struct Local<T> {
    process: Process,
    /// `None` once it has been taken.
    value: Option<T>,
}

impl<T> Local<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { process: Process::current(), value: Some(value) }
    }

    /// Returns whether this process created the value.
    pub(crate) fn is_ours(&self) -> bool {
        self.process.is_current()
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.is_ours())
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        let is_ours = self.is_ours();
        self.value.as_mut().filter(|_| is_ours)
    }

    /// Moves the value out, to be dropped by the caller. In a forked child it is leaked instead.
    pub(crate) fn take(&mut self) -> Option<T> {
        let value = self.value.take();
        if self.is_ours() {
            return value;
        }
        mem::forget(value);
        None
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Returns the error for the use of something that another process created. `what` names it and says what to do.
pub(crate) fn forked(what: &str) -> Error {
    Error::new(ErrorKind::Forked, format!("the process was forked after {what}"))
}

/// Takes a lock that is only held briefly. In a forked child, the lock may be held permanently by a thread that does
/// not exist there: this function then returns an error instead of hanging.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Error> {
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) if waited >= LOST_LOCK => {
                return Err(Error::new(
                    ErrorKind::Forked,
                    "the process was forked while this client was busy: make a new client",
                ));
            }
            Err(TryLockError::WouldBlock) => {
                let pause = Duration::from_millis(1);
                thread::sleep(pause);
                waited = waited.saturating_add(pause);
            }
        }
    }
}
