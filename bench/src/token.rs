//! Measures the token of a saved session: the example tool's `token`, beside a program that reads a file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::keyring::Keyring;
use super::program::Program;
use super::samples::Samples;
use super::server::Virtual;
use super::table::{Budget, Row};
use super::{Bench, go};

const ROUNDS: usize = 60;
const PATIENCE: Duration = Duration::from_secs(30);

/// Compares with `reader`, a program that prints the second line of a file. No rows for a tool without sessions.
pub(super) fn measure(bench: &Bench<'_>, reader: Option<&Path>) -> anyhow::Result<Vec<Row>> {
    let Some(reader) = reader else { return Ok(Vec::new()) };
    let mut rows = vec![one(bench, reader, None)?];
    match Keyring::start(&bench.work)? {
        Some(keyring) => rows.push(one(bench, reader, Some(&keyring))?),
        None => println!("no figure for a key store: dbus-daemon or gnome-keyring-daemon is not installed"),
    }
    Ok(rows)
}

/// Measures a session that the permissions of its file protect, or a key in a keyring.
fn one(bench: &Bench<'_>, reader: &Path, keyring: Option<&Keyring>) -> anyhow::Result<Row> {
    let protection = if keyring.is_some() { "keyring" } else { "file" };
    let at =
        bench.server.open(json!({"answer": "approve", "interval": 1, "access_token_expires_in": 3600}))?;
    let state = bench.work.join(format!("state-{protection}"));
    // The record of an earlier run belongs to another server.
    let _ = fs::remove_dir_all(&state);
    let tool = |word: &str| {
        let mut command = command(bench, &at, &state, word);
        command.args(["--store", protection]);
        command.env("DBUS_SESSION_BUS_ADDRESS", keyring.map(Keyring::address).unwrap_or_default());
        command
    };
    let began = Instant::now();
    let record: PathBuf = loop {
        go(tool("login"))?.finish(PATIENCE)?;
        // The status of a session that was not saved is a failure.
        let status = tool("status").output()?.stdout;
        let status: Value = serde_json::from_slice(&status)?;
        if status.get("protection").and_then(Value::as_str) == Some(protection) {
            break status.get("path").and_then(Value::as_str).context("the session has no path")?.into();
        }
        // The keyring is still starting.
        anyhow::ensure!(
            began.elapsed() < PATIENCE,
            "no login was saved with protection {protection}: {status}"
        );
    };
    let bare = || {
        let mut bare = Command::new(reader);
        bare.arg(&record);
        bare
    };
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    // An uncounted round warms the caches.
    line(tool("token"))?;
    line(bare())?;
    for _ in 0..ROUNDS {
        ours.push(line(tool("token"))?);
        theirs.push(line(bare())?);
    }
    let what = format!("start to a stored token ({protection}), beside a program that reads a file");
    // The key costs what the user's key store takes for it.
    let budget = if keyring.is_some() { Budget::Nothing } else { Budget::Times(2.0) };
    Ok(Row { what, unit: "ms", ours, beside: theirs, budget })
}

/// Returns the milliseconds from the start of a program to its first line.
fn line(command: Command) -> anyhow::Result<f64> {
    let mut program: Program = go(command)?;
    let (_, time) = program.line(PATIENCE)?;
    program.finish(PATIENCE)?;
    Ok(time.as_secs_f64() * 1e3)
}

fn command(bench: &Bench<'_>, at: &Virtual<'_>, state: &Path, word: impl AsRef<OsStr>) -> Command {
    let mut command = bench.subject.tool.words.command();
    command.arg(word).args(["--provider", "endpoints", "--client-id", "bench", "--json"]);
    command.arg("--device-endpoint").arg(format!("{}/oauth2/device_authorization", at.url));
    command.arg("--token-endpoint").arg(format!("{}/oauth2/token", at.url));
    command.arg("--ca-file").arg(&bench.server.ca_file);
    command.env("XDG_STATE_HOME", state);
    command
}
