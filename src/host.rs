//! Functions that the packages for other languages need in addition to the Rust API. They are not part of that API:
//! they may change at any time, and rustdoc does not show them.
//!
//! Hosts wait outside of Rust. A host call that drives a login therefore claims it with a number, steps it, and
//! releases it whatever happened in between. Refreshes and revocations have handles that can be stepped.
//!
//! [`Step`] and [`Event`] are exhaustive here, so that every surface must translate what is added to the public types.
#![allow(missing_debug_implementations, reason = "hosts do not print them")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The maximum size of a PEM text, in bytes.
pub const MAX_PEM_BYTES: usize = crate::http::MAX_PEM_BYTES;
use crate::{
    Client, Error, ErrorKind, Identity, Login, Prompt, RefreshOptions, Secret, Tokens, engine::workers,
    flow::InFlight, login, protocol::token::TokenResponse,
};

/// The result of a step: [`crate::Step`] with times in seconds.
pub enum Step {
    /// The server issued a code.
    Prompt(Prompt),
    /// Progress that the program may show to the user.
    Event(Event),
    /// How long nothing will happen. While a request is in progress: 0, or, if the login has a descriptor, how long to
    /// wait for it to become readable.
    Waiting(f64),
    /// The user approved the login.
    Authorized(Tokens),
}

/// An event that a login reports while it waits: [`crate::Event`] with times in seconds.
pub enum Event {
    /// See [`crate::Event::Pending`].
    Pending { next_poll_in: f64, expires_in: f64 },
    /// See [`crate::Event::SlowedDown`].
    SlowedDown { interval: f64 },
    /// See [`crate::Event::Retrying`].
    Retrying { reason: String, attempt: u32, retry_in: f64, request_id: Option<String> },
    /// See [`crate::Event::Resumed`].
    Resumed { suspended_for: f64 },
    /// See [`crate::Event::IdentityUnverified`].
    IdentityUnverified { message: String },
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
            crate::Event::Retrying { reason, attempt, retry_in, request_id } => Self::Retrying {
                reason: reason.to_string(),
                attempt,
                retry_in: retry_in.as_secs_f64(),
                request_id,
            },
            crate::Event::Resumed { suspended_for } => {
                Self::Resumed { suspended_for: suspended_for.as_secs_f64() }
            }
            crate::Event::IdentityUnverified { message } => Self::IdentityUnverified { message },
        }
    }
}

/// All kinds of errors.
pub const ERROR_KINDS: &[ErrorKind] = ErrorKind::ALL;

/// A call that drives a login. Dropping it releases the login.
pub struct Claim<'a>(login::Claim<'a>);

impl<'a> Claim<'a> {
    /// Claims the login. Fails with `Busy` while another call drives it.
    pub fn of(login: &'a Login) -> Result<Self, Error> {
        login::Claim::of(login).map(Self)
    }

    /// Fails with `Misuse` before [`Login::start`].
    pub fn must_be_started(&self) -> Result<(), Error> {
        self.0.must_be_started()
    }

    /// See [`Login::step`].
    pub fn step(&self, max_wait: Duration) -> Result<Step, Error> {
        self.0.step(max_wait).map(Step::from)
    }
}

/// Operations for a call that waits outside of Rust. The call drives a login with a number that it chooses: not 0,
/// below 2^63, and not used by another call on the same login at the same time.
impl Login {
    /// Claims the login for the call with this number. Fails with `Busy` while another call drives it.
    #[doc(hidden)]
    pub fn claim_as(&self, number: u64) -> Result<(), Error> {
        self.claim(checked(number)?)
    }

    /// Ends the claim, if this call has it. Tokens that a step returned then count as accepted.
    #[doc(hidden)]
    pub fn release_as(&self, number: u64) {
        if let Ok(number) = checked(number) {
            self.release(number);
        }
    }

    /// Returns the prompt, or the error of a login that has failed. `None` if
    /// the call must step first: to get a prompt, or to learn of a cancel.
    #[doc(hidden)]
    pub fn started_as(&self, number: u64) -> Result<Option<Prompt>, Error> {
        self.started(checked(number)?)
    }

    /// See [`Claim::must_be_started`].
    #[doc(hidden)]
    pub fn must_be_started_as(&self, number: u64) -> Result<(), Error> {
        self.must_be_started(checked(number)?)
    }

    /// Variant of [`Login::step`] for the call that has the claim. Fails with `Busy` for any other call.
    #[doc(hidden)]
    pub fn step_as(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        self.step_claimed(checked(number)?, max_wait).map(Step::from)
    }

    /// Variant of [`Login::step_async`] for the call that has the claim.
    #[doc(hidden)]
    pub async fn step_as_async(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        self.step_claimed_async(checked(number)?, max_wait).await.map(Step::from)
    }

    /// Cancels the login. Tokens that have arrived and were not accepted are revoked within two seconds: by this call
    /// if it has or can get the claim, otherwise by the call that has it.
    #[doc(hidden)]
    pub fn abandon_as(&self, number: u64) {
        match checked(number) {
            Ok(number) => self.abandon_claimed(number),
            Err(_) => self.cancel(),
        }
    }

