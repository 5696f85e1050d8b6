//! What happens in a round: determined by the seed and the number of the round.

use std::time::Duration;

use serde_json::{Value, json};

use super::random::Random;

/// The server's manner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// A refresh token that comes again ends the session.
    Connect,
    /// A refresh token may come again for 30 s.
    AuthKit,
}

impl Flavor {
    /// How long a refresh token may come again, in seconds.
    pub(crate) fn grace(self) -> f64 {
        match self {
            Self::Connect => 0.0,
            Self::AuthKit => 30.0,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) flavor: Flavor,
    /// The lifetime of access tokens in seconds.
    pub(crate) lifetime: u64,
    /// What the processes demand, in seconds.
    pub(crate) min_validity: f64,
    /// When the first process starts, after the login.
    pub(crate) begins: Duration,
    pub(crate) processes: Vec<Process>,
    /// What the server does at each refresh. Afterwards it behaves normally.
    pub(crate) steps: Vec<Step>,
    /// Other commands, one after the other.
    pub(crate) between: Vec<(Duration, Command)>,
}

/// One process that asks for a token. Times are relative to the start of the processes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Process {
    pub(crate) starts: Duration,
    /// Signals, with the time since the start of the process.
    pub(crate) signals: Vec<(Duration, Signal)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Kill,
    Stop,
    Continue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Login,
    Logout,
}

/// What the server does at one refresh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Real,
    /// The response comes late.
    Slow(Duration),
    /// 503, and the token stays good.
    Unavailable,
    /// The connection is reset before the request is processed.
    NotProcessed,
    /// The token is spent, and no byte of the response arrives.
    Lost,
    /// The token is spent, and the response ends in the middle.
    CutOff,
    /// The token is spent, and the connection stays silent.
    Silent,
}

impl Step {
    /// Whether the token was spent and the response cannot reach the client.
    pub(crate) fn loses_response(self) -> bool {
        matches!(self, Self::Lost | Self::CutOff | Self::Silent)
    }

    /// Whether the server processes the request.
    pub(crate) fn processes(self) -> bool {
        !matches!(self, Self::Unavailable | Self::NotProcessed)
    }

    /// Returns the step of the server's script.
    pub(crate) fn script(self) -> Value {
        match self {
            Self::Real => json!("real"),
            Self::Slow(time) => json!({"real": true, "delay": time.as_secs_f64()}),
            Self::Unavailable => json!({"status": 503, "body": "busy", "content_type": "text/plain"}),
            Self::NotProcessed => json!({"reset": "before"}),
            Self::Lost => json!({"real": true, "reset": "before"}),
            Self::CutOff => json!({"real": true, "close": "body"}),
            Self::Silent => json!({"real": true, "hang": "before"}),
        }
    }
}

/// The lifetime in rounds in which the token is early, then expired, and in the others.
const SHORT: u64 = 15;
const LONG: u64 = 60;

impl Plan {
    /// Without `silence`, the server responds or resets the connection.
    pub(crate) fn new(seed: u64, round: u64, processes: u64, silence: bool) -> Self {
        let mut random = Random::of_round(seed, round);
        let flavor = if random.per_cent(30) { Flavor::AuthKit } else { Flavor::Connect };
        // Waiting until a token is early takes long, so that few rounds do it. A quick one comes first.
        let early = round != 0 && random.per_cent(12);
        let (lifetime, min_validity, begins, spread) = if early {
            (SHORT, 2.0, random.millis(11_200, 12_500), random.millis(500, 2500))
        } else {
            // A token is good enough for this long after it was received.
            let good = random.millis(50, 1000).as_secs_f64();
            let begins = Duration::from_secs_f64(good) + random.millis(0, 100);
            (LONG, 60.0 - good, begins, random.millis(20, 1500))
        };
        let spread = u64::try_from(spread.as_millis()).unwrap_or(0);
        let calm = random.per_cent(15);
        let processes = (0..processes).map(|_| Process::new(&mut random, spread, calm)).collect();
        let steps = (0..2 + random.below(7)).map(|_| step(&mut random, calm, silence)).collect();
        let between = between(&mut random, spread);
        Self { flavor, lifetime, min_validity, begins, processes, steps, between }
    }

