//! Device codes: from issue to redemption. Pure: the time comes from outside.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Flavor;
use super::check::LONGEST_KEPT;
use crate::clock;
use crate::kept::{Expires, Kept};
use crate::settings::{Decision, Settings};

/// RFC 8628, section 3.5.
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// A code is remembered for so long after it has expired, to tell its client that it has.
const EXPIRED: Duration = Duration::from_secs(600);
const MOST_CODES: usize = 20_000;

/// One login.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) flavor: Flavor,
    pub(crate) state: State,
    /// The PKCE challenge, whose verifier each poll must have.
    pub(crate) challenge: Option<String>,
    issued: Instant,
    /// When a client was last told of it: a script may give one code to several.
    told: Instant,
    expires: Instant,
    /// What the client was told, slow_downs included.
    announced: Duration,
    /// What is enforced, if it is not what was announced.
    enforced: Option<Duration>,
    last_poll: Option<Instant>,
    polls: u32,
    in_flight: u32,
    /// The client has been told the end.
    ended: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    Pending,
    Approved { organization_id: Option<String> },
    Denied,
    StepUp { code: String, status: u16, body: serde_json::Map<String, Value> },
    Redeemed,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved { .. } => "approved",
            State::Denied => "denied",
            State::StepUp { .. } => "step_up",
            State::Redeemed => "redeemed",
        }
    }
}

impl From<Decision> for State {
    fn from(decision: Decision) -> State {
        match decision {
            Decision::Approve { organization_id } => State::Approved { organization_id },
            Decision::Deny {} => State::Denied,
            Decision::StepUp { code, status, body } => State::StepUp { code, status, body },
        }
    }
}

impl Code {
    fn interval(&self) -> Duration {
        self.enforced.unwrap_or(self.announced)
    }

    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        now > self.expires
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "user_code": self.user_code,
            "device_code": self.device_code,
            "client_id": self.client_id,
            "state": self.state.name(),
            "polls": self.polls,
            "issued": clock::seconds(self.issued),
            "interval": self.announced.as_secs_f64(),
        })
    }
}

/// What is noticed about a poll whatever it is answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Noticed {
    pub(crate) too_early: bool,
    pub(crate) violations: Vec<&'static str>,
}

/// What a poll gets.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Unknown,
    Pending,
    SlowDown,
    Expired,
    Denied,
    StepUp { code: String, status: u16, body: serde_json::Map<String, Value> },
    Granted { scope: String, organization_id: Option<String> },
}

/// All codes of a server.
#[derive(Debug)]
pub(crate) struct Codes {
    by_device_code: Kept<Code>,
}

impl Default for Codes {
    fn default() -> Codes {
        Codes { by_device_code: Kept::new(MOST_CODES) }
    }
}

impl Expires for Code {
    fn expires(&self) -> Instant {
        self.expires + EXPIRED
    }
}

/// What a new code starts with.
#[derive(Debug)]
pub(crate) struct NewCode {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) flavor: Flavor,
    pub(crate) challenge: Option<String>,
}

impl Codes {
    pub(crate) fn issue(&mut self, new: NewCode, settings: &Settings, now: Instant) {
        let announced = settings.interval.as_ref().and_then(serde_json::Number::as_f64);
        let lifetime = clock::duration(settings.expires_in.as_f64().unwrap_or(300.0));
        let code = Code {
            device_code: new.device_code.clone(),
            user_code: new.user_code,
            client_id: new.client_id,
            scope: new.scope,
            flavor: new.flavor,
            state: State::Pending,
            challenge: new.challenge,
            issued: now,
            told: now,
            expires: now + lifetime,
            announced: clock::duration(announced.unwrap_or(5.0)),
            enforced: settings.enforce_interval.map(clock::duration),
            last_poll: None,
            polls: 0,
            in_flight: 0,
            ended: false,
        };
        self.by_device_code.insert(new.device_code, code, now);
    }

    pub(crate) fn get(&self, device_code: &str) -> Option<&Code> {
        self.by_device_code.get(device_code)
    }

    /// As a person types it: case, dashes and spaces do not matter.
    pub(crate) fn by_user_code(&self, user_code: &str) -> Option<&Code> {
        let fits = |code: &&Code| letters(&code.user_code).eq(letters(user_code));
        self.by_device_code.values().filter(fits).max_by_key(|code| code.told)
    }

    pub(crate) fn newest_pending(&self) -> Option<&Code> {
        let pending = self.by_device_code.values().filter(|code| code.state == State::Pending);
        pending.max_by_key(|code| code.told)
    }

    /// All codes, oldest first.
    pub(crate) fn all(&self) -> Vec<&Code> {
        let mut all: Vec<&Code> = self.by_device_code.values().collect();
        all.sort_by_key(|code| code.issued);
        all
    }

    /// Decides a code that is undecided.
    pub(crate) fn decide(&mut self, device_code: &str, decision: Decision) -> bool {
        match self.by_device_code.get_mut(device_code) {
            Some(code) if code.state == State::Pending => {
                code.state = decision.into();
                true
            }
            _ => false,
        }
    }

