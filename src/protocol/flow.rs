//! What all flows share: their inputs and their effects.
//!
//! A flow is a pure state machine. The driver passes it an [`Input`] and carries out the returned [`Effect`]. An effect
//! contains everything that is needed to carry it out, so that the driver does not depend on any flow.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    device::PutDown, event::Event, grant::Grant, keys::KeySet, metadata::Metadata, reply::Reply,
    request::Request,
};
use crate::{Error, RetryReason};

/// A flow, from its first request to its outcome.
///
/// Cancelling is not an input. It ends a flow in any state and is handled by the driver.
pub(crate) trait Flow: Send {
    /// The result of a flow that succeeds.
    type Output;

    /// Advances the flow by one step. After [`Effect::Finish`] the flow has ended, and any further input is a defect.
    fn advance(&mut self, input: Input, now: Now) -> Effect<Self::Output>;

    /// Ends the flow before its outcome. Returns the result that it has received, if it was still being checked.
    fn interrupt(&mut self) -> Option<Self::Output> {
        None
    }

    /// Returns what is needed to take the flow up in another process. `None` for a flow that cannot be.
    fn put_down(&self) -> Option<PutDown> {
        None
    }
}

/// The time at which an input arrives, on two clocks with a common start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// Includes time during which the machine is suspended. All pacing and every deadline uses this clock.
    pub(crate) elapsed: Duration,
    /// Excludes time during which the machine is suspended. Used only to compute how long the machine was suspended.
    pub(crate) awake: Duration,
}

impl Now {
    /// Returns how long the machine has been suspended so far.
    pub(super) fn suspended(self) -> Duration {
        self.elapsed.saturating_sub(self.awake)
    }
}

/// An event for a flow to handle.
#[derive(Debug)]
pub(crate) enum Input {
    /// The requested metadata.
    Discovered(Arc<Metadata>),
    /// The keys of the server, or why there are none.
    Keys(Result<Arc<KeySet>, Error>),
    /// The response to the request in progress.
    Reply(Reply),
    /// The request in progress will receive no response. The error is for a flow that does not retry.
    Lost(RetryReason, Error),
    /// The request failed, and retrying does not help: for example, a certificate was refused.
    Failed(Error),
    /// The request was not sent, because all connections were in use or it was too late.
    NotSent,
    /// Time has passed.
    Tick,
}

/// What the driver does next.
#[derive(Debug)]
pub(crate) enum Effect<T> {
    /// Fetch the server's metadata.
    Discover,
    /// Fetch the server's keys. With `renew`, also if they are known: a token was signed with another one.
    FetchKeys { url: Url, renew: bool },
    /// Send this request, but not after `not_after` on the clock that includes suspended time.
    Send { request: Request, not_after: Option<Duration> },
    /// Report this to the program.
    Tell(Notice),
    /// Wait until this time on the clock that includes suspended time, or until the request in progress ends.
    Wait { until: Option<Duration> },
    /// The flow has ended.
    Finish(Result<T, Error>),
}

impl<T> Effect<T> {
    /// Returns the result of a flow that ends well, or else what to do for a flow of another result.
    #[expect(clippy::result_large_err, reason = "it is matched at once")]
    pub(super) fn into_result<U>(self) -> Result<T, Effect<U>> {
        Err(match self {
            Self::Finish(Ok(result)) => return Ok(result),
            Self::Finish(Err(error)) => Effect::Finish(Err(error)),
            Self::Discover => Effect::Discover,
            Self::FetchKeys { url, renew } => Effect::FetchKeys { url, renew },
            Self::Send { request, not_after } => Effect::Send { request, not_after },
            Self::Tell(notice) => Effect::Tell(notice),
            Self::Wait { until } => Effect::Wait { until },
        })
    }
}

/// What is reported to the program before the outcome.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The server issued a code, which must be shown to the user.
    Prompt(Grant),
    /// Progress that the program may show to the user.
    Event(Event),
}

/// Returns the error for an input that is not allowed in the current state of a flow.
pub(super) fn out_of_turn() -> Error {
    Error::internal("a response arrived for a request that was not sent: please report this")
}

/// Returns the error for a request that was not sent, in a flow that has nothing else to do.
pub(super) fn not_sent() -> Error {
    Error::new(crate::ErrorKind::Network, "too many requests of this client are under way: try again later")
}
