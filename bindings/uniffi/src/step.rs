//! What a step of a login finds.

use std::sync::Arc;

use cli_auth::host;

use super::{prompt::Prompt, tokens::Tokens};

/// What one step found.
#[derive(uniffi::Enum)]
pub(crate) enum Step {
    /// The server granted a code.
    Prompt {
        /// To be shown to the person.
        prompt: Arc<Prompt>,
    },
    /// Something to tell the person.
    Event {
        /// What.
        event: Event,
    },
    /// Nothing yet.
    Waiting {
        /// How long nothing will happen, in seconds. 0 while a request is under way.
        due_in: f64,
    },
    /// The person approved.
    Authorized {
        /// What the server gave out.
        tokens: Arc<Tokens>,
    },
}

/// What a login tells while it waits. Times are in seconds.
#[derive(uniffi::Enum)]
pub(crate) enum Event {
    /// Nobody has approved yet.
    Pending {
        /// Until the next poll.
        next_poll_in: f64,
        /// Until the code is worthless.
        expires_in: f64,
    },
    /// The server asked for more time between polls.
    SlowedDown {
        /// The new interval.
        interval: f64,
    },
    /// The server was not reached or could not answer.
    Retrying {
        /// A word for programs: `http_502`, `timeout`, …
        reason: String,
        /// How many times in a row, from 1.
        attempt: u32,
        /// Until the next poll.
        retry_in: f64,
    },
    /// The machine was asleep.
    Resumed {
        /// How long it slept.
        suspended_for: f64,
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
            host::Event::Retrying { reason, attempt, retry_in } => {
                Self::Retrying { reason, attempt, retry_in }
            }
            host::Event::Resumed { suspended_for } => Self::Resumed { suspended_for },
        }
    }
}
