//! A flow in progress, for a host that waits in slices of its own.

use std::{
    sync::{Arc, Mutex, PoisonError, TryLockError},
    time::Duration,
};

use super::{
    driver::{Driver, Progress},
    environment::{Environment, Lease, no_resource},
};
use crate::{
    Error, ErrorKind,
    engine::Cancel,
    process::{Local, forked},
    protocol::flow::Flow,
};

/// A refresh or a revocation in progress. Dropping it ends the request.
pub(crate) struct InFlight<T> {
    environment: Arc<Environment>,
    cancel: Arc<Cancel>,
    /// `None` once the outcome was returned.
    request: Local<Mutex<Option<Sent<T>>>>,
}

struct Sent<T> {
    driver: Driver<T>,
    /// Dropped after the driver.
    _lease: Lease,
}

impl<T: Clone> InFlight<T> {
    /// Sends the request.
    pub(crate) fn begin(
        environment: Arc<Environment>,
        flow: impl Flow<Output = T> + 'static,
    ) -> Result<Self, Error> {
        let cancel = Arc::new(Cancel::default());
        environment.engine.watch(&cancel).map_err(no_resource)?;
        let mut driver = Driver::new(flow, "request").keeping_failures();
        let lease = Lease::new(&environment);
        driver.begin(&environment);
        Ok(Self {
            environment,
            cancel,
            request: Local::new(Mutex::new(Some(Sent { driver, _lease: lease }))),
        })
    }

    /// See [`RefreshRequest::cancel`](crate::host::RefreshRequest::cancel).
    pub(crate) fn cancel(&self) {
        self.cancel.set();
    }

    /// Waits for the outcome for at most `max_wait`. Returns `None`
    /// if there is no outcome yet. The outcome is returned once.
    pub(crate) fn step(&self, max_wait: Duration) -> Result<Option<T>, Error> {
        let Some(request) = self.request.get() else {
            return Err(forked("this request was sent: send it again in the child"));
        };
        let mut slot = match request.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Busy, "another call waits for this request already"));
            }
        };
        let Some(Sent { driver, .. }) = slot.as_mut() else {
            return Err(if self.cancel.is_set() {
                Error::new(ErrorKind::Cancelled, "the request was cancelled")
            } else {
                Error::misuse("the outcome of this request was returned already")
            });
        };
        loop {
            let step = driver.step(&self.environment, &self.cancel, max_wait);
            match self.environment.engine.block_on(true, step).map_err(no_resource)? {
                Progress::Outcome(outcome) => {
                    *slot = None;
                    return outcome.map(Some);
                }
                // The outcome follows without a wait.
                Progress::Notice(_) => {}
                Progress::Waiting(_) => return Ok(None),
            }
        }
    }
}