    /// Async variant of [`Login::abandon_as`] for any executor.
    #[doc(hidden)]
    pub async fn abandon_as_async(&self, number: u64) {
        match checked(number) {
            Ok(number) => self.abandon_claimed_async(number).await,
            Err(_) => self.cancel(),
        }
    }

    /// Returns a descriptor for an event loop: readable while [`Login::step`] would have something to do, from the
    /// first call on. It belongs to the login. Starts the worker thread of the client.
    #[doc(hidden)]
    pub fn descriptor(&self) -> Result<i32, Error> {
        self.open_descriptor()
    }
}

/// Checks the number of a host call. The upper half belongs to calls of this crate.
fn checked(number: u64) -> Result<u64, Error> {
    match number {
        1..0x8000_0000_0000_0000 => Ok(number),
        _ => Err(Error::misuse("the number of a call must be more than 0 and less than 2^63")),
    }
}

impl Client {
    /// Starts a refresh without waiting. The request is sent at once if
    /// the endpoints are known, otherwise by the steps after discovery.
    #[doc(hidden)]
    pub fn begin_refresh(
        &self,
        refresh_token: &Secret,
        options: &RefreshOptions,
    ) -> Result<RefreshRequest, Error> {
        let flow = self.0.refresh(refresh_token, options)?;
        InFlight::begin(self.0.environment()?, flow).map(RefreshRequest)
    }

    /// Starts a revocation, as [`Client::begin_refresh`] starts a refresh.
    #[doc(hidden)]
    pub fn begin_revoke(&self, token: &Secret) -> Result<RevokeRequest, Error> {
        let flow = self.0.revoke(token)?;
        InFlight::begin(self.0.environment()?, flow).map(RevokeRequest)
    }

    /// Starts a userinfo request, as [`Client::begin_refresh`] starts a refresh.
    #[doc(hidden)]
    pub fn begin_userinfo(
        &self,
        access_token: &Secret,
        subject: Option<&str>,
    ) -> Result<UserinfoRequest, Error> {
        let flow = self.0.userinfo(access_token, subject)?;
        InFlight::begin(self.0.environment()?, flow).map(UserinfoRequest)
    }

    /// Ends the worker of the async calls permanently. Every later call fails
    /// with `Cancelled`. For hosts that must not be entered while they exit.
    #[doc(hidden)]
    pub fn shut_down(&self) -> Result<(), Error> {
        self.0.close()
    }
}

/// A refresh in progress. Dropping it ends the request.
pub struct RefreshRequest(InFlight<Arc<TokenResponse>>);

impl RefreshRequest {
    /// Waits for the outcome for at most `max_wait`. Returns `None`
    /// if there is no outcome yet. The outcome is returned once.
    pub fn step(&self, max_wait: Duration) -> Result<Option<Tokens>, Error> {
        self.0.step(max_wait).map(|response| response.map(Tokens::new))
    }

    /// Ends the request: a step that waits for it fails with `Cancelled` at once. A response that has already arrived
    /// still counts. Wait-free; may be called from any thread and from a signal handler.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// A revocation in progress. Dropping it ends the request.
pub struct RevokeRequest(InFlight<()>);

impl RevokeRequest {
    /// Waits for the outcome for at most `max_wait`. Returns `false`
    /// if there is no outcome yet. The outcome is returned once.
    pub fn step(&self, max_wait: Duration) -> Result<bool, Error> {
        self.0.step(max_wait).map(|outcome| outcome.is_some())
    }

    /// See [`RefreshRequest::cancel`].
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// A userinfo request in progress. Dropping it ends the request.
pub struct UserinfoRequest(InFlight<Identity>);

impl UserinfoRequest {
    /// Waits for the outcome for at most `max_wait`. Returns `None`
    /// if there is no outcome yet. The outcome is returned once.
    pub fn step(&self, max_wait: Duration) -> Result<Option<Identity>, Error> {
        self.0.step(max_wait)
    }

    /// See [`RefreshRequest::cancel`].
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// Waits until this process's clients have no thread left that could enter the host. Takes at most 10 seconds.
pub fn wait_for_workers() {
    workers::wait_for_all();
}

/// Converts a time that a host passes in seconds. Infinity means no limit.
pub fn duration(seconds: f64) -> Result<Duration, Error> {
    if seconds == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::misuse("a time must be a number of seconds, 0 or more"))
}

/// Converts a timeout setting from seconds. `name` appears in the error message.
pub fn timeout(name: &str, seconds: f64) -> Result<Duration, Error> {
    duration(seconds)
        .map_err(|_| Error::config(format!("the {name} must be a number of seconds, more than 0")))
}

/// Returns the error for a setting that cannot be used.
pub fn invalid_config(message: &str) -> Error {
    Error::config(message)
}

/// Returns the error for a call that is out of order or has a meaningless argument.
pub fn misuse(message: impl Into<String>) -> Error {
    Error::misuse(message)
}

/// Returns the error for a request that its host ended.
pub fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the request was cancelled")
}

/// Returns the error for a panic in this crate.
pub fn defect() -> Error {
    Error::internal("a defect of cli-auth: please report this")
}

/// Returns the seconds since 1970. Negative for earlier times.
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
    fn invalid_wait_times_are_misuse() {
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
