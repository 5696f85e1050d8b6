//! A refresh or a revocation under way, for hosts that wait in slices of their own.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError, TryLockError},
    time::Duration,
};

use crate::{
    Error, ErrorKind,
    client::{ended, internal},
    engine::{Cancel, Engine, Task, take_turns},
};

/// One request of a client. Dropping it ends the request.
pub(crate) struct Exchange<T> {
    engine: Arc<Engine>,
    cancel: Arc<Cancel>,
    /// `None` once its answer was given.
    task: Mutex<Option<Task<Result<T, Error>>>>,
}

/// What a wait for the answer found.
enum Found<T> {
    Answer(T),
    Cancelled,
    NotYet,
}

impl<T> Exchange<T> {
    pub(crate) fn new(engine: Arc<Engine>, task: Task<Result<T, Error>>) -> Result<Self, Error> {
        let cancel = Arc::new(Cancel::default());
        engine.watch(&cancel).map_err(internal)?;
        Ok(Self { engine, cancel, task: Mutex::new(Some(task)) })
    }

    /// Ends the request: the step that waits for it returns at once. Wait-free, from any thread and from a signal handler.
    /// Whether the server saw it, nobody knows. An answer that is there already is still given.
    #[cfg_attr(not(feature = "capi"), expect(dead_code, reason = "other hosts look in between two slices"))]
    pub(crate) fn cancel(&self) {
        self.cancel.set();
    }

    /// Lets go of it, also of its connection.
    #[cfg(feature = "capi")]
    pub(crate) fn end(self) {
        let engine = Arc::clone(&self.engine);
        drop(self);
        if engine.is_ours() {
            let _ = engine.block_on(false, take_turns());
        }
    }

    /// Waits for the answer, at most so long. `None`: not yet. The answer is given once.
    pub(crate) fn step(&self, max_wait: Duration) -> Result<Option<T>, Error> {
        if !self.engine.is_ours() {
            return Err(Error::new(
                ErrorKind::Forked,
                "the process was forked after this request was sent: send it again in the child",
            ));
        }
        let mut slot = match self.task.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Busy, "another call waits for this request already"));
            }
        };
        let Some(task) = slot.as_mut() else {
            return Err(if self.cancel.is_set() {
                cancelled()
            } else {
                Error::config("the answer to this request was given already")
            });
        };
        let wait = async {
            tokio::select! {
                biased;
                // First: what a refresh brings may be the only token that still works.
                answer = task => Found::Answer(answer),
                () = self.cancel.cancelled() => Found::Cancelled,
                () = tokio::time::sleep(max_wait) => Found::NotYet,
            }
        };
        let found = self.engine.block_on(true, wait).map_err(internal)?;
        if matches!(found, Found::NotYet) {
            return Ok(None);
        }
        *slot = None;
        match found {
            Found::Answer(answer) => answer.unwrap_or_else(ended).map(Some),
            Found::Cancelled | Found::NotYet => {
                // The connection closes now, and not when somebody drives the engine again.
                self.engine.block_on(false, take_turns()).map_err(internal)?;
                Err(cancelled())
            }
        }
    }
}

impl<T> Drop for Exchange<T> {
    fn drop(&mut self) {
        if !self.engine.is_ours() {
            // It belongs to the parent's engine.
            mem::forget(self.task.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the request was cancelled")
}
