//! What the packages for other languages need beside the Rust API. It is not part of that API: it may change at any time,
//! and rustdoc does not show it.
//!
//! Hosts wait by themselves, outside of Rust. So a call of theirs that drives a login claims it by a number, steps it, and
//! releases it, whatever happened in between; and the requests of a client have a handle that can be stepped.
//!
//! [`Step`] and [`Event`] are exhaustive here: what is added to the public ones must be translated by every surface.
#![allow(missing_debug_implementations, reason = "hosts do not print them")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Longest PEM text that is taken, in bytes.
pub const MAX_PEM_BYTES: usize = crate::http::MAX_PEM_BYTES;
use crate::{
    Client, Error, ErrorKind, Login, Prompt, Secret, Tokens, engine::workers, flow::InFlight, login,
    protocol::token::TokenResponse,
};

/// What a step found: [`crate::Step`], with times in seconds.
pub enum Step {
    /// The server granted a code.
    Prompt(Prompt),
    /// Something that the user may want to know.
    Event(Event),
    /// Nothing for that long; 0 while a request is under way.
    Waiting(f64),
    /// The user approved.
    Authorized(Tokens),
}

/// What a login reports while it waits: [`crate::Event`], with times in seconds.
pub enum Event {
    /// See [`crate::Event::Pending`].
    Pending { next_poll_in: f64, expires_in: f64 },
    /// See [`crate::Event::SlowedDown`].
    SlowedDown { interval: f64 },
    /// See [`crate::Event::Retrying`].
    Retrying { reason: String, attempt: u32, retry_in: f64 },
    /// See [`crate::Event::Resumed`].
    Resumed { suspended_for: f64 },
}

impl From<crate::Step> for Step {
    fn from(step: crate::Step) -> Self {
        match step {
            crate::Step::Prompt(prompt) => Self::Prompt(prompt),
            crate::Step::Event(event) => Self::Event(event.into()),
            crate::Step::Waiting { due_in } => Self::Waiting(due_in.as_secs_f64()),
            crate::Step::Authorized(tokens) => Self::Authorized(tokens),
        }
    }
}

impl From<crate::Event> for Event {
    fn from(event: crate::Event) -> Self {
        match event {
            crate::Event::Pending { next_poll_in, expires_in } => Self::Pending {
                next_poll_in: next_poll_in.as_secs_f64(),
                expires_in: expires_in.as_secs_f64(),
            },
            crate::Event::SlowedDown { interval } => Self::SlowedDown { interval: interval.as_secs_f64() },
            crate::Event::Retrying { reason, attempt, retry_in } => {
                Self::Retrying { reason: reason.to_string(), attempt, retry_in: retry_in.as_secs_f64() }
            }
            crate::Event::Resumed { suspended_for } => {
                Self::Resumed { suspended_for: suspended_for.as_secs_f64() }
            }
        }
    }
}

/// Every kind of error.
pub const ERROR_KINDS: &[ErrorKind] = ErrorKind::ALL;

/// A call that drives a login for as long as this lives.
pub struct Claim<'a>(login::Claim<'a>);

impl<'a> Claim<'a> {
    /// Fails with `Busy` while another call drives the login.
    pub fn of(login: &'a Login) -> Result<Self, Error> {
        login::Claim::of(login).map(Self)
    }

    /// Fails with `Misuse` before [`Login::start`].
    pub fn must_be_started(&self) -> Result<(), Error> {
        self.0.must_be_started()
    }

    /// As [`Login::step`].
    pub fn step(&self, max_wait: Duration) -> Result<Step, Error> {
        self.0.step(max_wait).map(Step::from)
    }
}

/// A call that waits outside of Rust drives a login by a number that it chooses: not 0, below 2^63, and none that another
/// call uses on the same login at the same time.
impl Login {
    /// Makes the call with this number the one that drives. Fails with `Busy` while another one does.
    #[doc(hidden)]
    pub fn claim_as(&self, number: u64) -> Result<(), Error> {
        self.claim(checked(number)?)
    }

    /// Ends the claim, if this call has it. Tokens that a step returned count as accepted then.
    #[doc(hidden)]
    pub fn release_as(&self, number: u64) {
        if let Ok(number) = checked(number) {
            self.release(number);
        }
    }

    /// See [`Claim::must_be_started`].
    #[doc(hidden)]
    pub fn must_be_started_as(&self, number: u64) -> Result<(), Error> {
        self.must_be_started(checked(number)?)
    }

    /// As [`Login::step`], for the call that has the claim; any other one gets `Busy`.
    #[doc(hidden)]
    pub fn step_as(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        self.step_claimed(checked(number)?, max_wait).map(Step::from)
    }

    /// As [`Login::step_async`], for the call that has the claim.
    #[doc(hidden)]
    pub async fn step_as_async(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        self.step_claimed_async(checked(number)?, max_wait).await.map(Step::from)
    }

