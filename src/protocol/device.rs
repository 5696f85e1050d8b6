//! The device authorization flow (RFC 8628) as a pure state machine.
//!
//! ```text
//!           Tick                Discovered               Reply: grant            due
//!    Ready ─────▶ Discovering ────────────▶ Authorizing ─────────────▶ Waiting ─────────▶ Polling
//!                                                │                      ▲  │                 │
//!                                                │ refused              │  │ expired         │ token, denied, …
//!                                                ▼                      │  ▼                 ▼
//!                                              Ended ◀──────────────────┼─ Ended           Ended
//!                                                                       └── pending, slow_down, trouble
//! ```
//!
//! A token response with an ID token is followed by its [`identification`](super::identification).

use std::{mem, sync::Arc, time::Duration};

use super::{
    event::Event,
    flow::{Effect, Flow, Input, Notice, Now, not_sent, out_of_turn},
    grant::{self, Grant},
    identification::{self, Identification, Origin},
    metadata::Metadata,
    pacing::{NextPoll, Pacing},
    pkce::{Pkce, Verifier},
    reply::Reply,
    request::Request,
    settings::ClientSettings,
    token::TokenResponse,
    verdict::poll::{self, Verdict},
};
use crate::{Error, ErrorKind, RetryReason, Secret};

/// The shortest suspension that is reported. A shorter one may be the difference between two readings of two clocks.
const SHORTEST_SUSPEND: Duration = Duration::from_secs(1);

/// The state machine of a login.
#[derive(Debug)]
pub(crate) struct DeviceFlow {
    client: Arc<ClientSettings>,
    /// The time limit for the whole login, if the program set one.
    time_limit: Option<Duration>,
    give_up_at: Option<Duration>,
    /// What PKCE needs, as long as this login uses or may use it.
    pkce: Option<Verifier>,
    state: State,
}

/// The state of a login.
#[derive(Debug)]
enum State {
    /// No request was sent yet.
    Ready,
    /// A login that was put down, before the first step.
    PutDown(Box<PutDown>),
    /// A login that was put down, while the metadata is fetched.
    Resuming(Box<PutDown>),
    Discovering,
    /// The device authorization request is in progress. If it is the one without PKCE, there is also the error of the
    /// first one.
    Authorizing(Arc<Metadata>, Option<Error>),
    /// The user has the code. The next poll is not due yet.
    Waiting(Granted),
    /// A poll is in progress.
    Polling(Granted),
    /// The server issued tokens, and the ID token is being checked.
    Identifying(Identification),
    /// The outcome was returned.
    Ended,
}

/// A login for which the server issued a code.
#[derive(Debug)]
struct Granted {
    server: Arc<Metadata>,
    grant: Grant,
    pacing: Pacing,
    expires_at: Duration,
    next: Next,
    /// How long the machine has been suspended, as far as this was reported.
    suspended: Duration,
    /// Whether a poll has received a valid response.
    answered: bool,
    /// Whether the last response was not HTTP.
    malformed: bool,
    /// The error for the expiry of the code, if the last poll received no valid response.
    trouble: Option<Error>,
}

/// What a waiting login does next.
#[derive(Clone, Copy, Debug)]
enum Next {
    PollAt(Duration),
    LastPollAt(Duration),
    /// The last poll was made. The login ends when the code expires.
    Expiry,
    /// The login ends. The server asks for this wait, which is not shorter than the rest of the code's lifetime.
    TooLong(Duration),
}

/// A login for which the server issued a code, as another process can take it up. Times are on the clock that includes
/// suspended time.
#[derive(Debug)]
pub(crate) struct PutDown {
    pub(crate) grant: Grant,
    pub(crate) verifier: Option<Secret>,
    /// The server's current interval.
    pub(crate) interval: Duration,
    pub(crate) slow_downs: u32,
    pub(crate) expires_at: Duration,
    /// When the next poll is due.
    pub(crate) due_at: Duration,
}

type Tokens = Arc<TokenResponse>;
type Transition = (State, Effect<Tokens>);

impl DeviceFlow {
    /// `pkce` is a new verifier. It is dropped if the settings or the server do not want it.
    pub(crate) fn new(
        client: Arc<ClientSettings>,
        time_limit: Option<Duration>,
        pkce: Option<Verifier>,
    ) -> Self {
        Self { client, time_limit, give_up_at: None, pkce, state: State::Ready }
    }

    /// Takes up a login that was put down.
    pub(crate) fn resumed(client: Arc<ClientSettings>, time_limit: Option<Duration>, login: PutDown) -> Self {
        let pkce = login.verifier.clone().map(Verifier::of);
        Self { client, time_limit, give_up_at: None, pkce, state: State::PutDown(Box::new(login)) }
    }

