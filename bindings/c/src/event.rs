//! The events that a login reports while it waits.

use std::ffi::{CString, c_char};

use super::text::{copy, lend};
use cli_auth::host::Event;

/// The user has not approved the login yet.
pub const CLI_AUTH_EVENT_PENDING: i32 = 1;
/// The server asked for a longer interval between polls.
pub const CLI_AUTH_EVENT_SLOWED_DOWN: i32 = 2;
/// The server could not be reached or could not respond. The login continues.
pub const CLI_AUTH_EVENT_RETRYING: i32 = 3;
/// The machine was suspended.
pub const CLI_AUTH_EVENT_RESUMED: i32 = 4;
/// The user approved the login, but the ID token was not verified because the keys of the server could not be fetched.
/// The tokens follow, without an identity.
pub const CLI_AUTH_EVENT_IDENTITY_UNVERIFIED: i32 = 5;

/// What a login reports while it waits, for display to the user. The caller need not react to any event. Its texts are
/// sanitised and contain no secret.
///
/// An event is borrowed. Its owner is the step that it came from, or the library while the callback runs. It does not
/// change, and several threads may read it at once. All its functions accept NULL. Times are in seconds.
#[derive(Default)]
pub struct cli_auth_event {
    kind: i32,
    next_poll_in: f64,
    expires_in: f64,
    interval: f64,
    reason: Option<CString>,
    attempt: u32,
    retry_in: f64,
    request_id: Option<CString>,
    suspended_for: f64,
    message: Option<CString>,
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
            Event::Retrying { reason, attempt, retry_in, request_id } => Self {
                kind: CLI_AUTH_EVENT_RETRYING,
                reason: Some(copy(&reason)),
                attempt,
                retry_in,
                request_id: request_id.as_deref().map(copy),
                ..Self::default()
            },
            Event::Resumed { suspended_for } => {
                Self { kind: CLI_AUTH_EVENT_RESUMED, suspended_for, ..Self::default() }
            }
            Event::IdentityUnverified { message } => Self {
                kind: CLI_AUTH_EVENT_IDENTITY_UNVERIFIED,
                message: Some(copy(&message)),
                ..Self::default()
            },
        }
    }
}

/// Returns the kind of an event. Kinds are only ever added: ignore a kind that you do not know.
///
/// @param event The event. May be NULL.
/// @return One of `CLI_AUTH_EVENT_...`; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_kind(event: Option<&cli_auth_event>) -> i32 {
    event.map_or(0, |event| event.kind)
}

/// `CLI_AUTH_EVENT_PENDING`: returns the time until the next poll.
///
/// @param event The event. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_next_poll_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.next_poll_in)
}

/// `CLI_AUTH_EVENT_PENDING`: returns the time until the code expires.
///
/// @param event The event. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_expires_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.expires_in)
}

/// `CLI_AUTH_EVENT_SLOWED_DOWN`: returns the new interval, which applies to this and all later polls.
///
/// @param event The event. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_interval(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.interval)
}

/// `CLI_AUTH_EVENT_RETRYING`: returns the reason as a word for programs: `http_502` (or any other status), `timeout`,
/// `dns`, `connect`, `connection_lost`, `tls`, `certificate`, `malformed_response` or `blocked` (a bot check, a captive
/// portal or a gateway has responded). Words are only ever added.
///
/// @param event The event. May be NULL.
/// @return The word, borrowed from the event; NULL for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_reason(event: Option<&cli_auth_event>) -> *const c_char {
    lend(event.and_then(|event| event.reason.as_ref()))
}

/// `CLI_AUTH_EVENT_RETRYING`: returns the number of consecutive failures, starting at 1.
///
/// @param event The event. May be NULL.
/// @return The number; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_attempt(event: Option<&cli_auth_event>) -> u32 {
    event.map_or(0, |event| event.attempt)
}

/// `CLI_AUTH_EVENT_RETRYING`: returns the time until the next poll.
///
/// @param event The event. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_retry_in(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.retry_in)
}

/// `CLI_AUTH_EVENT_RETRYING`: returns the server's id of the request, as `cli_auth_error_request_id` does.
///
/// @param event The event. May be NULL.
/// @return The id, borrowed from the event; NULL if there was no response or it has none, for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_request_id(event: Option<&cli_auth_event>) -> *const c_char {
    lend(event.and_then(|event| event.request_id.as_ref()))
}

/// `CLI_AUTH_EVENT_RESUMED`: returns how long the machine was suspended.
///
/// @param event The event. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_suspended_for(event: Option<&cli_auth_event>) -> f64 {
    event.map_or(0.0, |event| event.suspended_for)
}

/// `CLI_AUTH_EVENT_IDENTITY_UNVERIFIED`: returns a sentence for the user that says why there are no keys.
///
/// @param event The event. May be NULL.
/// @return The sentence, borrowed from the event; NULL for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_event_message(event: Option<&cli_auth_event>) -> *const c_char {
    lend(event.and_then(|event| event.message.as_ref()))
}
