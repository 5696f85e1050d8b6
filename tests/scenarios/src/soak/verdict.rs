//! What a round has shown. Pure.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Deserialize;

use super::history::{Answer, History, Loss, Sent};
use super::plan::{Plan, Step};
use super::round::{Outcome, Seen};
use crate::log;
use crate::tool::End;

/// The exit statuses of `token` (see the example tool).
const LOGIN_REQUIRED: End = End::Status(6);
const TRY_AGAIN: End = End::Status(7);
const DONE: End = End::Status(0);

#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) loss: Option<Loss>,
    pub(crate) faults: Vec<String>,
    pub(crate) figures: Figures,
}

/// Sums over rounds.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) rounds: u64,
    pub(crate) tokens: u64,
    pub(crate) refreshes: u64,
    pub(crate) killed: u64,
    pub(crate) stopped: u64,
    pub(crate) try_again: u64,
    pub(crate) logouts: u64,
    pub(crate) second_logins: u64,
    pub(crate) lost_by_kill: u64,
    pub(crate) lost_by_response: u64,
    pub(crate) lost_avoidably: u64,
    /// The longest call in milliseconds, without the time in which it was stopped.
    pub(crate) longest_ms: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.tokens += other.tokens;
        self.refreshes += other.refreshes;
        self.killed += other.killed;
        self.stopped += other.stopped;
        self.try_again += other.try_again;
        self.logouts += other.logouts;
        self.second_logins += other.second_logins;
        self.lost_by_kill += other.lost_by_kill;
        self.lost_by_response += other.lost_by_response;
        self.lost_avoidably += other.lost_avoidably;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
    }
}

