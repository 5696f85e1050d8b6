//! Drives one flow to its outcome in steps of bounded time.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::Instant;
use url::Url;

use super::environment::{Environment, no_resource};
use crate::{
    Error, ErrorKind,
    engine::{Cancel, Died, Task},
    protocol::{
        device::PutDown,
        flow::{Effect, Flow, Input, Notice},
        request::Request,
    },
};

/// The maximum length of one sleep. The clock used for sleeping stops while
/// the machine is suspended, so the pacing clock is read this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long a host waits for a request that wakes it and that has no limit of its own. Any timer can wait this long.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// A flow and its request in progress. Dropping it ends the request.
pub(crate) struct Driver<T> {
    flow: Box<dyn Flow<Output = T>>,
    cancelled: Error,
    /// Whether a failure that arrived before a cancel is the outcome. A success always is.
    keeps_failures: bool,
    request: Option<Task<Input>>,
    /// Woken when the request in progress ends, for a host that waits outside of the steps.
    waker: Option<Waker>,
    /// The result of the last request, until the flow receives it.
    input: Option<Input>,
    outcome: Option<Result<T, Error>>,
}

/// The result of a step.
#[derive(Debug)]
pub(crate) enum Progress<T> {
    Notice(Notice),
    /// How long nothing will happen. While a request is in progress: zero, or the longest wait for it if its end wakes
    /// the host.
    Waiting(Duration),
    /// Returned again by every later step.
    Outcome(Result<T, Error>),
}

/// The reason why a flow pauses.
enum Pause {
    Notice(Notice),
    /// Waits until this time on the clock that counts suspend, or until the request in progress ends.
    Wait(Option<Duration>),
    Ended,
}

impl<T: Clone> Driver<T> {
    /// Creates a driver. `name` is what a cancel ends, for the message to the user.
    pub(crate) fn new(flow: impl Flow<Output = T> + 'static, name: &str) -> Self {
        Self {
            flow: Box::new(flow),
            cancelled: Error::new(ErrorKind::Cancelled, format!("the {name} was cancelled")),
            keeps_failures: false,
            request: None,
            waker: None,
            input: None,
            outcome: None,
        }
    }

    /// Keeps failures, for a flow whose failure says more than that it was cancelled.
    #[cfg(feature = "__host")]
    pub(crate) fn keeping_failures(self) -> Self {
        Self { keeps_failures: true, ..self }
    }

