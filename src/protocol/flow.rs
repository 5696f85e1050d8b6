//! What every flow has in common: what happens to it, and what it wants next.
//!
//! A flow is a pure state machine. Whoever drives it hands it an [`Input`] and carries out the [`Effect`]; an effect holds
//! everything that is needed to carry it out, so that the driver knows no flow.

use std::{sync::Arc, time::Duration};

use super::{event::Event, grant::Grant, metadata::Metadata, reply::Reply, request::Request};
use crate::{Error, RetryReason};

/// A flow, from its first request to its outcome.
///
/// Cancelling is not an input: it ends a flow in every state, and belongs to the driver.
pub(crate) trait Flow: Send {
    /// What a flow that succeeds brings.
    type Output;

    /// One step. After [`Effect::Finish`] the flow is over, and every further input is a defect.
    fn advance(&mut self, input: Input, now: Now) -> Effect<Self::Output>;
}

/// The moment at which an input arrives, on two clocks with a common start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// Counts while the machine is suspended. All pacing and every deadline is measured on it.
    pub(crate) elapsed: Duration,
    /// Stands still while the machine is suspended. Only tells for how long it was.
    pub(crate) awake: Duration,
}

impl Now {
    /// How long the machine has been suspended so far.
    pub(super) fn suspended(self) -> Duration {
        self.elapsed.saturating_sub(self.awake)
    }
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The metadata that was asked for.
    Discovered(Arc<Metadata>),
    /// The response to the request under way.
    Reply(Reply),
    /// There will be no response to the request under way. The error is for a flow that does not try again.
    Lost(RetryReason, Error),
    /// Trying again would not help: a certificate was refused, for example.
    Failed(Error),
    /// The request was not sent: all connections were busy, or it was too late.
    NotSent,
    /// Time went by.
    Tick,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Effect<T> {
    /// Find out the server's metadata.
    Discover,
    /// Send this, but not after that time on the clock that counts suspend.
    Send { request: Request, not_after: Option<Duration> },
    /// Tell the program.
    Tell(Notice),
    /// Nothing to do before this time on the clock that counts suspend, or before the request under way ends.
    Wait { until: Option<Duration> },
    /// It is over.
    Finish(Result<T, Error>),
}

/// What a program is told before the outcome.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The server granted a code, which the user has to see.
    Prompt(Grant),
    /// Something that the user may want to know.
    Event(Event),
}

/// The error for an input that the state of a flow does not allow.
pub(super) fn out_of_turn() -> Error {
    Error::internal("a response arrived for a request that was not sent: please report this")
}

/// The error for a request that was not sent although nothing else was to be done.
pub(super) fn not_sent() -> Error {
    Error::new(crate::ErrorKind::Network, "too many requests of this client are under way: try again later")
}
