//! The device flow as a pure state machine: `(State, Input, Now) -> (State, Effect)`.
//!
//! ```text
//!              Tick                  Answer: grant            due
//!    Ready ─────────────▶ Authorizing ────────────▶ Waiting ─────────▶ Polling
//!                              │                     ▲  │                 │
//!                              │ refused             │  │ expired         │ token, denied, …
//!                              ▼                     │  ▼                 ▼
//!                            Ended ◀─────────────────┼─ Ended           Ended
//!                                                    └── pending, slow_down, trouble
//! ```
//!
//! Cancel is not in here: it ends a login in every state, and belongs to whoever drives this machine.

use std::time::Duration;

use super::{
    grant::{self, Grant},
    pacing::Pacing,
    reply::Reply,
    token::{Strictness, TokenAnswer},
    uri::Loopback,
    verdict::{self, Verdict},
};
use crate::{Error, ErrorKind, Event, RetryReason};

/// The moment at which an input arrives, on two clocks with a common start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// Counts while the machine sleeps. All pacing and every deadline is measured on it.
    pub(crate) elapsed: Duration,
    /// Stands still while the machine sleeps. Only tells how long it slept.
    pub(crate) awake: Duration,
}

impl Now {
    fn suspended(self) -> Duration {
        self.elapsed.saturating_sub(self.awake)
    }
}

/// A shorter sleep is not worth an event, and within what two readings of two clocks may differ.
const SHORTEST_SUSPEND: Duration = Duration::from_secs(1);

/// What the machine has to know about client and server.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) strictness: Strictness,
    pub(crate) loopback: Loopback,
    /// What the client sends besides the codes, so that it can be masked where a server echoes it.
    pub(crate) secrets: Vec<crate::Secret>,
}

/// Where a login stands.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing was sent.
    Ready,
    /// The device authorization request is under way since this time.
    Authorizing { since: Duration },
    /// The person has the code; the next poll is not due.
    Waiting(Session),
    /// A poll is under way.
    Polling(Session),
    /// The outcome was given out.
    Ended,
}

/// A login that the server granted a code for.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) grant: Grant,
    pub(crate) pacing: Pacing,
    pub(crate) expires_at: Duration,
    pub(crate) due: Duration,
    /// How much of the past was spent asleep, as far as it was told.
    suspended: Duration,
    /// Whether the last answer was not HTTP.
    malformed: bool,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The request under way was answered.
    Answer(Reply),
    /// The request under way will not be answered; the error says why, for a login that has just begun.
    Lost(RetryReason, Error),
    /// Trouble that no patience ends, such as a certificate that fails.
    Broken(Error),
    /// The request that was asked for did not leave: all connections were busy, or it was too late.
    NotSent,
    /// Time went by.
    Tick,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Effect {
    SendAuthorization,
    SendPoll,
    /// Show the code to the person.
    Show(Grant),
    Tell(Event),
    /// Nothing before this time, on the clock that counts sleep.
    Sleep(Duration),
    /// The request under way decides. Asked for without one, the login has lost its way.
    Await,
    Finish(Result<Box<TokenAnswer>, Error>),
}

/// One step of the flow.
pub(crate) fn advance(state: State, input: Input, now: Now, profile: &Profile) -> (State, Effect) {
    match (state, input) {
        // ── Ready ──
        (State::Ready, Input::Tick) => (State::Authorizing { since: now.elapsed }, Effect::SendAuthorization),
        (State::Ready, Input::Broken(error) | Input::Lost(_, error)) => finish(Err(error)),
        (State::Ready, Input::Answer(_) | Input::NotSent) => finish(Err(out_of_turn())),

        // ── Authorizing: one request, nothing is tried twice, a person is waiting ──
        (State::Authorizing { since }, Input::Answer(reply)) => {
            match grant::read(&reply, profile.loopback, &secrets(profile, None)) {
                Ok(grant) => show(grant, since, now),
                Err(error) => finish(Err(error)),
            }
        }
        (State::Authorizing { .. }, Input::Lost(_, error) | Input::Broken(error)) => finish(Err(error)),
        (State::Authorizing { .. }, Input::NotSent) => finish(Err(Error::new(
            ErrorKind::Network,
            "too many requests of this client are under way: try again later",
        ))),
        (state @ State::Authorizing { .. }, Input::Tick) => (state, Effect::Await),

        // ── Waiting ──
        (State::Waiting(session), Input::Tick) => wake(session, now),
        (State::Waiting(_), Input::Broken(error) | Input::Lost(_, error)) => finish(Err(error)),
        (State::Waiting(_), Input::Answer(_) | Input::NotSent) => finish(Err(out_of_turn())),

        // ── Polling ──
        (State::Polling(session), Input::Answer(reply)) => answer(session, &reply, now, profile),
        (State::Polling(session), Input::Lost(RetryReason::Malformed, error)) if session.malformed => {
            finish(Err(error))
        }
        (State::Polling(session), Input::Lost(reason, _)) => trouble(session, reason, None, None, now),
        (State::Polling(_), Input::Broken(error)) => finish(Err(error)),
        (State::Polling(session), Input::NotSent) => wake(session, now),
        (state @ State::Polling(_), Input::Tick) => (state, Effect::Await),

        // ── Ended: whoever drives this keeps the outcome ──
        (State::Ended, _) => finish(Err(out_of_turn())),
    }
}