    fn next(&mut self, state: State, input: Input, now: Now) -> Transition {
        match (state, input) {
            // The tokens are here: no time limit applies any more.
            (State::Identifying(identification), input) => identifying(identification.advance(input)),

            // A response that arrives late still counts, but no other request is sent.
            (_, Input::Tick | Input::NotSent | Input::Discovered(_))
                if self.give_up_at.is_some_and(|end| now.elapsed >= end) =>
            {
                finish(Err(Error::new(
                    ErrorKind::Expired,
                    "the login was not approved in the time that was set for it",
                )))
            }

            // ── Ready ──
            (State::Ready, Input::Tick) => (State::Discovering, Effect::Discover),
            (State::PutDown(login), Input::Tick) => (State::Resuming(login), Effect::Discover),
            (State::Resuming(login), Input::Tick) => self.await_reply(State::Resuming(login)),
            (State::Resuming(login), Input::Discovered(server)) => {
                self.wake(Granted::resumed(*login, server, now), now)
            }
            (State::Resuming(_), Input::NotSent) => finish(Err(not_sent())),

            // ── Discovering, Authorizing: requests are not retried, because the user is waiting ──
            (State::Discovering, Input::Discovered(server)) => {
                let wants_pkce = match self.client.pkce {
                    Pkce::Auto => server.lists_pkce,
                    Pkce::Always => true,
                    Pkce::Never => false,
                };
                if wants_pkce && self.pkce.is_none() {
                    return finish(Err(Error::internal("the system has no random numbers for PKCE")));
                }
                self.pkce.take_if(|_| !wants_pkce);
                self.authorize(server, None)
            }
            (State::Authorizing(server, first), Input::Reply(reply)) => {
                match grant::read(&reply, self.client.loopback, &self.secrets(None)) {
                    Ok(grant) => show(grant, server, reply.sent.elapsed, now),
                    // Nothing else is sent twice.
                    Err(error) if first.is_none() && self.may_omit_pkce(&reply, now) => {
                        self.pkce = None;
                        self.authorize(server, Some(error))
                    }
                    Err(error) => finish(Err(self.refusal(&reply, error, first))),
                }
            }
            (State::Discovering | State::Authorizing(..), Input::NotSent) => finish(Err(not_sent())),
            (state @ (State::Discovering | State::Authorizing(..)), Input::Tick) => self.await_reply(state),

            // ── Waiting ──
            (State::Waiting(granted), Input::Tick) => self.wake(granted, now),

            // ── Polling ──
            (State::Polling(granted), Input::Reply(reply)) => self.polled(granted, &reply, now),
            (State::Polling(granted), Input::Lost(RetryReason::Malformed, error)) if granted.malformed => {
                finish(Err(error))
            }
            (State::Polling(granted), Input::Lost(reason, error)) => self.lost(granted, reason, &error, now),
            // The certificate was valid earlier in this login and is refused now. This may be a captive portal. Nothing
            // was sent to it.
            (State::Polling(granted), Input::Failed(error))
                if error.kind() == ErrorKind::Tls
                    && (granted.answered || granted.server.has_one_origin()) =>
            {
                self.lost(granted, RetryReason::Certificate, &error, now)
            }
            (State::Polling(granted), Input::NotSent) => self.wake(granted, now),
            (state @ State::Polling(_), Input::Tick) => self.await_reply(state),

            (_, Input::Lost(_, error) | Input::Failed(error)) => finish(Err(error)),
            (_, Input::Discovered(_) | Input::Keys(_) | Input::Reply(_) | Input::NotSent | Input::Tick) => {
                finish(Err(out_of_turn()))
            }
        }
    }

    fn authorize(&self, server: Arc<Metadata>, first: Option<Error>) -> Transition {
        match Request::device_authorization(&self.client, &server, self.pkce.as_ref()) {
            Some(request) => (State::Authorizing(server, first), Effect::Send { request, not_after: None }),
            None => finish(Err(no_device_flow(&server))),
        }
    }

    /// Returns whether the request is sent once more without PKCE, which a server may list and not know in this flow.
    fn may_omit_pkce(&self, reply: &Reply, now: Now) -> bool {
        self.client.pkce == Pkce::Auto
            && self.pkce.is_some()
            && reply.is_invalid_request()
            && self.give_up_at.is_none_or(|end| now.elapsed < end)
    }

    /// Returns the error of a refused device authorization request. It names the option if PKCE is the reason.
    fn refusal(&self, reply: &Reply, error: Error, first: Option<Error>) -> Error {
        if error.kind() != ErrorKind::Rejected || !reply.names_pkce() {
            return error;
        }
        match (first, &self.pkce) {
            // The server requires PKCE. What it refused in the first request was something else.
            (Some(first), _) => first,
            (None, Some(_)) => {
                error.with_message("the server refused PKCE: set the PKCE option to \"never\"")
            }
            (None, None) => error.with_message("the server requires PKCE: set the PKCE option to \"always\""),
        }
    }

