//! Measures the cost of many polls and many logins.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::Bench;
use super::program::Program;
use super::samples::Samples;
use super::server::{Virtual, number};
use super::table::{Budget, Row};

/// Timeout for one run of the meter.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// Seconds between the polls of a login in a crowd.
const INTERVAL: u32 = 5;

const POLL_ROUNDS: u32 = 3;
const POLL_SECONDS: &str = "4";
/// If the average pause is shorter than this, only a few polls had a pause before them.
const SHORTEST_PAUSE: f64 = 100e-6;

/// The budgets for a crowd of any size.
const CONNECTIONS: f64 = 64.0;
const GAP_S: f64 = 5.5;

/// Returns the cost in microseconds of the same number of polls in another program, with this many seconds between.
type Beside<'b> = &'b dyn Fn(u32, f64) -> anyhow::Result<f64>;

/// With so many logins, one thread cannot keep up and never sleeps between polls.
pub(super) fn busy_polls(bench: &Bench<'_>, beside: Beside<'_>) -> anyhow::Result<Row> {
    polls(bench, 8_000, "processor time of a poll, back to back", beside)
}

/// With so few logins, the thread sleeps before each poll, as in a tool. Waking up has a cost for the floor too.
pub(super) fn paced_polls(bench: &Bench<'_>, beside: Beside<'_>) -> anyhow::Result<Row> {
    polls(bench, 400, "processor time of a poll, 2.6 ms apart", beside)
}

fn polls(bench: &Bench<'_>, logins: u32, what: &str, beside: Beside<'_>) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for _ in 0..POLL_ROUNDS {
        let at = bench.server.open(json!({"interval": 1, "log": false}))?;
        let found = bench.meter(&at, &["polls", "--seconds", POLL_SECONDS], logins)?;
        let polls =
            number(&found, "polls").filter(|polls| *polls > 0.0).context("the result has no polls")?;
        ours.push(number(&found, "cpu_us").context("the result has no processor time")? / polls);
        let pause = number(&found, "slept_s").context("the result has no pause")?;
        let pause = if pause < SHORTEST_PAUSE { 0.0 } else { pause };
        theirs.push(beside(format!("{polls:.0}").parse()?, pause)? / polls);
    }
    Ok(Row { what: what.to_owned(), unit: "us", ours, beside: theirs, budget: bench.subject.budgets.poll })
}

/// Runs the floor, which polls with one code whose interval is not enforced.
pub(super) fn floor_polls(bench: &Bench<'_>, polls: u32, pause: f64) -> anyhow::Result<f64> {
    let at = bench.server.open(json!({"enforce_interval": 0, "slow_down": false, "log": false}))?;
    cost(bench.floor(&at, polls, pause)?)
}

/// Returns the cost in microseconds that a program prints at its end.
pub(super) fn cost(mut program: Program) -> anyhow::Result<f64> {
    program.code()?;
    let said = program.finish(PATIENCE)?;
    let mut words = said.split_whitespace().skip_while(|word| *word != "cpu_us").skip(1);
    Ok(words.next().context("the program did not print its cost")?.parse()?)
}

/// Creates a server for a crowd: interval 5 s, the fourth poll returns the token.
pub(super) fn crowded<'s>(bench: &Bench<'s>, enforce_interval: u32) -> anyhow::Result<Virtual<'s>> {
    // The log is disabled because its cost would depend on the size of the crowd.
    bench.server.open(json!({
        "interval": INTERVAL, "enforce_interval": enforce_interval, "expires_in": 600, "answer": "approve",
        "answer_after_polls": 3, "log": false,
    }))
}

/// Returns the rows for this many logins in one process, compared with the results of another program.
pub(super) fn crowd(bench: &Bench<'_>, logins: u32, theirs: &Value) -> anyhow::Result<Vec<Row>> {
    let at = crowded(bench, INTERVAL)?;
    let before = bench.server.cpu_ms();
    let ours = bench.meter(&at, &["crowd"], logins)?;
    let mut of_server = Samples::default();
    of_server.extend(bench.server.cpu_ms().zip(before).map(|(after, before)| (after - before) / 1e3));
    if let Some(failed) =
        ours.get("failed").filter(|failed| failed.as_object().is_some_and(|all| !all.is_empty()))
    {
        println!("   some logins failed: {failed}");
    }
    let row = |what: &str, unit, name: &str, factor: f64, budget| {
        let value =
            |found: &Value| number(found, name).map(|it| Samples::one(it * factor)).unwrap_or_default();
        let what = format!("{logins} simultaneous logins, {what}");
        Row { what, unit, ours: value(&ours), beside: value(theirs), budget }
    };
    Ok(vec![
        row("done", "", "done", 1.0, Budget::Nothing),
        row("wall time", "s", "wall_s", 1.0, Budget::Nothing),
        row("processor time", "s", "cpu_s", 1.0, bench.subject.budgets.crowd_cpu),
        Row { ours: of_server, ..row("the server's processor time", "s", "", 1.0, Budget::Nothing) },
        row("peak memory", "MB", "peak_kib", 1024.0 / 1e6, bench.subject.budgets.crowd_memory),
        row("most threads", "", "threads", 1.0, Budget::Nothing),
        row("most sockets open", "", "sockets", 1.0, Budget::Every(CONNECTIONS)),
        row("gap p99 (interval 5 s)", "s", "gap_p99_s", 1.0, Budget::Median(GAP_S)),
    ])
}
