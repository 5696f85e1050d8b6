//! Sessions: stories of several commands, machines on which files do not work, and processes that are killed and
//! stopped while they refresh.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use crate::examples::in_foreground;
use crate::lang;
use crate::process;
use crate::report::Report;
use crate::test::counted;
use crate::workspace::{Profile, Workspace};

/// How long the soak starts rounds in `cargo xtask test`.
const SHORT: &str = "20";

/// Timeout for each part in `cargo xtask test`. The last rounds of the soak take up to a minute.
const LIMIT: Duration = Duration::from_secs(4 * 60);

/// `cargo xtask soak ...`
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<u8> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--package", "authserver", "--package", "scenarios"]);
    cargo.args(["--package", "login-example"]);
    in_foreground(cargo)?;
    process::run_in_foreground(runner(workspace, "soak").args(arguments))
}

/// Runs the stories, the cases of faulty machines and a short soak, with the programs that are built.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("sessions", |live| counted(runner(workspace, "stories"), LIMIT, |line| live.line(line)))?;
    report.part("sessions on faulty machines", |live| {
        counted(runner(workspace, "faults"), LIMIT, |line| live.line(line))
    })?;
    report.part("soak", |live| {
        let mut runner = runner(workspace, "soak");
        // A silent server takes longer than the whole run.
        runner.args(["--seconds", SHORT, "--no-silence"]);
        counted(runner, LIMIT, |line| live.line(line))
    })
}

fn runner(workspace: &Workspace, mode: &str) -> Command {
    let mut runner = workspace.command(workspace.binary(Profile::Debug, "scenarios"));
    runner.arg(mode).arg("--tool").args(lang::FIRST.words(workspace, Profile::Debug));
    runner.arg("--authserver").arg(workspace.binary(Profile::Debug, "authserver"));
    runner
}
