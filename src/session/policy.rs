//! What `token` does, as a pure state machine.
//!
//! ```text
//!               due                  lock taken              still due
//!   Loading ──────────▶ Locking ───────────────▶ Rereading ────────────▶ Preparing ──▶ Reaching
//!      │                  │ busy, while            │ another process                      │
//!      │ fresh            │ the token is good      │ refreshed it                         ▼
//!      ▼                  ▼                        ▼                                   Sending ◀─▶ Pausing
//!    Ended              Ended                  Unlocking ◀──── Saving ◀──────────────────┘
//! ```
//!
//! Nothing is sent before the lock is held, the record was read again under it, and it was proved that a response can
//! be saved. Whatever fails before that leaves the session as it was.

use std::{mem, sync::Arc, time::Duration};

use super::{
    event::SessionEvent,
    judgement::{Ask, Judgement, judge, refused_again},
    moment::Moment,
    record::{Access, Ended, Record},
};
use crate::{Error, ErrorKind, ErrorReason, Secret, protocol::token::TokenResponse};

/// The time for a whole refresh, from when the lock is taken. Callers in other processes wait longer for the lock.
pub(crate) const BUDGET: Duration = Duration::from_secs(20);

/// The maximum number of times that one refresh token is sent in a refresh.
const MAX_SENDS: u32 = 3;

/// The wait before the same token is sent again, unless the server asks for a longer one.
const PAUSE: Duration = Duration::from_secs(1);

/// The time within [`BUDGET`] for fetching the metadata of the server.
const DISCOVERY: Duration = Duration::from_secs(10);

/// The time for establishing a connection for a refresh that nobody needs yet.
const EARLY_CONNECT: Duration = Duration::from_secs(2);

/// How long nobody refreshes early after an early refresh has failed.
pub(crate) const EARLY_PAUSE: Duration = Duration::from_secs(30);

/// How a server treats a refresh token that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// How long it answers with the same successor. `None` if it may end the session instead.
    pub(crate) replay_window: Option<Duration>,
    /// The time for one attempt.
    pub(crate) attempt: Duration,
    /// The time for establishing a connection.
    pub(crate) connect: Duration,
}

/// What is done for a [`TokenFlow`].
#[derive(Debug)]
pub(crate) enum Effect {
    /// Read the record. Under the lock, also adopt a complete successor that a killed process left behind.
    Load,
    /// Take the lock. Without `wait`, only if it is free.
    Lock {
        wait: bool,
    },
    /// Prove that a record can be written.
    Prepare,
    /// Get ready to send: know the endpoints. `connect` is the time for establishing a connection.
    Reach {
        connect: Duration,
        within: Duration,
    },
    /// Send the refresh token.
    Send {
        token: Secret,
        record: Arc<Record>,
        within: Duration,
    },
    Pause(Duration),
    /// Replace the record that this one follows.
    Save(Arc<Record>),
    /// Release the lock. The note is for the processes that take it next.
    Unlock(Option<Note>),
    /// Revoke tokens that nobody will use, if the server can.
    Revoke(Secret),
    Finish(Box<Finished>),
}

/// What processes tell each other about an early refresh that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) failed_at: Moment,
    /// The generation whose refresh token may have been used, because the response was lost.
    pub(crate) spent: Option<u64>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// Begin, or go on after a pause, an unlock or a revocation.
    Tick,
    Loaded(Result<Option<Arc<Record>>, Error>),
    Locked(Held),
    /// Another process holds the lock, or there is none to take. The error is for a caller that has to have it.
    NotLocked(Error),
    Prepared(Result<(), Error>),
    Reached(Result<(), Error>),
    Answered(Answer),
    Saved(Saved),
}

/// What is found with the lock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) note: Option<Note>,
    /// A process was killed between the request and the save.
    pub(crate) interrupted: bool,
}

/// The result of sending a refresh token.
#[derive(Debug)]
pub(crate) enum Answer {
    Issued {
        response: Arc<TokenResponse>,
        record: Arc<Record>,
    },
    /// Tokens of another user.
    OtherUser {
        response: Arc<TokenResponse>,
        error: Error,
    },
    /// The server no longer accepts the refresh token.
    Dead(Error),
    /// The server refuses the request or the client. The refresh token is as good as before.
    Refused(Error),
    /// Not now. `sent` says whether the server may have used the token.
    Later {
        error: Error,
        sent: bool,
    },
}