    /// Cancels the login. Tokens that have come and were not accepted are revoked, in at most two seconds: by this call
    /// where it has the claim or can get it, otherwise by the one that has it.
    #[doc(hidden)]
    pub fn abandon_as(&self, number: u64) {
        match checked(number) {
            Ok(number) => self.abandon_claimed(number),
            Err(_) => self.cancel(),
        }
    }

    /// As [`Login::abandon_as`], for any executor.
    #[doc(hidden)]
    pub async fn abandon_as_async(&self, number: u64) {
        match checked(number) {
            Ok(number) => self.abandon_claimed_async(number).await,
            Err(_) => self.cancel(),
        }
    }

    /// Drops this handle. Where it was the last one, the connection of a request under way closes now.
    #[doc(hidden)]
    pub fn free(self) {
        self.close();
    }
}

/// The number of a call of a host. The upper half belongs to calls of this crate.
fn checked(number: u64) -> Result<u64, Error> {
    match number {
        1..0x8000_0000_0000_0000 => Ok(number),
        _ => Err(Error::misuse("the number of a call must be more than 0 and less than 2^63")),
    }
}

impl Client {
    /// Begins a refresh without waiting for anything: the request is sent at once where the endpoints are known, otherwise by the
    /// steps that find them out.
    #[doc(hidden)]
    pub fn begin_refresh(&self, refresh_token: &Secret) -> Result<RefreshRequest, Error> {
        let flow = self.0.refresh(refresh_token)?;
        InFlight::begin(self.0.environment()?, flow).map(RefreshRequest)
    }

    /// As [`Client::begin_refresh`], for a revocation.
    #[doc(hidden)]
    pub fn begin_revoke(&self, token: &Secret) -> Result<RevokeRequest, Error> {
        let flow = self.0.revoke(token)?;
        InFlight::begin(self.0.environment()?, flow).map(RevokeRequest)
    }

    /// Ends the worker of the async calls permanently: every later call fails with `Cancelled`. For hosts that must not be
    /// entered while they exit.
    #[doc(hidden)]
    pub fn shut_down(&self) -> Result<(), Error> {
        self.0.close()
    }
}

/// A refresh under way. Dropping it ends the request.
pub struct RefreshRequest(InFlight<Arc<TokenResponse>>);

impl RefreshRequest {
    /// Waits for the outcome, at most so long. `None`: not yet. The outcome is returned once.
    pub fn step(&self, max_wait: Duration) -> Result<Option<Tokens>, Error> {
        self.0.step(max_wait).map(|response| response.map(Tokens::new))
    }

    /// Ends the request: the step that waits for it fails with `Cancelled` at once. A response that is there already still
    /// counts. Wait-free; callable from any thread and from a signal handler.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Drops it; its connection closes now.
    pub fn free(self) {
        self.0.close();
    }
}

/// A revocation under way. Dropping it ends the request.
pub struct RevokeRequest(InFlight<()>);

impl RevokeRequest {
    /// Waits for the outcome, at most so long. `false`: not yet. The outcome is returned once.
    pub fn step(&self, max_wait: Duration) -> Result<bool, Error> {
        self.0.step(max_wait).map(|outcome| outcome.is_some())
    }

    /// As [`RefreshRequest::cancel`].
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Drops it; its connection closes now.
    pub fn free(self) {
        self.0.close();
    }
}

/// Waits until no thread of this process's clients is left that could enter the host. Seconds at the longest.
pub fn wait_for_workers() {
    workers::wait_for_all();
}

/// A time span that a host gives in seconds. Infinity is as long as it takes.
pub fn duration(seconds: f64) -> Result<Duration, Error> {
    if seconds == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::misuse("a time must be a number of seconds, 0 or more"))
}

/// A timeout among the settings, by its name.
pub fn timeout(name: &str, seconds: f64) -> Result<Duration, Error> {
    duration(seconds)
        .map_err(|_| Error::config(format!("the {name} must be a number of seconds, more than 0")))
}

/// The error for a setting that cannot be used.
pub fn invalid_config(message: &str) -> Error {
    Error::config(message)
}

/// The error for a call that makes no sense.
pub fn misuse(message: impl Into<String>) -> Error {
    Error::misuse(message)
}

/// The error of a request that its host ended.
pub fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the request was cancelled")
}

/// The error for a panic of this crate.
pub fn defect() -> Error {
    Error::internal("a defect of cli-auth: please report this")
}

/// Seconds since 1970, negative before.
pub fn seconds_since_epoch(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_wait_is_bounded_by_what_a_number_can_mean() {
        assert_eq!(duration(1.5).unwrap(), Duration::from_millis(1500));
        assert_eq!(duration(0.0).unwrap(), Duration::ZERO);
        assert_eq!(duration(f64::INFINITY).unwrap(), Duration::MAX);
        for wrong in [-1.0, f64::NAN, f64::NEG_INFINITY, 1e300] {
            assert_eq!(duration(wrong).unwrap_err().kind(), ErrorKind::Misuse, "{wrong}");
        }
    }

    #[test]
    fn a_time_before_1970_is_negative() {
        assert!((seconds_since_epoch(UNIX_EPOCH - Duration::from_millis(1500)) + 1.5).abs() < 1e-9);
    }
}