    /// Takes over what the client was really told, which a script may have changed.
    pub(crate) fn announce(
        &mut self,
        device_code: &str,
        answer: &serde_json::Map<String, Value>,
        now: Instant,
    ) {
        let Some(mut code) = self.by_device_code.remove(device_code) else {
            return;
        };
        let told = |name: &str| answer.get(name).and_then(number);
        let text =
            |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| text.len() <= LONGEST_KEPT);
        if let Some(other) = text("device_code") {
            code.device_code = other.to_owned();
        }
        if let Some(other) = text("user_code") {
            code.user_code = other.to_owned();
        }
        code.announced = clock::duration(told("interval").filter(|interval| *interval >= 0.0).unwrap_or(5.0));
        if let Some(lifetime) = told("expires_in").filter(|lifetime| *lifetime > 0.0) {
            code.expires = code.issued + clock::duration(lifetime);
        }
        code.told = now;
        self.by_device_code.insert(code.device_code.clone(), code, now);
    }

    /// Notes a poll; every poll that is noted has to be told as over by [`Codes::poll_is_over`].
    pub(crate) fn notice(&mut self, device_code: &str, now: Instant) -> Noticed {
        let mut noticed = Noticed::default();
        let Some(code) = self.by_device_code.get_mut(device_code) else {
            return noticed;
        };
        let since = code.last_poll.unwrap_or(code.issued);
        let waited = now.saturating_duration_since(since);
        noticed.too_early = waited < code.interval();
        if waited < code.announced {
            noticed.violations.push("polled_too_early");
        }
        if code.in_flight > 0 {
            noticed.violations.push("overlapping_poll");
        }
        if code.ended {
            noticed.violations.push("polled_after_end");
        } else if code.is_expired(now) {
            noticed.violations.push("polled_after_expiry");
        }
        code.last_poll = Some(now);
        code.polls += 1;
        code.in_flight += 1;
        noticed
    }

    pub(crate) fn poll_is_over(&mut self, device_code: &str) {
        if let Some(code) = self.by_device_code.get_mut(device_code) {
            code.in_flight = code.in_flight.saturating_sub(1);
        }
    }

    /// A script told the client to slow down, or named an interval.
    pub(crate) fn slowed(&mut self, device_code: &str, named: Option<f64>, slow_down: bool) {
        let Some(code) = self.by_device_code.get_mut(device_code) else {
            return;
        };
        if slow_down {
            code.slow_down();
        }
        if let Some(named) = named {
            code.announced = code.announced.max(clock::duration(named));
        }
    }

    /// Answers a poll that was noticed. A code that is granted is spent by it.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        (client_id, flavor): (&str, Flavor),
        noticed: &Noticed,
        settings: &Settings,
        now: Instant,
    ) -> Verdict {
        let Some(code) = self.by_device_code.get_mut(device_code) else {
            return Verdict::Unknown;
        };
        if code.client_id != client_id || code.flavor != flavor || code.state == State::Redeemed {
            return Verdict::Unknown;
        }
        if code.is_expired(now) {
            code.ended = true;
            return Verdict::Expired;
        }
        code.decide_by_settings(settings, now);
        if noticed.too_early && settings.slow_down {
            code.slow_down();
            return Verdict::SlowDown;
        }
        match code.state.clone() {
            State::Pending => Verdict::Pending,
            State::Denied => {
                code.ended = true;
                Verdict::Denied
            }
            State::StepUp { code: name, status, body } => {
                code.ended = true;
                Verdict::StepUp { code: name, status, body }
            }
            State::Approved { organization_id } => {
                code.spend();
                Verdict::Granted { scope: code.scope.clone(), organization_id }
            }
            State::Redeemed => Verdict::Unknown,
        }
    }

    /// Grants whatever the state; None for a code that was never issued.
    pub(crate) fn grant(&mut self, device_code: &str) -> Option<(String, String)> {
        let code = self.by_device_code.get_mut(device_code)?;
        code.spend();
        Some((code.client_id.clone(), code.scope.clone()))
    }
}

impl Code {
    fn decide_by_settings(&mut self, settings: &Settings, now: Instant) {
        let Some(decision) = &settings.answer.0 else {
            return;
        };
        let waited = now.saturating_duration_since(self.issued) >= clock::duration(settings.answer_after);
        let asked = self.polls > settings.answer_after_polls;
        if self.state == State::Pending && waited && asked {
            self.state = decision.clone().into();
        }
    }

    fn slow_down(&mut self) {
        self.announced += SLOW_DOWN;
        self.enforced = self.enforced.map(|enforced| enforced + SLOW_DOWN);
    }

    fn spend(&mut self) {
        self.state = State::Redeemed;
        self.ended = true;
    }
}

/// A number, or a decimal text as some servers send.
pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

/// What counts of a user code.
fn letters(user_code: &str) -> impl Iterator<Item = char> {
    user_code.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase)
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
