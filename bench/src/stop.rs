//! Measures how fast a login ends when it is cancelled.

use anyhow::Context;
use serde_json::{Value, json};

use super::samples::Samples;
use super::subject::Cancel;
use super::table::{Budget, Row};
use super::{Bench, Start};

/// Number of simultaneous hanging logins, which are ended one by one.
const LOGINS: u32 = 8;

/// Settings of a server that never responds to a poll.
fn silent() -> Value {
    json!({"interval": 1, "script": {"token": {"steps": [{"hang": "before"}], "then": "repeat"}}})
}

/// Compares with what `start` starts, if that reacts to Ctrl-C while a request is in flight.
pub(super) fn interrupt_in_flight(
    bench: &Bench<'_>,
    settings: &Value,
    start: Option<Start<'_>>,
) -> anyhow::Result<Vec<Row>> {
    let mut silent = silent();
    if let (Some(all), Some(more)) = (silent.as_object_mut(), settings.as_object()) {
        all.extend(more.clone());
    }
    let at = bench.server.open(silent)?;
    let mut pairs = Vec::new();
    for _ in 0..LOGINS {
        pairs.push((bench.tool(&at)?, start.map(|start| start(&at)).transpose()?));
    }
    at.wait_for_polls(pairs.len() * if start.is_some() { 2 } else { 1 })?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for (tool, beside) in &mut pairs {
        ours.push(tool.interrupt()?.as_secs_f64() * 1e3);
        if let Some(beside) = beside {
            theirs.push(beside.interrupt()?.as_secs_f64() * 1e3);
        }
    }
    Ok(vec![Row {
        what: "Ctrl-C to exit, request in flight".to_owned(),
        unit: "ms",
        ours,
        beside: theirs,
        budget: bench.subject.budgets.interrupt,
    }])
}

/// Measures every way to cancel a login from another thread in this language.
pub(super) fn cancel(bench: &Bench<'_>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for Cancel { what, word } in bench.subject.cancels {
        let asleep = bench.server.open(json!({}))?;
        let took_asleep = milliseconds(&bench.meter(&asleep, &[word, "--after", "0.2"], LOGINS)?)?;
        let in_flight = bench.server.open(silent())?;
        let took_in_flight = milliseconds(&bench.meter(&in_flight, &[word, "--after", "1.4"], LOGINS)?)?;
        // A login without a request in flight was cancelled while asleep and does not count here.
        in_flight.wait_for_polls(usize::try_from(LOGINS)?)?;
        for (state, ours) in [("asleep", took_asleep), ("in flight", took_in_flight)] {
            rows.push(Row {
                what: format!("{what} to return of poll(), {state}"),
                unit: "ms",
                ours,
                beside: Samples::default(),
                budget: Budget::Median(5.0),
            });
        }
    }
    Ok(rows)
}

fn milliseconds(found: &Value) -> anyhow::Result<Samples> {
    let all = found
        .get("milliseconds")
        .and_then(Value::as_array)
        .context("the result of the meter has no times")?;
    let mut samples = Samples::default();
    samples.extend(all.iter().filter_map(Value::as_f64));
    Ok(samples)
}