/// A request in the log of the server.
#[derive(Debug, Clone, Deserialize)]
struct Entry {
    #[serde(flatten)]
    request: log::Request,
    step: Option<usize>,
    status: Option<u16>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entries {
    requests: Vec<Entry>,
}

pub(crate) fn judge(plan: &Plan, seen: &Seen) -> Result<Verdict, String> {
    let entries: Entries =
        serde_json::from_value(seen.log.clone()).map_err(|error| format!("the server's log: {error}"))?;
    let history = history(plan, seen, &entries.requests);
    let mut verdict = Verdict { faults: history.faults(), ..Verdict::default() };
    let violations = entries.requests.iter().flat_map(|entry| &entry.request.violations);
    verdict.faults.extend(violations.map(|violation| format!("the server reports {violation}")));

    let is_there = match seen.checks.last().map(|check| check.end) {
        Some(DONE) => true,
        Some(LOGIN_REQUIRED) => false,
        other => {
            verdict.faults.push(format!("after the round, token ended with {other:?}"));
            plan.ends_logged_in()
        }
    };
    match (plan.ends_logged_in(), is_there) {
        (true, false) => verdict.loss = Some(history.loss()),
        (false, true) => verdict.faults.push("the session is there after the logout".to_owned()),
        _ => {}
    }
    if let Some(Loss::Avoidable(why)) = &verdict.loss {
        verdict.faults.push(format!("the session is lost: {why}"));
    }
    let is_over = verdict.loss.is_some() || !plan.between.is_empty();
    let secrets: Vec<&str> = history.sent.iter().map(|sent| sent.token.as_str()).collect();
    for outcome in seen.tokens.iter().chain(&seen.between).chain(&seen.checks) {
        verdict.faults.extend(outcome_faults(outcome, plan, &history, is_over));
        if secrets.iter().any(|secret| outcome.stdout.contains(secret) || outcome.stderr.contains(secret)) {
            verdict.faults.push(format!("{} printed a refresh token", name(outcome)));
        }
    }
    verdict.figures = figures(seen, &history, verdict.loss.as_ref());
    Ok(verdict)
}

fn history(plan: &Plan, seen: &Seen, entries: &[Entry]) -> History {
    let refreshes = entries.iter().filter(|entry| entry.request.endpoint == "refresh");
    let outcomes = seen.tokens.iter().chain(&seen.between).chain(&seen.checks);
    let mut sent: Vec<Sent> = refreshes.map(|entry| sent(plan, entry)).collect();
    sent.sort_by(|one, other| one.arrived.total_cmp(&other.arrived));
    History {
        grace: plan.flavor.grace(),
        sent,
        lives: outcomes.map(|outcome| (outcome.number, outcome.life.clone())).collect::<BTreeMap<_, _>>(),
        changed: seen.between.first().map(|outcome| outcome.life.started),
    }
}

fn sent(plan: &Plan, entry: &Entry) -> Sent {
    let request = &entry.request;
    let form = request.form.iter().flatten();
    let token = form.clone().find(|(name, _)| name == "refresh_token").map(|(_, token)| token.clone());
    let by = request.header_values("x-process").next().and_then(|number| number.parse().ok());
    let step = entry.step.and_then(|step| plan.steps.get(step)).copied();
    let answer = match (entry.status, entry.error.as_deref()) {
        (_, Some("invalid_grant")) if step.is_some_and(|step| step.loses_response()) => Answer::DeadUnheard,
        (_, Some("invalid_grant")) => Answer::Dead,
        _ if step.is_some_and(|step| step.loses_response()) => Answer::Lost,
        _ if step.is_some_and(|step| !step.processes()) => Answer::Later,
        // A response to a client that has gone has no status, but the token is spent.
        (Some(200) | None, _) => Answer::Rotated,
        (Some(408 | 429 | 500..), _) => Answer::Later,
        _ => Answer::Other,
    };
    // A reset connection ends at once. A silent one ends when the client has waited for long enough.
    let reset = matches!(step, Some(Step::NotProcessed | Step::Lost)).then_some(request.arrived);
    let ended = request.replied.or(reset).or(request.gone);
    Sent { token: token.unwrap_or_default(), by, arrived: request.arrived, ended, answer }
}

fn outcome_faults(outcome: &Outcome, plan: &Plan, history: &History, is_over: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let name = name(outcome);
    match (outcome.word, outcome.end) {
        (_, DONE) => {}
        (_, End::TimedOut) => faults.push(format!("{name} did not end within {:?}", super::round::LIMIT)),
        ("token", LOGIN_REQUIRED) if is_over => {}
        ("token", TRY_AGAIN) if plan.has_trouble() => {}
        (_, End::Signal(9)) if outcome.life.killed.is_some() => {}
        (_, end) => faults.push(format!(
            "{name} ended with {end:?}: {}{}",
            outcome.stdout.trim(),
            outcome.stderr.trim()
        )),
    }
    match outcome.token {
        None if outcome.word == "token" && outcome.end == DONE && outcome.number <= plan.processes.len() => {
            faults.push(format!("{name} printed no token: {}", outcome.stdout.trim()));
        }
        Some((false, at)) => {
            // A logout, a second login or the refusal of a spent token ends the tokens of the session.
            let refused = history.sent.iter().find(|sent| sent.answer.is_refusal());
            let ends = [history.changed, refused.map(|sent| sent.arrived)];
            if !ends.into_iter().flatten().any(|end| end <= at) {
                faults.push(format!("{name} printed a token that the server does not accept at {at:.3}"));
            }
        }
        _ => {}
    }
    faults
}

fn name(outcome: &Outcome) -> String {
    format!("{} (process {})", outcome.word, outcome.number)
}

fn figures(seen: &Seen, history: &History, loss: Option<&Loss>) -> Figures {
    let count = |holds: &dyn Fn(&&Outcome) -> bool| -> u64 {
        u64::try_from(seen.tokens.iter().filter(holds).count()).unwrap_or(u64::MAX)
    };
    let words = |word: &str| {
        let commands = seen.between.iter().filter(|outcome| outcome.word == word);
        u64::try_from(commands.count()).unwrap_or(u64::MAX)
    };
    let longest = seen.tokens.iter().chain(&seen.between).chain(&seen.checks).map(|outcome| {
        let stopped: f64 = outcome.life.stops.iter().map(|(from, to)| to - from).sum();
        outcome.life.ended - outcome.life.started - stopped
    });
    let longest = std::time::Duration::try_from_secs_f64(longest.fold(0.0, f64::max)).unwrap_or_default();
    Figures {
        rounds: 1,
        tokens: count(&|outcome| outcome.end == DONE),
        refreshes: u64::try_from(history.sent.len()).unwrap_or(u64::MAX),
        killed: count(&|outcome| outcome.life.killed.is_some()),
        stopped: count(&|outcome| !outcome.life.stops.is_empty()),
        try_again: count(&|outcome| outcome.end == TRY_AGAIN),
        logouts: words("logout"),
        second_logins: words("login"),
        lost_by_kill: u64::from(loss == Some(&Loss::Killed)),
        lost_by_response: u64::from(loss == Some(&Loss::ResponseLost)),
        lost_avoidably: u64::from(matches!(loss, Some(Loss::Avoidable(_)))),
        longest_ms: u64::try_from(longest.as_millis()).unwrap_or(u64::MAX),
    }
}
