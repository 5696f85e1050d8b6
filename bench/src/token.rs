//! Measures the token of a saved session: the example tool's `token`, beside a program that reads a file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

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
    let at =
        bench.server.open(json!({"answer": "approve", "interval": 1, "access_token_expires_in": 3600}))?;
    let state = bench.work.join("state");
    // The record of an earlier run belongs to another server.
    let _ = fs::remove_dir_all(&state);
    let tool = |word: &str| command(bench, &at, &state, word);
    go(tool("login"))?.finish(PATIENCE)?;
    let status: Value = serde_json::from_str(&go(tool("status"))?.finish(PATIENCE)?)?;
    let record: PathBuf =
        status.get("path").and_then(Value::as_str).context("the session has no path")?.into();
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
    let what = "start to a stored token, beside a program that reads a file".to_owned();
    Ok(vec![Row { what, unit: "ms", ours, beside: theirs, budget: Budget::Times(2.0) }])
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
    command.arg(word).args(["--provider", "endpoints", "--client-id", "bench", "--json", "--store", "file"]);
    command.arg("--device-endpoint").arg(format!("{}/oauth2/device_authorization", at.url));
    command.arg("--token-endpoint").arg(format!("{}/oauth2/token", at.url));
    command.arg("--ca-file").arg(&bench.server.ca_file);
    command.env("XDG_STATE_HOME", state);
    command
}