#[derive(Debug)]
pub(crate) enum Saved {
    Done,
    /// Another login or a logout came first. What is stored now.
    Overtaken(Option<Arc<Record>>),
    Failed(Error),
}

/// The outcome of one call.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) result: Result<Given, Error>,
    pub(crate) events: Vec<SessionEvent>,
    /// A record that could not be saved. It is kept in memory, and each later call tries again.
    pub(crate) unsaved: Option<Arc<Record>>,
    /// How long this process makes no other attempt, and why.
    pub(crate) quiet: Option<(Duration, Error)>,
}

/// The token that a call returns.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) access: Access,
    /// Whether this call sent the request.
    pub(crate) refreshed: bool,
}

/// The state machine of one call.
#[derive(Debug)]
pub(crate) struct TokenFlow {
    ask: Ask,
    server: Server,
    /// Why this process makes no attempt now: one failed a moment ago.
    quiet: Option<Error>,
    state: State,
}

#[derive(Debug)]
enum State {
    Ready,
    Loading,
    Locking(Due),
    Rereading(Due, Held),
    Preparing(Refreshing),
    Reaching(Refreshing),
    Sending(Refreshing),
    Pausing(Refreshing),
    /// The refresh token is dead, unless another process has replaced it.
    Burying(Refreshing, Error),
    Saving(Refreshing, Outcome),
    Unlocking(Box<Finished>, Option<Secret>),
    Revoking(Box<Finished>),
    Ended,
}

/// A record whose access token is due.
#[derive(Clone, Debug)]
struct Due {
    record: Arc<Record>,
    /// Whether the access token can still be used, so that nobody waits for a new one.
    early: bool,
}

/// A refresh under the lock.
#[derive(Debug)]
struct Refreshing {
    due: Due,
    held: Held,
    since: Duration,
    first_sent: Option<Duration>,
    sends: u32,
    /// Whether the server may have used the token in an earlier attempt.
    maybe_spent: bool,
    /// Whether the record was read once more after the server refused its token.
    buried: bool,
}

/// What is being saved.
#[derive(Debug)]
enum Outcome {
    Issued { response: Arc<TokenResponse>, record: Arc<Record> },
    Ended(Error),
    OtherUser { response: Arc<TokenResponse>, error: Error },
}

type Transition = (State, Effect);

impl TokenFlow {
    pub(crate) fn new(ask: Ask, server: Server, quiet: Option<Error>) -> Self {
        Self { ask, server, quiet, state: State::Ready }
    }

    /// Advances by one step. After [`Effect::Finish`], any further input is a defect.
    pub(crate) fn advance(&mut self, input: Input, now: Moment) -> Effect {
        let state = mem::replace(&mut self.state, State::Ended);
        let (state, effect) = self.next(state, input, now);
        self.state = state;
        effect
    }

    fn next(&self, state: State, input: Input, now: Moment) -> Transition {
        match (state, input) {
            (State::Ready, Input::Tick) => (State::Loading, Effect::Load),

            // ── Without the lock ──
            (State::Loading, Input::Loaded(loaded)) => self.loaded(loaded, now),
            (State::Locking(due), Input::Locked(held)) => (State::Rereading(due, held), Effect::Load),
            (State::Locking(due), Input::NotLocked(error)) => match error.kind() {
                // Another process refreshes: nothing went wrong.
                ErrorKind::Busy if due.early => self.give(&due.record, false, Vec::new()),
                _ => finish(self.failed(&due, error, now)),
            },

            // ── Under the lock ──
            (State::Rereading(due, held), Input::Loaded(loaded)) => self.reread(&due, held, loaded, now),
            (State::Preparing(refreshing), Input::Prepared(Ok(()))) => {
                let is_early = refreshing.due.early;
                let connect = self.server.connect.min(if is_early { EARLY_CONNECT } else { BUDGET });
                (State::Reaching(refreshing), Effect::Reach { connect, within: DISCOVERY })
            }
            (State::Reaching(refreshing), Input::Reached(Ok(()))) => self.send(refreshing, now),
            (State::Preparing(refreshing), Input::Prepared(Err(error)))
            | (State::Reaching(refreshing), Input::Reached(Err(error))) => self.stop(&refreshing, error, now),
            (State::Sending(refreshing), Input::Answered(answer)) => self.answered(refreshing, answer, now),
            (State::Pausing(refreshing), Input::Tick) => self.send(refreshing, now),
            (State::Burying(refreshing, error), Input::Loaded(loaded)) => {
                self.bury(refreshing, error, loaded, now)
            }
            (State::Saving(refreshing, outcome), Input::Saved(saved)) => {
                self.saved(&refreshing, outcome, saved, now)
            }

            // ── The end ──
            (State::Unlocking(finished, Some(token)), Input::Tick) => {
                (State::Revoking(finished), Effect::Revoke(token))
            }
            (State::Unlocking(finished, None) | State::Revoking(finished), Input::Tick) => finish(*finished),
            (_, _) => finish(Finished::of(Err(Error::internal(
                "a session received something that it had not asked for: please report this",
            )))),
        }
    }

