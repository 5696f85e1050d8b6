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

use std::{mem, sync::Arc, time::Duration};

use super::{
    event::Event,
    flow::{Effect, Flow, Input, Notice, Now, not_sent, out_of_turn},
    grant::{self, Grant},
    metadata::Metadata,
    pacing::Pacing,
    reply::Reply,
    request::Request,
    settings::ClientSettings,
    token::TokenResponse,
    verdict::poll::{self, Verdict},
};
use crate::{Error, ErrorKind, RetryReason};

/// A shorter suspend is not worth an event, and within what two readings of two clocks may differ.
const SHORTEST_SUSPEND: Duration = Duration::from_secs(1);

/// A login.
#[derive(Debug)]
pub(crate) struct DeviceFlow {
    client: Arc<ClientSettings>,
    /// How long the whole login may take, where the program limits it.
    time_limit: Option<Duration>,
    give_up_at: Option<Duration>,
    state: State,
}

/// Where a login stands.
#[derive(Debug)]
enum State {
    /// Nothing was sent.
    Ready,
    Discovering,
    /// The device authorization request is under way since this time.
    Authorizing {
        since: Duration,
        server: Arc<Metadata>,
    },
    /// The user has the code; the next poll is not due.
    Waiting(Granted),
    /// A poll is under way.
    Polling(Granted),
    /// The outcome was returned.
    Ended,
}

/// A login that the server granted a code for.
#[derive(Debug)]
struct Granted {
    server: Arc<Metadata>,
    grant: Grant,
    pacing: Pacing,
    expires_at: Duration,
    due: Duration,
    /// How much of the past the machine was suspended, as far as it was told.
    suspended: Duration,
    /// Whether the last response was not HTTP.
    malformed: bool,
}

type Tokens = Arc<TokenResponse>;
type Next = (State, Effect<Tokens>);

impl DeviceFlow {
    pub(crate) fn new(client: Arc<ClientSettings>, time_limit: Option<Duration>) -> Self {
        Self { client, time_limit, give_up_at: None, state: State::Ready }
    }

    fn next(&self, state: State, input: Input, now: Now) -> Next {
        match (state, input) {
            // A response of the server counts even where it comes late; nothing is sent then.
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

            // ── Discovering, Authorizing: nothing is tried twice, since a user is waiting ──
            (State::Discovering, Input::Discovered(server)) => {
                let request = Request::device_authorization(&self.client, &server);
                let state = State::Authorizing { since: now.elapsed, server };
                (state, Effect::Send { request, not_after: None })
            }
            (State::Authorizing { since, server }, Input::Reply(reply)) => {
                match grant::read(&reply, self.client.loopback, &self.secrets(None)) {
                    Ok(grant) => show(grant, server, since, now),
                    Err(error) => finish(Err(error)),
                }
            }
            (State::Discovering | State::Authorizing { .. }, Input::NotSent) => finish(Err(not_sent())),
            (state @ (State::Discovering | State::Authorizing { .. }), Input::Tick) => {
                self.await_reply(state)
            }

            // ── Waiting ──
            (State::Waiting(granted), Input::Tick) => self.wake(granted, now),

            // ── Polling ──
            (State::Polling(granted), Input::Reply(reply)) => self.polled(granted, &reply, now),
            (State::Polling(granted), Input::Lost(RetryReason::Malformed, error)) if granted.malformed => {
                finish(Err(error))
            }
            (State::Polling(granted), Input::Lost(reason, _)) => trouble(granted, reason, None, None, now),
            (State::Polling(granted), Input::NotSent) => self.wake(granted, now),
            (state @ State::Polling(_), Input::Tick) => self.await_reply(state),

            (_, Input::Lost(_, error) | Input::Failed(error)) => finish(Err(error)),
            (_, Input::Discovered(_) | Input::Reply(_) | Input::NotSent | Input::Tick) => {
                finish(Err(out_of_turn()))
            }
        }
    }

    fn await_reply(&self, state: State) -> Next {
        (state, Effect::Wait { until: self.give_up_at })
    }

