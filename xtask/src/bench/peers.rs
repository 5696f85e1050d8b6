//! Other clients of the same protocol, beside ours: for Rust the oauth2 crate, in a workspace of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::program::Program;
use super::server::Virtual;
use super::table::{Budget, Row};
use super::{Bench, go, launch, load};
use crate::examples::build_in_foreground;
use crate::workspace::Workspace;

const MANIFEST: &str = "xtask/floor/peers/oauth2/Cargo.toml";

/// Builds it; gives the program.
pub(super) fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let target = workspace.target.join("peers");
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--manifest-path", MANIFEST]);
    build_in_foreground(cargo.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("release/peer-oauth2"))
}

pub(super) fn measure(bench: &Bench<'_>, peer: &Path) -> anyhow::Result<Vec<Row>> {
    println!("   measuring beside the oauth2 crate: start, polls, many logins");
    let mut rows = launch::measure(bench, peer, |at| one(bench, peer, at))?;
    rows.push(load::busy_polls(bench, &|polls, _| {
        let before_the_last = polls.saturating_sub(1);
        let at = bench.server.open(json!({
            "interval": 0, "enforce_interval": 0, "answer": "approve", "answer_after_polls": before_the_last,
            "log": false,
        }))?;
        load::cost(one(bench, peer, &at)?)
    })?);
    for logins in [1_000, 10_000] {
        rows.extend(load::crowd(bench, logins, &crowd(bench, peer, logins)?)?);
    }
    for row in &mut rows {
        // Those are told beside the floor.
        row.budget = Budget::Nothing;
    }
    Ok(rows)
}

fn one(bench: &Bench<'_>, peer: &Path, at: &Virtual<'_>) -> anyhow::Result<Program> {
    let mut command = Command::new(peer);
    command.arg(&at.url).arg(&bench.server.ca_file);
    go(command)
}

fn crowd(bench: &Bench<'_>, peer: &Path, logins: u32) -> anyhow::Result<Value> {
    // It asks for the first time at once, for which a strict server would slow it down.
    let at = load::crowded(bench, 0)?;
    let mut command = Command::new(peer);
    command.arg("crowd").arg(&at.url).arg(&bench.server.ca_file).arg(logins.to_string());
    Ok(serde_json::from_str(&go(command)?.finish(load::PATIENCE)?)?)
}
