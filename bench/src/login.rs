//! Measures logins with five polls by the server's log: connections, handshakes, bytes, and the pace of the polls.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use super::samples::Samples;
use super::server::{Log, number};
use super::table::{Budget, Row};
use super::{Bench, Start};

const ROUNDS: u32 = 3;
pub(super) const POLLS: u32 = 5;
pub(super) const INTERVAL: f64 = 1.0;
/// Seconds that our client adds to every wait, so that it does not poll too early if the server's clock is slower.
pub(super) const GUARD: f64 = 0.05;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Seen {
    connections: Samples,
    handshakes: Samples,
    up: Samples,
    down: Samples,
    late_ms: Samples,
}

impl Seen {
    fn add(&mut self, log: &Log, expected_gap: f64) -> anyhow::Result<()> {
        let polls = log.requests("token").count();
        ensure!(polls == usize::try_from(POLLS)?, "a login took {polls} polls instead of {POLLS}");
        let sum = |value: fn(&Value) -> f64| log.connections().map(value).sum();
        self.connections.push(sum(|_| 1.0));
        self.handshakes.push(sum(|one| f64::from(one.get("handshake").is_some_and(|it| it == "full"))));
        self.up.push(sum(|one| number(one, "bytes_in").unwrap_or_default()));
        self.down.push(sum(|one| number(one, "bytes_out").unwrap_or_default()));
        self.late_ms.extend(log.gaps().into_iter().map(|gap| (gap - expected_gap) * 1e3));
        Ok(())
    }
}

/// Compares with a program that `start` starts and that adds this many seconds to every wait.
pub(super) fn measure(bench: &Bench<'_>, start: Start<'_>, guard: f64) -> anyhow::Result<Vec<Row>> {
    let (mut ours, mut theirs) = (Seen::default(), Seen::default());
    for _ in 0..ROUNDS {
        let settings = json!({"interval": INTERVAL, "answer": "approve", "answer_after_polls": POLLS - 1});
        let (ours_at, theirs_at) = (bench.server.open(settings.clone())?, bench.server.open(settings)?);
        // In parallel, because they mostly sleep.
        let mut tool = bench.tool(&ours_at)?;
        let mut beside = start(&theirs_at)?;
        tool.finish(PATIENCE)?;
        beside.finish(PATIENCE)?;
        ours.add(&ours_at.log()?, INTERVAL + GUARD)?;
        theirs.add(&theirs_at.log()?, INTERVAL + guard)?;
    }
    let row =
        |what: &str, unit, ours, beside, budget| Row { what: what.to_owned(), unit, ours, beside, budget };
    Ok(vec![
        row("login of 5 polls, connections", "", ours.connections, theirs.connections, Budget::Every(1.0)),
        row("login of 5 polls, full handshakes", "", ours.handshakes, theirs.handshakes, Budget::Every(1.0)),
        row("login of 5 polls, sent", "bytes", ours.up, theirs.up, Budget::Nothing),
        row("login of 5 polls, received", "bytes", ours.down, theirs.down, Budget::Nothing),
        row("pace: gap beyond interval and guard", "ms", ours.late_ms, theirs.late_ms, Budget::Every(5.0)),
    ])
}