    fn loaded(&self, loaded: Result<Option<Arc<Record>>, Error>, now: Moment) -> Transition {
        let record = match loaded {
            Ok(Some(record)) => record,
            Ok(None) => return finish(Finished::of(Err(not_logged_in()))),
            Err(error) => return finish(Finished::of(Err(error))),
        };
        match judge(&record, &self.ask, now) {
            Judgement::Fresh => self.give(&record, false, Vec::new()),
            Judgement::Over(error) => finish(Finished::of(Err(error))),
            judgement => {
                let due = Due { record, early: judgement == Judgement::Early };
                if let Some(error) = &self.quiet {
                    return match due.early {
                        true => self.give(&due.record, false, Vec::new()),
                        // The wait is that of the failure: this call does not begin another one.
                        false => finish(Finished { quiet: None, ..self.failed(&due, error.clone(), now) }),
                    };
                }
                let wait = !due.early;
                (State::Locking(due), Effect::Lock { wait })
            }
        }
    }

    /// Decides again, because another process may have changed the record before this one had the lock.
    fn reread(
        &self,
        due: &Due,
        held: Held,
        loaded: Result<Option<Arc<Record>>, Error>,
        now: Moment,
    ) -> Transition {
        let record = match loaded {
            Ok(Some(record)) => record,
            Ok(None) => return unlock(Finished::of(Err(logged_out())), None),
            Err(error) => return unlock(self.failed(due, error, now), None),
        };
        match judge(&record, &self.ask, now) {
            Judgement::Fresh => self.release(&record, Vec::new()),
            Judgement::Over(error) => unlock(Finished::of(Err(error)), None),
            Judgement::Early if held.note.is_some_and(|note| note.forbids_early(&record, now)) => {
                self.release(&record, Vec::new())
            }
            judgement => {
                let due = Due { record, early: judgement == Judgement::Early };
                let refreshing = Refreshing {
                    due,
                    held,
                    since: now.elapsed,
                    first_sent: None,
                    sends: 0,
                    maybe_spent: false,
                    buried: false,
                };
                (State::Preparing(refreshing), Effect::Prepare)
            }
        }
    }

    fn send(&self, refreshing: Refreshing, now: Moment) -> Transition {
        let Some(token) = refreshing.due.record.tokens.refresh_token.clone() else {
            return unlock(Finished::of(Err(Error::internal("a session without a refresh token"))), None);
        };
        let left = BUDGET.saturating_sub(now.elapsed.saturating_sub(refreshing.since));
        if left.is_zero() {
            let error = Error::new(ErrorKind::Network, "the server did not respond in time: try again later");
            return self.stop(&refreshing, error, now);
        }
        let effect = Effect::Send {
            token,
            record: Arc::clone(&refreshing.due.record),
            within: self.server.attempt.min(left),
        };
        let first_sent = refreshing.first_sent.or(Some(now.elapsed));
        let sends = refreshing.sends.saturating_add(1);
        (State::Sending(Refreshing { first_sent, sends, ..refreshing }), effect)
    }

    fn answered(&self, mut refreshing: Refreshing, answer: Answer, now: Moment) -> Transition {
        match answer {
            Answer::Issued { response, record } => {
                let effect = Effect::Save(Arc::clone(&record));
                (State::Saving(refreshing, Outcome::Issued { response, record }), effect)
            }
            Answer::OtherUser { response, error } => {
                let record = Arc::new(refreshing.due.record.ended(Ended::OtherUser));
                (State::Saving(refreshing, Outcome::OtherUser { response, error }), Effect::Save(record))
            }
            Answer::Dead(error) if refreshing.buried => self.mark_dead(refreshing, error),
            Answer::Dead(error) => (State::Burying(refreshing, error), Effect::Load),
            Answer::Refused(error) => self.stop(&refreshing, error, now),
            Answer::Later { error, sent } => {
                refreshing.maybe_spent |= sent;
                match self.pause(&refreshing, &error, sent, now) {
                    Some(pause) => (State::Pausing(refreshing), Effect::Pause(pause)),
                    None => self.stop(&refreshing, error, now),
                }
            }
        }
    }

