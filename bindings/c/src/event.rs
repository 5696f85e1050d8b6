//! What a login reports while it waits.

use std::ffi::{CString, c_char};

use super::text::{copy, lend};
use cli_auth::host::Event;

/// Nobody has approved yet.
pub const CLI_AUTH_EVENT_PENDING: i32 = 1;
/// The server asked for more time between polls.
pub const CLI_AUTH_EVENT_SLOWED_DOWN: i32 = 2;
/// The server was not reached or could not answer. The login goes on by itself.
pub const CLI_AUTH_EVENT_RETRYING: i32 = 3;
/// The machine was asleep.
pub const CLI_AUTH_EVENT_RESUMED: i32 = 4;

/// Something that a user may want to see while a login waits. None of them needs a reaction. It holds no text of the server
/// and no secret.
///
/// It is borrowed: from the call of the callback, or from its step. It does not change, and all threads may read it. All of
/// its functions take NULL. Times are in seconds.
#[derive(Default)]
pub struct cli_auth_event {
    kind: i32,
    next_poll_in: f64,
    expires_in: f64,
    interval: f64,
    reason: Option<CString>,
    attempt: u32,
    retry_in: f64,
    suspended_for: f64,
}

impl From<Event> for cli_auth_event {
    fn from(event: Event) -> Self {
        match event {
            Event::Pending { next_poll_in, expires_in } => {
                Self { kind: CLI_AUTH_EVENT_PENDING, next_poll_in, expires_in, ..Self::default() }
            }
            Event::SlowedDown { interval } => {
                Self { kind: CLI_AUTH_EVENT_SLOWED_DOWN, interval, ..Self::default() }
            }
            Event::Retrying { reason, attempt, retry_in } => Self {
                kind: CLI_AUTH_EVENT_RETRYING,
                reason: Some(copy(&reason)),
                attempt,
                retry_in,
                ..Self::default()
            },
            Event::Resumed { suspended_for } => {
                Self { kind: CLI_AUTH_EVENT_RESUMED, suspended_for, ..Self::default() }
            }
        }
    }
}

/// What happened. Kinds are only ever added: pass over one that you do not know.
///
/// @param event The event.
/// @return One of `CLI_AUTH_EVENT_...`; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_kind(event: Option<&cli_auth_event>) -> i32 {
    event.map_or(0, |event| event.kind)
}

/// `CLI_AUTH_EVENT_PENDING`: until the next poll.
///
/// @param event The event.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_next_poll_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.next_poll_in)
}

/// `CLI_AUTH_EVENT_PENDING`: until the code is worthless.
///
/// @param event The event.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_expires_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.expires_in)
}

/// `CLI_AUTH_EVENT_SLOWED_DOWN`: the new interval, for this and all later polls.
///
/// @param event The event.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_interval(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.interval)
}

/// `CLI_AUTH_EVENT_RETRYING`: what went wrong, in a word for programs: `http_502` (any status), `timeout`, `dns`, `connect`,
/// `connection_lost`, `tls`, `malformed_response`. Words are only ever added.
///
/// @param event The event.
/// @return The word; NULL for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_reason(event: Option<&cli_auth_event>) -> *const c_char {
    lend(event.and_then(|event| event.reason.as_ref()))
}

/// `CLI_AUTH_EVENT_RETRYING`: how many times in a row something went wrong, from 1.
///
/// @param event The event.
/// @return The number; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_attempt(event: Option<&cli_auth_event>) -> u32 {
    event.map_or(0, |event| event.attempt)
}

/// `CLI_AUTH_EVENT_RETRYING`: until the next poll.
///
/// @param event The event.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_retry_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.retry_in)
}

/// `CLI_AUTH_EVENT_RESUMED`: how long the machine slept.
///
/// @param event The event.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_suspended_for(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.suspended_for)
}
