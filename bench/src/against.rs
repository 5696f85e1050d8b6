//! Compares the example tools of another checkout with ours: before and after a change, in one run.
//!
//! Only the tools are compared, because the meters are written for the interface of this checkout.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::samples::Samples;
use super::subject::Party;
use super::table::{Budget, Row};
use super::{Bench, Start, launch, login, stop};

/// Number of simultaneous waiting logins of each tool.
const LOGINS: usize = 4;
const POLLS: u32 = 10;
/// Time after the arrival of the last poll in which both tools process its response.
const SETTLE: Duration = Duration::from_millis(200);

pub(super) fn measure(bench: &Bench<'_>, other: &Party) -> anyhow::Result<Vec<Row>> {
    println!("   measuring the other checkout");
    let start: Start<'_> = &|at| bench.example(&other.words, at);
    let mut rows = launch::measure(bench, other, &json!({}), start)?;
    rows.extend(stop::interrupt_in_flight(bench, &json!({}), Some(start))?);
    rows.extend(login::measure(bench, start, login::GUARD)?);
    rows.push(poll(bench, start)?);
    for row in &mut rows {
        // These are compared with the floor.
        row.budget = Budget::Nothing;
    }
    Ok(rows)
}

/// Measures the cost of a poll in a tool that sleeps before it.
fn poll(bench: &Bench<'_>, start: Start<'_>) -> anyhow::Result<Row> {
    let at = bench.server.open(json!({"interval": login::INTERVAL}))?;
    let mut pairs = Vec::new();
    for _ in 0..LOGINS {
        pairs.push((bench.tool(&at)?, start(&at)?));
    }
    for (ours, theirs) in &mut pairs {
        ours.code()?;
        theirs.code()?;
    }
    let before: Vec<_> = pairs.iter().map(|(ours, theirs)| (ours.cpu_ms(), theirs.cpu_ms())).collect();
    at.wait_for_polls(LOGINS * 2 * usize::try_from(POLLS)?)?;
    thread::sleep(SETTLE);
    let cost = |after: Option<f64>, before: Option<f64>| {
        after.zip(before).map(|(after, before)| (after - before) * 1e3 / f64::from(POLLS))
    };
    let (mut of_ours, mut of_theirs) = (Samples::default(), Samples::default());
    for ((ours, theirs), (ours_before, theirs_before)) in pairs.iter().zip(before) {
        of_ours.extend(cost(ours.cpu_ms(), ours_before));
        of_theirs.extend(cost(theirs.cpu_ms(), theirs_before));
    }
    Ok(Row {
        what: "processor time of a poll, 1 s apart".to_owned(),
        unit: "us",
        ours: of_ours,
        beside: of_theirs,
        budget: Budget::Nothing,
    })
}