    fn await_reply(&self, state: State) -> Transition {
        (state, Effect::Wait { until: self.give_up_at })
    }

    fn wake(&self, mut granted: Granted, now: Now) -> Transition {
        let slept = now.suspended().saturating_sub(granted.suspended);
        if slept >= SHORTEST_SUSPEND {
            granted.suspended = now.suspended();
            return (State::Waiting(granted), tell(Event::Resumed { suspended_for: slept }));
        }
        if now.elapsed >= granted.expires_at {
            let plain = || {
                let message = "the code expired before the login was approved: start again";
                Error::new(ErrorKind::Expired, message)
            };
            return finish(Err(granted.trouble.unwrap_or_else(plain)));
        }
        let due = match granted.next {
            Next::PollAt(due) | Next::LastPollAt(due) => due,
            Next::Expiry => granted.expires_at,
            Next::TooLong(wait) => return finish(Err(too_long(wait, granted.trouble))),
        };
        if now.elapsed < due {
            let due = self.give_up_at.map_or(due, |end| end.min(due));
            return (State::Waiting(granted), Effect::Wait { until: Some(due) });
        }
        let device_code = &granted.grant.device_code;
        let request = Request::poll(&self.client, &granted.server, device_code, self.pkce.as_ref());
        let not_after = Some(granted.expires_at);
        (State::Polling(granted), Effect::Send { request, not_after })
    }

    fn polled(&self, mut granted: Granted, reply: &Reply, now: Now) -> Transition {
        granted.malformed = false;
        let secrets = self.secrets(Some(&granted.grant));
        match poll::read(reply, self.client.dialect, &secrets, granted.answered) {
            Verdict::Granted(response) => {
                let response = response.with_requested(&self.client.scopes);
                identifying(Identification::begin(&self.client, &granted.server, response, Origin::Login))
            }
            Verdict::Failed(error) => finish(Err(error)),
            Verdict::Transient(reason) => {
                let message = format!(
                    "the code expired, and the last response of the server was HTTP {}: start again",
                    reply.status
                );
                let trouble = reply.error(ErrorKind::Expired, &message, &secrets);
                let request_id = trouble.request_id().map(str::to_owned);
                granted.trouble = Some(trouble);
                granted.pacing.trouble(Some(reply.status), reply.retry_after);
                self.retry(granted, reason, request_id, now)
            }
            Verdict::Pending(interval) => {
                granted.pacing.pending(interval, reply.retry_after);
                self.plan(granted.now_answered(), now, |granted, wait| Event::Pending {
                    next_poll_in: wait,
                    expires_in: granted.expires_at.saturating_sub(now.elapsed),
                })
            }
            Verdict::SlowDown(interval) => {
                granted.pacing.slow_down(interval, reply.retry_after);
                self.plan(granted.now_answered(), now, |granted, _| Event::SlowedDown {
                    interval: granted.pacing.interval(),
                })
            }
        }
    }

    /// Handles a poll that received no response.
    fn lost(&self, mut granted: Granted, reason: RetryReason, error: &Error, now: Now) -> Transition {
        let message = format!("the code expired, and the last poll failed ({error}): start again");
        granted.trouble = Some(Error::new(ErrorKind::Expired, message).with_cause_of(error));
        granted.malformed = reason == RetryReason::Malformed;
        granted.pacing.trouble(None, None);
        self.retry(granted, reason, None, now)
    }

    fn retry(
        &self,
        granted: Granted,
        reason: RetryReason,
        request_id: Option<String>,
        now: Now,
    ) -> Transition {
        self.plan(granted, now, |granted, wait| Event::Retrying {
            reason,
            attempt: granted.pacing.troubles(),
            retry_in: wait,
            request_id,
        })
    }

    /// Plans the next step. Waits are counted from the response to the last poll, so that two polls are never in
    /// progress at once. An event announces a poll, so there is none without one.
    fn plan(
        &self,
        granted: Granted,
        now: Now,
        event: impl FnOnce(&Granted, Duration) -> Event,
    ) -> Transition {
        let granted = granted.planned(now);
        match granted.next {
            Next::PollAt(due) | Next::LastPollAt(due) => {
                let event = event(&granted, due.saturating_sub(now.elapsed));
                (State::Waiting(granted), tell(event))
            }
            Next::Expiry | Next::TooLong(_) => self.wake(granted, now),
        }
    }

    fn secrets<'a>(&'a self, grant: Option<&'a Grant>) -> Vec<&'a str> {
        let verifier = self.pkce.as_ref().map(|pkce| &pkce.verifier);
        self.client.secrets_with(grant.map(|grant| &grant.device_code).into_iter().chain(verifier))
    }
}