    fn wake(&self, mut granted: Granted, now: Now) -> Next {
        let slept = now.suspended().saturating_sub(granted.suspended);
        if slept >= SHORTEST_SUSPEND {
            granted.suspended = now.suspended();
            return (State::Waiting(granted), tell(Event::Resumed { suspended_for: slept }));
        }
        // A poll that could not be sent in time will not be sent at all: waiting for it would be pointless.
        if now.elapsed >= granted.expires_at || granted.due >= granted.expires_at {
            return finish(Err(Error::new(
                ErrorKind::Expired,
                "the code expired before the login was approved: start again",
            )));
        }
        if now.elapsed < granted.due {
            let due = self.give_up_at.map_or(granted.due, |end| end.min(granted.due));
            return (State::Waiting(granted), Effect::Wait { until: Some(due) });
        }
        let request = Request::poll(&self.client, &granted.server, &granted.grant.device_code);
        let not_after = Some(granted.expires_at);
        (State::Polling(granted), Effect::Send { request, not_after })
    }

    fn polled(&self, mut granted: Granted, reply: &Reply, now: Now) -> Next {
        granted.malformed = false;
        let verdict = poll::read(reply, self.client.dialect, &self.secrets(Some(&granted.grant)));
        match verdict {
            Verdict::Granted(response) => finish(Ok(Arc::new(self.with_scopes(*response)))),
            Verdict::Failed(error) => finish(Err(error)),
            Verdict::Transient => {
                trouble(granted, RetryReason::Http(reply.status), Some(reply.status), reply.retry_after, now)
            }
            Verdict::Pending(interval) => {
                granted.pacing.pending(interval, reply.retry_after);
                plan(granted, now, |granted, wait| Event::Pending {
                    next_poll_in: wait,
                    expires_in: granted.expires_at.saturating_sub(now.elapsed),
                })
            }
            Verdict::SlowDown(interval) => {
                granted.pacing.slow_down(interval, reply.retry_after);
                plan(granted, now, |granted, _| Event::SlowedDown { interval: granted.pacing.interval() })
            }
        }
    }

    /// RFC 6749 section 5.1: a missing scope is the requested one.
    fn with_scopes(&self, mut response: TokenResponse) -> TokenResponse {
        if response.scopes.is_none() && !self.client.scopes.is_empty() {
            response.scopes = Some(self.client.scopes.clone());
        }
        response
    }

    fn secrets<'a>(&'a self, grant: Option<&'a Grant>) -> Vec<&'a str> {
        self.client.secrets_with(grant.map(|grant| &grant.device_code))
    }
}

impl Flow for DeviceFlow {
    type Output = Tokens;

    fn advance(&mut self, input: Input, now: Now) -> Effect<Tokens> {
        if matches!(self.state, State::Ready) {
            self.give_up_at = self.time_limit.map(|limit| now.elapsed.saturating_add(limit));
        }
        let state = mem::replace(&mut self.state, State::Ended);
        let (state, effect) = self.next(state, input, now);
        self.state = state;
        effect
    }
}

fn finish(outcome: Result<Tokens, Error>) -> Next {
    (State::Ended, Effect::Finish(outcome))
}

fn tell(event: Event) -> Effect<Tokens> {
    Effect::Tell(Notice::Event(event))
}

fn show(grant: Grant, server: Arc<Metadata>, since: Duration, now: Now) -> Next {
    let pacing = Pacing::new(grant.interval);
    let granted = Granted {
        server,
        // RFC 8628 section 3.2: the lifetime of the codes, counted from before the request, so that it is never
        // overrated.
        expires_at: since.saturating_add(grant.expires_in),
        due: now.elapsed.saturating_add(pacing.wait()),
        suspended: now.suspended(),
        malformed: false,
        pacing,
        grant: grant.clone(),
    };
    (State::Waiting(granted), Effect::Tell(Notice::Prompt(grant)))
}

fn trouble(
    mut granted: Granted,
    reason: RetryReason,
    status: Option<u16>,
    retry_after: Option<Duration>,
    now: Now,
) -> Next {
    granted.malformed = reason == RetryReason::Malformed;
    granted.pacing.trouble(status, retry_after);
    plan(granted, now, |granted, wait| Event::Retrying {
        reason,
        attempt: granted.pacing.troubles(),
        retry_in: wait,
    })
}

/// Plans the next poll, counted from the response to the last one: two are never under way at once.
fn plan(mut granted: Granted, now: Now, event: impl FnOnce(&Granted, Duration) -> Event) -> Next {
    let wait = granted.pacing.wait();
    granted.due = now.elapsed.saturating_add(wait);
    let event = event(&granted, wait);
    (State::Waiting(granted), tell(event))
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
