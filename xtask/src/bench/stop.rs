//! How soon a login ends that is told to.

use serde_json::{Value, json};

use anyhow::Context;

use super::Bench;
use super::samples::Samples;
use super::table::{Budget, Row};

/// Logins that hang side by side and are ended one by one.
const LOGINS: u32 = 8;

/// Settings of a server that never answers a poll.
fn silent() -> Value {
    json!({"interval": 1, "script": {"token": {"steps": [{"hang": "before"}], "then": "repeat"}}})
}

pub(super) fn interrupt_in_flight(bench: &Bench<'_>) -> anyhow::Result<Vec<Row>> {
    let at = bench.server.open(silent())?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..LOGINS {
        ours.push(bench.tool(&at)?);
        floor.push(bench.floor(&at, 1, 0.0)?);
    }
    at.wait_for_polls(ours.len() + floor.len())?;
    let (mut ours_took, mut floor_took) = (Samples::default(), Samples::default());
    for (ours, floor) in ours.iter_mut().zip(&mut floor) {
        ours_took.push(ours.interrupt()?.as_secs_f64() * 1e3);
        floor_took.push(floor.interrupt()?.as_secs_f64() * 1e3);
    }
    Ok(vec![Row {
        what: "Ctrl-C to exit, request in flight".to_owned(),
        unit: "ms",
        ours: ours_took,
        beside: floor_took,
        budget: Budget::Median(10.0),
    }])
}

pub(super) fn cancel(bench: &Bench<'_>) -> anyhow::Result<Vec<Row>> {
    let asleep = bench.server.open(json!({}))?;
    let took_asleep = milliseconds(&bench.meter(&asleep, &["cancel", "--after", "0.2"], LOGINS)?)?;
    let in_flight = bench.server.open(silent())?;
    let took_in_flight = milliseconds(&bench.meter(&in_flight, &["cancel", "--after", "1.4"], LOGINS)?)?;
    // Whoever was not in flight was cancelled asleep, and says nothing about this.
    in_flight.wait_for_polls(usize::try_from(LOGINS)?)?;
    let row = |what: &str, ours| Row {
        what: what.to_owned(),
        unit: "ms",
        ours,
        beside: Samples::default(),
        budget: Budget::Median(5.0),
    };
    Ok(vec![
        row("cancel() to return of poll(), asleep", took_asleep),
        row("cancel() to return of poll(), in flight", took_in_flight),
    ])
}

fn milliseconds(found: &Value) -> anyhow::Result<Samples> {
    let all = found.get("milliseconds").and_then(Value::as_array).context("the meter found nothing")?;
    let mut samples = Samples::default();
    samples.extend(all.iter().filter_map(Value::as_f64));
    Ok(samples)
}