impl Flow for DeviceFlow {
    type Output = Tokens;

    fn advance(&mut self, input: Input, now: Now) -> Effect<Tokens> {
        if matches!(self.state, State::Ready | State::PutDown(_)) {
            self.give_up_at = self.time_limit.map(|limit| now.elapsed.saturating_add(limit));
        }
        let state = mem::replace(&mut self.state, State::Ended);
        let (state, effect) = self.next(state, input, now);
        self.state = state;
        effect
    }

    fn interrupt(&mut self) -> Option<Tokens> {
        match mem::replace(&mut self.state, State::Ended) {
            State::Identifying(identification) => Some(identification.into_response()),
            _ => None,
        }
    }

    fn put_down(&self) -> Option<PutDown> {
        let (State::Waiting(granted) | State::Polling(granted)) = &self.state else { return None };
        let due_at = match granted.next {
            Next::PollAt(due) | Next::LastPollAt(due) => due,
            Next::Expiry | Next::TooLong(_) => granted.expires_at,
        };
        Some(PutDown {
            grant: granted.grant.clone(),
            verifier: self.pkce.as_ref().map(|pkce| pkce.verifier.clone()),
            interval: granted.pacing.interval(),
            slow_downs: granted.pacing.slow_downs(),
            expires_at: granted.expires_at,
            due_at,
        })
    }
}

fn identifying((identification, effect): identification::Transition) -> Transition {
    (identification.map_or(State::Ended, State::Identifying), effect)
}

fn finish(outcome: Result<Tokens, Error>) -> Transition {
    (State::Ended, Effect::Finish(outcome))
}

fn tell(event: Event) -> Effect<Tokens> {
    Effect::Tell(Notice::Event(event))
}

fn show(grant: Grant, server: Arc<Metadata>, sent: Duration, now: Now) -> Transition {
    let granted = Granted {
        server,
        // RFC 8628 section 3.2: the lifetime of the codes. It is counted from when the request was sent, so that it is
        // never overestimated.
        expires_at: sent.saturating_add(grant.expires_in),
        next: Next::Expiry,
        suspended: now.suspended(),
        answered: false,
        malformed: false,
        trouble: None,
        pacing: Pacing::new(grant.interval),
        grant: grant.clone(),
    };
    (State::Waiting(granted.planned(now)), Effect::Tell(Notice::Prompt(grant)))
}

impl Granted {
    /// Waits one interval before the first poll, or until it was due if that is later: the process that put the login
    /// down may have polled a moment ago.
    fn resumed(login: PutDown, server: Arc<Metadata>, now: Now) -> Self {
        let due_in = login.due_at.saturating_sub(now.elapsed);
        let granted = Self {
            server,
            expires_at: login.expires_at,
            next: Next::Expiry,
            suspended: now.suspended(),
            answered: false,
            malformed: false,
            trouble: None,
            pacing: Pacing::resumed(login.interval, login.slow_downs, due_in),
            grant: login.grant,
        };
        granted.planned(now)
    }

    fn now_answered(self) -> Self {
        Self { answered: true, trouble: None, ..self }
    }

    fn planned(self, now: Now) -> Self {
        let at = |wait| now.elapsed.saturating_add(wait);
        let next = match self.pacing.next_poll(self.expires_at.saturating_sub(now.elapsed)) {
            _ if matches!(self.next, Next::LastPollAt(_)) => Next::Expiry,
            NextPoll::After(wait) => Next::PollAt(at(wait)),
            NextPoll::LastAfter(wait) => Next::LastPollAt(at(wait)),
            NextPoll::None => Next::Expiry,
            NextPoll::Never(wait) => Next::TooLong(wait),
        };
        Self { next, ..self }
    }
}

fn no_device_flow(server: &Metadata) -> Error {
    let message = if server.lists_device_flow {
        "the server offers the device flow, but its metadata has no `device_authorization_endpoint`: set it beside the \
         issuer"
    } else {
        "the server does not offer the device flow: its metadata has no `device_authorization_endpoint`"
    };
    Error::new(ErrorKind::Unsupported, message)
}

/// Returns the error for a wait that is not shorter than the code's remaining lifetime. `trouble` is the last response,
/// if it was not a valid one.
fn too_long(wait: Duration, trouble: Option<Error>) -> Error {
    const DAY: u64 = 24 * 60 * 60;
    let wait = match wait.as_secs() {
        seconds @ 0..=DAY => format!("{seconds} seconds"),
        _ => "more than a day".to_owned(),
    };
    let message = format!(
        "the server asks to wait {wait} before the next request, and the code does not live that long: start again \
         later"
    );
    match trouble {
        Some(trouble) => trouble.with_message(message),
        None => Error::new(ErrorKind::Expired, message),
    }
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