    /// Returns the wait before the same token is sent again. `None` if it is not.
    ///
    /// A server with a replay window answers with the same successor, so that a lost response is recovered. Any other
    /// server may take a token that comes again for a stolen one. It is sent once more only if the session is of no use
    /// without.
    fn pause(&self, refreshing: &Refreshing, error: &Error, sent: bool, now: Moment) -> Option<Duration> {
        if !sent {
            return None;
        }
        let sends = match self.server.replay_window {
            Some(_) => MAX_SENDS,
            None if self.usable(&refreshing.due.record, now).is_some() => 1,
            None => 2,
        };
        let pause = if error.http_status().is_some() { PAUSE } else { Duration::ZERO };
        let pause = pause.max(error.retry_after().unwrap_or_default());
        let again = now.elapsed.saturating_add(pause);
        let is_within = |start: Duration, limit: Duration| again < start.saturating_add(limit);
        let in_time = is_within(refreshing.since, BUDGET)
            && self
                .server
                .replay_window
                .is_none_or(|window| refreshing.first_sent.is_none_or(|first| is_within(first, window)));
        (refreshing.sends < sends && in_time).then_some(pause)
    }

    /// Decides what a refused refresh token means: another process may have replaced it without the lock.
    fn bury(
        &self,
        refreshing: Refreshing,
        error: Error,
        loaded: Result<Option<Arc<Record>>, Error>,
        now: Moment,
    ) -> Transition {
        match loaded {
            Ok(None) => unlock(Finished::of(Err(logged_out())), None),
            Ok(Some(record)) if record.tokens.refresh_token != refreshing.due.record.tokens.refresh_token => {
                match judge(&record, &Ask { force: false, ..self.ask.clone() }, now) {
                    Judgement::Fresh | Judgement::Early => self.release(&record, Vec::new()),
                    Judgement::Over(error) => unlock(Finished::of(Err(error)), None),
                    Judgement::Urgent => {
                        let due = Due { record, early: false };
                        self.send(Refreshing { due, buried: true, sends: 0, ..refreshing }, now)
                    }
                }
            }
            Ok(Some(_)) | Err(_) => self.mark_dead(refreshing, error),
        }
    }

    /// Removes a dead refresh token from the record, so that no other process sends it.
    fn mark_dead(&self, refreshing: Refreshing, error: Error) -> Transition {
        let why = if refreshing.held.interrupted || refreshing.maybe_spent {
            Ended::Interrupted
        } else {
            Ended::Refused
        };
        let record = Arc::new(refreshing.due.record.ended(why));
        let error = error.with_reason(why.reason());
        (State::Saving(refreshing, Outcome::Ended(error)), Effect::Save(record))
    }

    fn saved(&self, refreshing: &Refreshing, outcome: Outcome, saved: Saved, now: Moment) -> Transition {
        match (outcome, saved) {
            (Outcome::Issued { record, .. }, Saved::Done) => {
                let given = self.issued(&record);
                unlock(Finished { events: vec![SessionEvent::Refreshed], ..Finished::of(given) }, None)
            }
            // The tokens count. They are given, and each later call tries again to save them.
            (Outcome::Issued { record, .. }, Saved::Failed(error)) => {
                let given = self.issued(&record);
                let events = vec![SessionEvent::NotSaved { error }];
                unlock(Finished { events, unsaved: Some(record), ..Finished::of(given) }, None)
            }
            // What was received belongs to a session that no longer exists.
            (Outcome::Issued { response, .. }, Saved::Overtaken(theirs)) => {
                let finished = match theirs {
                    Some(record) => match judge(&record, &Ask { force: false, ..self.ask.clone() }, now) {
                        Judgement::Fresh | Judgement::Early => Finished::of(self.given(&record, false)),
                        Judgement::Over(error) => Finished::of(Err(error)),
                        Judgement::Urgent => Finished::of(Err(overtaken())),
                    },
                    None => Finished::of(Err(logged_out())),
                };
                unlock(finished, Some(revocable(&response)))
            }
            (Outcome::OtherUser { response, error }, _) => {
                unlock(Finished::of(Err(error)), Some(revocable(&response)))
            }
            (Outcome::Ended(error), Saved::Overtaken(None)) => {
                unlock(Finished::of(Err(logged_out().with_cause_of(&error))), None)
            }
            (Outcome::Ended(error), _) => {
                let finished = match self.usable(&refreshing.due.record, now) {
                    Some(access) => {
                        let events = vec![SessionEvent::Ended { error }];
                        Finished { events, ..Finished::of(Ok(Given { access, refreshed: false })) }
                    }
                    None => Finished::of(Err(error)),
                };
                unlock(finished, None)
            }
        }
    }

