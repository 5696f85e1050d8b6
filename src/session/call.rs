//! One call for a token among those of this process: it leads a refresh, or shares the outcome of another one.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    core::Core,
    event::SessionEvent,
    gate::{Lead, Seat},
    judgement::Ask,
    policy::Given,
    refresh::{LOCK_WAIT, Operation, Phase, cancelled, ending},
};
use crate::{
    Error, ErrorKind, RefreshOptions,
    engine::{Cancel, Detached},
    flow::{Environment, no_resource},
};

/// How long a cancelled call waits for tokens whose request was sent.
const AFTER_CANCEL: Duration = Duration::from_secs(2);

/// One call for a token that may need the network.
pub(super) struct Call<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) environment: &'a Arc<Environment>,
    pub(super) ask: &'a Ask,
    pub(super) refresh: &'a RefreshOptions,
    pub(super) cancel: &'a Arc<Cancel>,
}

/// An operation on the worker. Dropping this ends the operation, unless that could lose tokens.
struct Handed {
    task: Detached<(Result<Given, Error>, Vec<SessionEvent>)>,
    phase: Arc<Phase>,
}

impl Drop for Handed {
    fn drop(&mut self) {
        if self.phase.abandon() {
            self.task.abort();
        }
    }
}

type Running = Pin<Box<dyn Future<Output = (Result<Given, Error>, Vec<SessionEvent>)> + Send>>;

impl Call<'_> {
    /// Leads a refresh, or shares the outcome of the one that is under way.
    pub(super) async fn run(self, is_async: bool, events: &mut Vec<SessionEvent>) -> Result<Given, Error> {
        loop {
            if self.cancel.is_set() {
                return Err(cancelled());
            }
            match self.core.gate.enter(&self.ask.variant)? {
                Seat::Lead(lead) => return self.lead(lead, is_async, events).await,
                Seat::Follow(variant, mut outcome) => {
                    // Nobody waits who has a token that is good enough.
                    if let Some(given) = self.without_network(is_async, events) {
                        return given;
                    }
                    let shared = async {
                        match timeout(LOCK_WAIT, outcome.wait_for(Option::is_some)).await {
                            Ok(Ok(outcome)) => outcome.clone(),
                            // The leader is gone.
                            Ok(Err(_)) => None,
                            Err(_) => Some(Err(Error::new(
                                ErrorKind::Busy,
                                "another call of this program is refreshing this session: try again later",
                            ))),
                        }
                    };
                    tokio::select! {
                        biased;
                        () = self.cancel.cancelled() => return Err(cancelled()),
                        outcome = shared => match outcome {
                            Some(outcome) if variant == self.ask.variant && self.satisfies(&outcome) => {
                                return outcome.map(|given| Given { refreshed: false, ..given });
                            }
                            _ => {}
                        },
                    }
                    // What was received may be what this call wants.
                    if let Some(given) = self.without_network(is_async, events) {
                        return given;
                    }
                }
            }
        }
    }

    fn without_network(
        &self,
        is_async: bool,
        events: &mut Vec<SessionEvent>,
    ) -> Option<Result<Given, Error>> {
        let reads_here = !is_async || self.core.backing.is_of_program();
        self.core.without_network(self.ask, reads_here, events)
    }

    /// Whether the outcome of another call is that of this one.
    fn satisfies(&self, outcome: &Result<Given, Error>) -> bool {
        match outcome {
            Ok(given) => self.ask.accepts(&given.access, given.refreshed, self.core.now()),
            // It was not this call that was cancelled.
            Err(error) => error.kind() != ErrorKind::Cancelled,
        }
    }

    async fn lead(&self, lead: Lead, is_async: bool, events: &mut Vec<SessionEvent>) -> Result<Given, Error> {
        let phase = Arc::new(Phase::default());
        let operation = Operation {
            core: Arc::clone(self.core),
            environment: Arc::clone(self.environment),
            ask: self.ask.clone(),
            options: self.refresh.clone(),
            phase: Arc::clone(&phase),
            lead,
        };
        let mut running: Running = Box::pin(operation.run());
        if is_async && !self.core.backing.is_of_program() {
            let task = self.environment.engine.hand_over(running).map_err(no_resource)?;
            let mut handed = Handed { task, phase };
            return tokio::select! {
                biased;
                () = self.cancel.cancelled() => {
                    if !handed.phase.abandon()
                        && let Ok(Ok((_, more))) = timeout(AFTER_CANCEL, &mut handed.task).await
                    {
                        events.extend(more);
                    }
                    Err(cancelled())
                }
                outcome = &mut handed.task => {
                    let (result, more) = outcome.map_err(|_| ending())?;
                    events.extend(more);
                    result
                }
            };
        }
        let outcome = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            outcome = &mut running => Some(outcome),
        };
        match outcome {
            Some((result, more)) => {
                events.extend(more);
                result
            }
            None => {
                if !phase.abandon() {
                    self.finish_cancelled(running, events).await;
                }
                Err(cancelled())
            }
        }
    }

    /// Lets a refresh that was sent come to its end, first here and then on the worker.
    async fn finish_cancelled(&self, mut running: Running, events: &mut Vec<SessionEvent>) {
        match timeout(AFTER_CANCEL, &mut running).await {
            Ok((_, more)) => events.extend(more),
            // The store of the program is not used on the worker. What the request brings stays in memory.
            Err(_) if self.core.backing.is_of_program() => {
                events.push(SessionEvent::NotSaved { error: cancelled() });
                let _ = self.environment.engine.start_worker();
            }
            Err(_) => {
                let _ = self.environment.engine.hand_over(running);
            }
        }
    }
}
