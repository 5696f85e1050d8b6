//! A refresh or a revocation under way, for hosts that wait in slices of their own.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    Error, ErrorKind,
    client::{ended, internal},
    engine::{Engine, Task},
};

/// One request of a client. Dropping it ends the request.
pub(crate) struct Exchange<T> {
    engine: Arc<Engine>,
    /// `None` once its answer was given.
    task: Mutex<Option<Task<Result<T, Error>>>>,
}

impl<T> Exchange<T> {
    pub(crate) fn new(engine: Arc<Engine>, task: Task<Result<T, Error>>) -> Self {
        Self { engine, task: Mutex::new(Some(task)) }
    }

    /// Waits for the answer, at most so long. `None`: not yet. The answer is given once.
    pub(crate) fn step(&self, max_wait: Duration) -> Result<Option<T>, Error> {
        if !self.engine.is_ours() {
            return Err(Error::new(
                ErrorKind::Forked,
                "the process was forked after this request was sent: send it again in the child",
            ));
        }
        let Ok(mut slot) = self.task.try_lock() else {
            return Err(Error::new(ErrorKind::Busy, "another call waits for this request already"));
        };
        let Some(task) = slot.as_mut() else {
            return Err(Error::config("the answer to this request was given already"));
        };
        let wait = async { tokio::time::timeout(max_wait, task).await };
        match self.engine.block_on(true, wait).map_err(internal)? {
            Err(_not_yet) => Ok(None),
            Ok(answer) => {
                *slot = None;
                answer.unwrap_or_else(ended).map(Some)
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
