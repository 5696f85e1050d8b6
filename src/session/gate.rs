//! One refresh at a time among the threads and tasks of a process: one leads, the others share its outcome.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::{policy::Given, record::Variant};
use crate::{
    Error,
    process::{Process, lock},
};

/// The outcome of the leader. `None` while it is under way, or if it was dropped.
pub(super) type Outcome = Option<Result<Given, Error>>;

#[derive(Debug)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    /// In a forked child, the leader does not exist.
    process: Process,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    variant: Variant,
    outcome: watch::Receiver<Outcome>,
}

/// The place of a caller.
pub(super) enum Seat {
    Lead(Lead),
    /// Another caller leads, with these parameters.
    Follow(Variant, watch::Receiver<Outcome>),
}

/// The leader. The request that it sends has a clone: another caller leads once all are dropped.
#[derive(Clone)]
pub(super) struct Lead(Arc<Leading>);

struct Leading {
    gate: Arc<Gate>,
    process: Process,
    outcome: watch::Sender<Outcome>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { process: Process::current(), running: None }))
    }

    pub(super) fn enter(self: &Arc<Self>, variant: &Variant) -> Result<Seat, Error> {
        let mut state = lock(&self.0)?;
        if !state.process.is_current() {
            *state = State { process: Process::current(), running: None };
        }
        if let Some(running) = &state.running {
            return Ok(Seat::Follow(running.variant.clone(), running.outcome.clone()));
        }
        let (sender, receiver) = watch::channel(None);
        state.running = Some(Running { variant: variant.clone(), outcome: receiver });
        let leading = Leading { gate: Arc::clone(self), process: state.process, outcome: sender };
        Ok(Seat::Lead(Lead(Arc::new(leading))))
    }

    /// Whether a refresh is under way.
    pub(super) fn is_taken(&self) -> bool {
        lock(&self.0).is_ok_and(|state| state.process.is_current() && state.running.is_some())
    }
}

impl Lead {
    /// Ends the refresh for all who follow.
    pub(super) fn finish(self, outcome: Result<Given, Error>) {
        // Whoever hears of the outcome must be able to lead.
        self.0.release();
        let _ = self.0.outcome.send(Some(outcome));
    }
}

impl Leading {
    fn release(&self) {
        let Ok(mut state) = lock(&self.gate.0) else { return };
        let leads = |running: &Running| running.outcome.same_channel(&self.outcome.subscribe());
        if state.process == self.process && state.running.as_ref().is_some_and(leads) {
            state.running = None;
        }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.release();
    }
}