fn finish(outcome: Result<Box<TokenAnswer>, Error>) -> (State, Effect) {
    (State::Ended, Effect::Finish(outcome))
}

fn out_of_turn() -> Error {
    Error::internal("the login got an input that its state does not allow: please report this")
}

fn show(grant: Grant, since: Duration, now: Now) -> (State, Effect) {
    let pacing = Pacing::new(grant.interval);
    let session = Session {
        // RFC 8628 section 3.2: the life of the codes, counted from before the request, so that we never overrate it.
        expires_at: since.saturating_add(grant.expires_in),
        due: now.elapsed.saturating_add(pacing.wait()),
        suspended: now.suspended(),
        malformed: false,
        pacing,
        grant: grant.clone(),
    };
    (State::Waiting(session), Effect::Show(grant))
}

fn wake(mut session: Session, now: Now) -> (State, Effect) {
    let slept = now.suspended().saturating_sub(session.suspended);
    if slept >= SHORTEST_SUSPEND {
        session.suspended = now.suspended();
        return (State::Waiting(session), Effect::Tell(Event::Resumed { suspended_for: slept }));
    }
    // A poll that could not be sent in time will not be sent at all: waiting for it would be pointless.
    if now.elapsed >= session.expires_at || session.due >= session.expires_at {
        return finish(Err(Error::new(
            ErrorKind::Expired,
            "the code expired before the login was approved: start again",
        )));
    }
    if now.elapsed < session.due {
        let due = session.due;
        return (State::Waiting(session), Effect::Sleep(due));
    }
    (State::Polling(session), Effect::SendPoll)
}

fn answer(mut session: Session, reply: &Reply, now: Now, profile: &Profile) -> (State, Effect) {
    session.malformed = false;
    let sent = secrets(profile, Some(&session.grant));
    match verdict::of_poll(reply, profile.strictness, &sent) {
        Verdict::Granted(tokens) => finish(Ok(tokens)),
        Verdict::Failed(error) => finish(Err(error)),
        Verdict::Transient => {
            trouble(session, RetryReason::Http(reply.status), Some(reply.status), reply.retry_after, now)
        }
        Verdict::Pending(interval) => {
            session.pacing.pending(interval, reply.retry_after);
            wait(session, now, |session, wait| Event::Pending {
                next_poll_in: wait,
                expires_in: session.expires_at.saturating_sub(now.elapsed),
            })
        }
        Verdict::SlowDown(interval) => {
            session.pacing.slow_down(interval, reply.retry_after);
            wait(session, now, |session, _| Event::SlowedDown { interval: session.pacing.interval() })
        }
    }
}

fn trouble(
    mut session: Session,
    reason: RetryReason,
    status: Option<u16>,
    retry_after: Option<Duration>,
    now: Now,
) -> (State, Effect) {
    session.malformed = reason == RetryReason::Malformed;
    session.pacing.trouble(status, retry_after);
    wait(session, now, |session, wait| Event::Retrying {
        reason,
        attempt: session.pacing.troubles(),
        retry_in: wait,
    })
}

/// Plans the next poll, counted from the answer to the last one: two are never under way at once.
fn wait(mut session: Session, now: Now, event: impl FnOnce(&Session, Duration) -> Event) -> (State, Effect) {
    let wait = session.pacing.wait();
    session.due = now.elapsed.saturating_add(wait);
    let event = event(&session, wait);
    (State::Waiting(session), Effect::Tell(event))
}

fn secrets<'a>(profile: &'a Profile, grant: Option<&'a Grant>) -> Vec<&'a str> {
    profile.secrets.iter().chain(grant.map(|g| &g.device_code)).map(crate::Secret::expose).collect()
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
