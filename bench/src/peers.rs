//! Measures other clients of the same protocol.

use serde_json::{Value, json};

use super::program::Program;
use super::server::Virtual;
use super::subject::Peer;
use super::table::{Budget, Row};
use super::{Bench, Start, go, launch, load, stop};

pub(super) fn measure(bench: &Bench<'_>, peer: &Peer) -> anyhow::Result<Vec<Row>> {
    println!("   measuring {}", peer.name);
    let start: Start<'_> = &|at| one(peer, at);
    let issuer = json!({"issuer_path": peer.issuer_path});
    let mut rows = launch::measure(bench, &peer.party, &issuer, start)?;
    rows.extend(stop::interrupt_in_flight(bench, &issuer, Some(start))?);
    if peer.takes_no_interval {
        rows.push(load::busy_polls(bench, &|polls, _| {
            let before_the_last = polls.saturating_sub(1);
            let at = bench.server.open(json!({
                "interval": 0, "enforce_interval": 0, "answer": "approve", "answer_after_polls": before_the_last,
                "issuer_path": peer.issuer_path, "log": false,
            }))?;
            load::cost(one(peer, &at)?)
        })?);
    }
    for &logins in peer.crowds {
        rows.extend(load::crowd(bench, logins, &crowd(bench, peer, logins)?)?);
    }
    for row in &mut rows {
        // These are compared with the floor.
        row.budget = Budget::Nothing;
    }
    Ok(rows)
}

fn one(peer: &Peer, at: &Virtual<'_>) -> anyhow::Result<Program> {
    let mut command = peer.party.words.command();
    command.arg(&at.url).arg(&peer.ca_file);
    go(command)
}

fn crowd(bench: &Bench<'_>, peer: &Peer, logins: u32) -> anyhow::Result<Value> {
    // The peer sends its first poll immediately, to which a strict server would respond with slow_down.
    let at = load::crowded(bench, 0)?;
    let mut command = peer.party.words.command();
    command.arg("crowd").arg(&at.url).arg(&peer.ca_file).arg(logins.to_string());
    Ok(serde_json::from_str(&go(command)?.finish(load::PATIENCE)?)?)
}