    /// Whether a process may report that it should be tried again.
    pub(crate) fn has_trouble(&self) -> bool {
        let signalled = self.processes.iter().any(|process| !process.signals.is_empty());
        signalled || !self.between.is_empty() || self.steps.iter().any(|step| *step != Step::Real)
    }

    /// Whether a session should be there at the end.
    pub(crate) fn ends_logged_in(&self) -> bool {
        self.between.last().is_none_or(|(_, command)| *command == Command::Login)
    }
}

impl Process {
    fn new(random: &mut Random, spread: u64, calm: bool) -> Self {
        let starts = random.millis(0, spread);
        let mut signals = Vec::new();
        if !calm && random.per_cent(30) {
            // A process that finds a good token ends within 20 ms.
            let most = if random.per_cent(50) { 40 } else { 1000 };
            signals.push((random.millis(0, most), Signal::Kill));
        } else if !calm && random.per_cent(15) {
            let most = if random.per_cent(50) { 40 } else { 1000 };
            let stop = random.millis(0, most);
            let longest = if random.per_cent(80) { 1500 } else { 7000 };
            signals.push((stop, Signal::Stop));
            signals.push((stop + random.millis(20, longest), Signal::Continue));
        }
        Self { starts, signals }
    }
}

fn step(random: &mut Random, calm: bool, silence: bool) -> Step {
    match random.below(100) {
        _ if calm => Step::Real,
        0..20 => Step::Real,
        20..65 => {
            let longest = if random.per_cent(80) { 400 } else { 3000 };
            Step::Slow(random.millis(10, longest))
        }
        65..80 => Step::Unavailable,
        80..90 => Step::NotProcessed,
        90..95 => Step::Lost,
        95..99 => Step::CutOff,
        _ if !silence => Step::Lost,
        _ => Step::Silent,
    }
}

fn between(random: &mut Random, spread: u64) -> Vec<(Duration, Command)> {
    let at = random.millis(0, spread + 300);
    let then = at + random.millis(0, 300);
    match random.below(100) {
        0..5 => vec![(at, Command::Logout)],
        5..10 => vec![(at, Command::Login)],
        10..15 => vec![(at, Command::Logout), (then, Command::Login)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_plan() {
        let text = |seed, round| format!("{:?}", Plan::new(seed, round, 20, true));
        assert_eq!(text(5, 2), text(5, 2));
        assert_ne!(text(5, 2), text(5, 3));
    }

    #[test]
    fn everything_happens_sometimes() {
        let plans: Vec<Plan> = (0..300).map(|round| Plan::new(1, round, 20, true)).collect();
        let some = |holds: &dyn Fn(&Plan) -> bool| plans.iter().any(holds) && !plans.iter().all(holds);
        assert!(some(&|plan| plan.flavor == Flavor::AuthKit));
        assert!(some(&|plan| plan.lifetime == SHORT));
        assert!(some(&Plan::has_trouble) && some(&Plan::ends_logged_in));
        for signal in [Signal::Kill, Signal::Stop, Signal::Continue] {
            let is_sent = |process: &Process| process.signals.iter().any(|(_, sent)| *sent == signal);
            assert!(some(&|plan| plan.processes.iter().any(is_sent)), "{signal:?}");
        }
        for step in [Step::Unavailable, Step::NotProcessed, Step::Lost, Step::CutOff, Step::Silent] {
            assert!(some(&|plan| plan.steps.contains(&step)), "{step:?}");
        }
    }

    #[test]
    fn a_stopped_process_is_continued() {
        for round in 0..200 {
            for process in Plan::new(3, round, 20, true).processes {
                let last = process.signals.last().map(|(_, signal)| *signal);
                assert_ne!(last, Some(Signal::Stop));
                assert!(process.signals.is_sorted_by_key(|(at, _)| *at));
            }
        }
    }
}