    /// Ends a refresh that brought nothing.
    fn stop(&self, refreshing: &Refreshing, error: Error, now: Moment) -> Transition {
        let spent = refreshing.maybe_spent.then_some(refreshing.due.record.header.generation);
        let note = Note { failed_at: now, spent };
        (
            State::Unlocking(Box::new(self.failed(&refreshing.due, error, now)), None),
            Effect::Unlock(Some(note)),
        )
    }

    /// Returns the current access token after a failure, if it is good enough, or else the failure.
    fn failed(&self, due: &Due, error: Error, now: Moment) -> Finished {
        // What a server refuses may be right for other parameters, so only what is temporary concerns other calls.
        let is_temporary = matches!(error.kind(), ErrorKind::Network | ErrorKind::Tls | ErrorKind::Proxy);
        let quiet = is_temporary.then(|| (PAUSE.max(error.retry_after().unwrap_or_default()), error.clone()));
        let finished = match self.usable(&due.record, now) {
            Some(access) => Finished {
                events: vec![SessionEvent::RefreshFailed { error }],
                ..Finished::of(Ok(Given { access, refreshed: false }))
            },
            None => Finished::of(Err(error)),
        };
        Finished { quiet, ..finished }
    }

    /// Returns the access token of a record if it satisfies the caller.
    fn usable(&self, record: &Record, now: Moment) -> Option<Access> {
        self.ask.usable(record, now).filter(|_| !self.ask.force)
    }

    fn give(&self, record: &Record, refreshed: bool, events: Vec<SessionEvent>) -> Transition {
        finish(Finished { events, ..Finished::of(self.given(record, refreshed)) })
    }

    fn release(&self, record: &Record, events: Vec<SessionEvent>) -> Transition {
        unlock(Finished { events, ..Finished::of(self.given(record, false)) }, None)
    }

    /// Returns the access token that was received, unless it is the one that the API has refused.
    fn issued(&self, record: &Record) -> Result<Given, Error> {
        let given = self.given(record, true)?;
        if self.ask.refused.as_ref() == Some(&given.access.token) { Err(refused_again()) } else { Ok(given) }
    }

    fn given(&self, record: &Record, refreshed: bool) -> Result<Given, Error> {
        let access = record.access(&self.ask.variant);
        let access = access.ok_or_else(|| Error::internal("a session without its access token"))?;
        Ok(Given { access, refreshed })
    }
}

impl Note {
    /// Whether an early refresh would come too soon after one that failed. If the response was lost, the same token is
    /// not sent again before it has to be.
    fn forbids_early(self, record: &Record, now: Moment) -> bool {
        self.spent == Some(record.header.generation)
            || now.since(self.failed_at).is_some_and(|age| age < EARLY_PAUSE)
    }
}

impl Finished {
    pub(super) fn of(result: Result<Given, Error>) -> Self {
        Self { result, events: Vec::new(), unsaved: None, quiet: None }
    }
}

fn finish(finished: Finished) -> Transition {
    (State::Ended, Effect::Finish(Box::new(finished)))
}

fn unlock(finished: Finished, revoke: Option<Secret>) -> Transition {
    (State::Unlocking(Box::new(finished), revoke), Effect::Unlock(None))
}

/// Returns the token to revoke: a revoked refresh token ends its access tokens too (RFC 7009 section 2.1).
fn revocable(response: &TokenResponse) -> Secret {
    response.refresh_token.as_ref().unwrap_or(&response.access_token).clone()
}

pub(crate) fn not_logged_in() -> Error {
    Error::login_required(ErrorReason::NotLoggedIn, "you are not logged in: log in first")
}

fn logged_out() -> Error {
    Error::login_required(ErrorReason::LoggedOut, "you have logged out meanwhile: log in again")
}

fn overtaken() -> Error {
    Error::new(ErrorKind::Busy, "another login was saved during the refresh: try again")
}

#[cfg(test)]
#[path = "policy_examples.rs"]
mod examples;
#[cfg(test)]
#[path = "policy_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