    /// Wakes the host whenever a request ends that is in progress after a step.
    #[cfg(feature = "__host")]
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        self.waker = waker;
    }

    /// Drives the flow for at most `max_wait`, until there is something to report to the program.
    pub(crate) async fn step(
        &mut self,
        environment: &Environment,
        cancel: &Cancel,
        max_wait: Duration,
    ) -> Progress<T> {
        let end = Instant::now().checked_add(max_wait);
        loop {
            if let Some(outcome) = &self.outcome {
                return Progress::Outcome(outcome.clone());
            }
            if cancel.is_set() {
                self.end_cancelled(environment).await;
                continue;
            }
            let input = self.arrived().await.unwrap_or(Input::Tick);
            match self.advance(input, environment) {
                Pause::Notice(notice) => return Progress::Notice(notice),
                Pause::Ended => {}
                Pause::Wait(until) => {
                    if !self.wait(environment, cancel, until, end).await && !self.has_arrived() {
                        return Progress::Waiting(self.due_in(environment, until));
                    }
                }
            }
        }
    }

    /// Sends the first request without waiting.
    #[cfg(feature = "__host")]
    pub(super) fn begin(&mut self, environment: &Environment) {
        self.advance(Input::Tick, environment);
    }

    fn end(&mut self, outcome: Result<T, Error>) {
        self.request = None;
        self.outcome = Some(outcome);
    }

    /// Returns what is needed to take the flow up in another process, if it can be.
    pub(crate) fn put_down(&self) -> Option<PutDown> {
        self.flow.put_down().filter(|_| !self.has_ended())
    }

    /// Ends the flow with an error instead of its result.
    pub(crate) fn end_with(&mut self, error: Error) {
        self.end(Err(error));
    }

    /// Ends the flow as if it had been cancelled before it had a result.
    pub(crate) fn end_as_cancelled(&mut self) -> Error {
        self.end(Err(self.cancelled.clone()));
        self.cancelled.clone()
    }

    pub(crate) fn outcome(&self) -> Option<&Result<T, Error>> {
        self.outcome.as_ref()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Carries out the flow's effects until it has to wait.
    fn advance(&mut self, mut input: Input, environment: &Environment) -> Pause {
        loop {
            let effect = self.flow.advance(input, environment.clock.now());
            input = Input::Tick;
            let done = match effect {
                Effect::Discover => match environment.server.known(environment.clock.as_ref()) {
                    Ok(Some(metadata)) => {
                        input = Input::Discovered(metadata);
                        Ok(())
                    }
                    Ok(None) => self.discover(environment),
                    Err(error) => Err(error),
                },
                Effect::FetchKeys { url, renew } => {
                    match environment.server.keys.known(&url, renew, environment.clock.as_ref()) {
                        Ok(Some(keys)) => input = Input::Keys(Ok(keys)),
                        Ok(None) => {
                            if let Err(error) = self.fetch_keys(environment, url, renew) {
                                input = Input::Keys(Err(error));
                            }
                        }
                        Err(error) => input = Input::Keys(Err(error)),
                    }
                    Ok(())
                }
                Effect::Send { request, not_after } => self.send(environment, request, not_after),
                Effect::Tell(notice) => return Pause::Notice(notice),
                Effect::Wait { until: None } if self.request.is_none() => {
                    Err(Error::internal("a flow waits for no request: please report this"))
                }
                Effect::Wait { until } => return Pause::Wait(until),
                Effect::Finish(outcome) => {
                    self.end(outcome);
                    Ok(())
                }
            };
            if let Err(error) = done {
                self.end(Err(error));
            }
            if self.has_ended() {
                return Pause::Ended;
            }
        }
    }

    fn discover(&mut self, environment: &Environment) -> Result<(), Error> {
        let (server, clock) = (Arc::clone(&environment.server), Arc::clone(&environment.clock));
        let transport = environment.transport()?;
        self.spawn(environment, environment.patience, async move {
            let metadata = server.discover(transport.as_ref(), clock.as_ref()).await;
            metadata.map_or_else(Input::from, Input::Discovered)
        })
    }

    fn fetch_keys(&mut self, environment: &Environment, url: Url, renew: bool) -> Result<(), Error> {
        let (server, clock) = (Arc::clone(&environment.server), Arc::clone(&environment.clock));
        let transport = environment.transport()?;
        self.spawn(environment, environment.patience, async move {
            Input::Keys(server.keys.fetch(url, renew, transport.as_ref(), clock.as_ref()).await)
        })
    }

    /// Sends a request as soon as one of the client's connections is free, unless that is after `not_after`.
    fn send(
        &mut self,
        environment: &Environment,
        request: Request,
        not_after: Option<Duration>,
    ) -> Result<(), Error> {
        let (transport, clock) = (environment.transport()?, Arc::clone(&environment.clock));
        let left = |end: Duration| end.saturating_sub(environment.clock.now().elapsed);
        let patience = not_after.map_or(environment.patience, left);
        self.spawn(environment, patience, async move {
            if not_after.is_some_and(|end| clock.now().elapsed >= end) {
                return Input::NotSent;
            }
            transport.send(request).await.map_or_else(Input::from, Input::Reply)
        })
    }

    fn spawn(
        &mut self,
        environment: &Environment,
        patience: Duration,
        request: impl Future<Output = Input> + Send + 'static,
    ) -> Result<(), Error> {
        self.request = Some(environment.engine.spawn(patience, request).map_err(no_resource)?);
        Ok(())
    }

    /// Returns the result of the request in progress, if it has ended.
    async fn arrived(&mut self) -> Option<Input> {
        if let Some(request) = self.request.as_mut().filter(|request| request.is_finished()) {
            // Removed only after the await: if the caller drops this future there, the response must not be lost.
            let input = outcome_of(request).await;
            self.request = None;
            return Some(input);
        }
        self.input.take()
    }

    /// Sleeps until the request in progress ends, `until` is reached or the flow is cancelled. Returns `false` if `end`
    /// has passed and there is nothing new.
    async fn wait(
        &mut self,
        environment: &Environment,
        cancel: &Cancel,
        until: Option<Duration>,
        end: Option<Instant>,
    ) -> bool {
        if self.request.as_ref().is_some_and(Task::is_finished) {
            return true;
        }
        let now = Instant::now();
        if end.is_some_and(|end| end <= now) {
            return false;
        }
        let elapsed = environment.clock.now().elapsed;
        let sleep = until.map_or(LONGEST_SLEEP, |until| until.saturating_sub(elapsed).min(LONGEST_SLEEP));
        let wake_at = now.checked_add(sleep).into_iter().chain(end).min().unwrap_or(now);
        let under_way = async {
            match &mut self.request {
                Some(request) => outcome_of(request).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            input = under_way => {
                self.request = None;
                self.input = Some(input);
            }
            () = tokio::time::sleep_until(wake_at) => {}
        }
        true
    }

    /// Returns whether the request in progress has ended. If it has not, its end wakes the host.
    fn has_arrived(&mut self) -> bool {
        let (Some(waker), Some(request)) = (&self.waker, &mut self.request) else { return false };
        let Poll::Ready(input) = pin!(outcome_of(request)).poll(&mut Context::from_waker(waker)) else {
            return false;
        };
        self.request = None;
        self.input = Some(input);
        true
    }

    fn due_in(&self, environment: &Environment, until: Option<Duration>) -> Duration {
        let left = until.map(|until| until.saturating_sub(environment.clock.now().elapsed));
        match (&self.request, &self.waker) {
            (None, _) => left.unwrap_or_default(),
            (Some(_), None) => Duration::ZERO,
            (Some(_), Some(_)) => left.unwrap_or(LONGEST_WAIT),
        }
    }

    /// Drops the request in progress. If it has already ended, its response may be the outcome, which then counts. So
    /// does a result that was still being checked.
    async fn end_cancelled(&mut self, environment: &Environment) {
        let arrived = self.arrived().await;
        let outcome = match arrived.map(|input| self.flow.advance(input, environment.clock.now())) {
            Some(Effect::Finish(outcome)) if outcome.is_ok() || self.keeps_failures => outcome,
            _ => self.flow.interrupt().ok_or_else(|| self.cancelled.clone()),
        };
        self.end(outcome);
    }
}

/// Drives a flow of one request to its outcome. The caller holds a lease.
pub(crate) async fn run<T: Clone>(
    flow: impl Flow<Output = T> + 'static,
    environment: &Environment,
) -> Result<T, Error> {
    let (mut driver, never) = (Driver::new(flow, "request"), Cancel::default());
    loop {
        if let Progress::Outcome(outcome) = driver.step(environment, &never, Duration::MAX).await {
            return outcome;
        }
    }
}

/// Returns the result of a request, including one that was never sent and one whose task ended early.
async fn outcome_of(request: impl Future<Output = Result<Option<Input>, Died>>) -> Input {
    match request.await {
        Ok(input) => input.unwrap_or(Input::NotSent),
        // The request may have been sent.
        Err(Died::Panicked) => {
            Input::Failed(Error::internal("a request ended by a defect: please report this"))
        }
        Err(Died::ShutDown) => {
            Input::Failed(Error::new(ErrorKind::Cancelled, "the program is ending: this client was closed"))
        }
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
