//! The results of a step of a login.

use std::sync::Arc;

use cli_auth::host;

use super::{prompt::Prompt, tokens::Tokens};

/// The result of a step.
#[derive(uniffi::Enum)]
pub(crate) enum Step {
    /// The server issued a code.
    Prompt {
        /// The prompt to show to the user.
        prompt: Arc<Prompt>,
    },
    /// Progress that the user may want to see.
    Event {
        /// The event.
        event: Event,
    },
    /// The step has nothing to report yet.
    Waiting {
        /// The time until the next action of the login, in seconds. 0 while a request is in flight.
        due_in: f64,
    },
    /// The user approved.
    Authorized {
        /// The tokens that the server issued.
        tokens: Arc<Tokens>,
    },
}

/// An event that a login reports while it waits. Times are in seconds.
#[derive(uniffi::Enum)]
pub(crate) enum Event {
    /// The user has not approved yet.
    Pending {
        /// The time until the next poll.
        next_poll_in: f64,
        /// The time until the code expires.
        expires_in: f64,
    },
    /// The server asked for a longer polling interval.
    SlowedDown {
        /// The new interval.
        interval: f64,
    },
    /// A poll failed; the login continues and polls again.
    Retrying {
        /// The cause, for programs: `http_502`, `timeout`, …
        reason: String,
        /// The number of consecutive failures, starting at 1.
        attempt: u32,
        /// The time until the next poll.
        retry_in: f64,
        /// The request ID from the server, sanitised.
        request_id: Option<String>,
    },
    /// The machine was suspended and has resumed.
    Resumed {
        /// How long it was suspended.
        suspended_for: f64,
    },
    /// The user approved, but the ID token was not verified. The tokens follow.
    IdentityUnverified {
        /// Why: a sentence for the user.
        message: String,
    },
}

impl From<host::Step> for Step {
    fn from(step: host::Step) -> Self {
        match step {
            host::Step::Prompt(prompt) => Self::Prompt { prompt: Arc::new(Prompt(prompt)) },
            host::Step::Event(event) => Self::Event { event: event.into() },
            host::Step::Waiting(due_in) => Self::Waiting { due_in },
            host::Step::Authorized(tokens) => Self::Authorized { tokens: Arc::new(Tokens(tokens)) },
        }
    }
}

impl From<host::Event> for Event {
    fn from(event: host::Event) -> Self {
        match event {
            host::Event::Pending { next_poll_in, expires_in } => Self::Pending { next_poll_in, expires_in },
            host::Event::SlowedDown { interval } => Self::SlowedDown { interval },
            host::Event::Retrying { reason, attempt, retry_in, request_id } => {
                Self::Retrying { reason, attempt, retry_in, request_id }
            }
            host::Event::Resumed { suspended_for } => Self::Resumed { suspended_for },
            host::Event::IdentityUnverified { message } => Self::IdentityUnverified { message },
        }
    }
}
