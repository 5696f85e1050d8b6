//! The example tool leaves nothing behind, at any of its exits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use super::server::Server;
use super::{build, valgrind};
use crate::process;
use crate::report::{Counts, Live, Outcome, Report};
use crate::test::counted;
use crate::workspace::{Profile, Workspace};

const SCENARIOS: Duration = Duration::from_secs(20 * 60);
const INTERRUPTED: Duration = Duration::from_secs(60);

/// Scenarios that end with each status but those of signals, in words and in JSON. valgrind is too slow for what has a time limit.
const EXITS: &[&str] = &[
    "authkit-login",
    "login-in-words",
    "device-refused",
    "secret-variable-unset",
    "ca-file-useless",
    "usage-",
    "denied-in-words",
    "server-says-expired",
    "step-up-in-words",
    "authkit-organization-selection",
];

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("example tool, valgrind", |live| under_valgrind(workspace, live))?;
    report.part("example tool, sanitizers", |live| {
        // A leak changes the exit status, and each case looks at that.
        counted(
            scenarios(workspace, &build::sanitized_example(workspace), "c-sanitized"),
            SCENARIOS,
            |line| live.line(line),
        )
    })
}

fn scenarios(workspace: &Workspace, tool: &Path, name: &str) -> Command {
    let mut runner = workspace.command(workspace.binary(Profile::Debug, "scenarios"));
    runner.arg("--tool").arg(tool).args(["--tool-name", name]);
    runner.arg("--authserver").arg(workspace.binary(Profile::Debug, "authserver"));
    runner.arg("--logs").arg(workspace.target.join("scenarios").join(name));
    runner
}

fn under_valgrind(workspace: &Workspace, live: &mut Live) -> anyhow::Result<Outcome> {
    let logs = build::folder(workspace).join("valgrind");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    fs::create_dir_all(&logs)?;
    let launcher = build::folder(workspace).join("login-under-valgrind");
    let mut command = valgrind::command(workspace, false);
    command.arg(format!("--log-file={}", logs.join("%p").display())).arg(crate::lang::c::example(workspace));
    write_launcher(&launcher, &command)?;
    let mut runner = scenarios(workspace, &launcher, "c-valgrind");
    runner.args(["--jobs", "4"]);
    for id in EXITS {
        runner.args(["--filter", id]);
    }
    let Outcome::Counted(mut counts, mut why) = counted(runner, SCENARIOS, |line| live.line(line))? else {
        return Ok(Outcome::Failed("the scenarios ended without their count".to_owned()));
    };
    let server = Server::start(workspace, &[])?;
    let ends = thread::scope(|scope| {
        let end = |signal, status| interrupted(workspace, &launcher, &server, signal, status);
        let other = scope.spawn(move || end("INT", 130));
        [end("TERM", 143), other.join().unwrap_or_else(|_panic| bail!("a run was lost"))]
    });
    for end in ends {
        let said = end?;
        counts.add(if said.is_none() { Counts::PASSED } else { Counts::FAILED });
        why.extend(said);
    }
    let found = findings(&logs, counts.passed)?;
    Ok(if found.is_empty() {
        Outcome::Counted(counts, why)
    } else {
        Outcome::Failed(format!("{why}\n{found}"))
    })
}

/// What the tool said if a signal did not end it as it should.
fn interrupted(
    workspace: &Workspace,
    launcher: &Path,
    server: &Server,
    signal: &str,
    status: u8,
) -> anyhow::Result<Option<String>> {
    let mut tool = workspace.command("sh");
    // The time is for valgrind to get going; the tool's last words tell whether it did.
    let script = format!("timeout --preserve-status --signal={signal} 8 \"$@\"; test $? -eq {status}");
    tool.arg("-c").arg(script).arg("sh").arg(launcher);
    tool.args(["--provider", "authkit", "--client-id", "client_test", "--insecure-loopback", "--json"]);
    tool.arg("--api-base").arg(&server.url);
    let finished = process::run(tool, INTERRUPTED, |_| ())?;
    let good = finished.success && finished.tail.contains(r#""kind":"cancelled""#);
    Ok((!good).then_some(finished.tail))
}

/// The words of `command` as a script that becomes it.
fn write_launcher(launcher: &Path, command: &Command) -> anyhow::Result<()> {
    let mut script = String::from("#!/bin/sh\nexec");
    for word in std::iter::once(command.get_program()).chain(command.get_args()) {
        let word = word.to_str().context("a path that is not UTF-8")?;
        script.push_str(&format!(" '{}'", word.replace('\'', r"'\''")));
    }
    script.push_str(" \"$@\"\n");
    fs::write(launcher, script)?;
    Ok(fs::set_permissions(launcher, fs::Permissions::from_mode(0o755))?)
}

/// What valgrind says that the exit status does not.
fn findings(logs: &Path, runs: u64) -> anyhow::Result<String> {
    let (mut found, mut count) = (String::new(), 0_u64);
    for entry in fs::read_dir(logs)? {
        let log = fs::read_to_string(entry?.path())?;
        count += 1;
        if !valgrind::is_content(&log) {
            found.push_str(&log);
        }
    }
    if count < runs {
        found.push_str(&format!("only {count} logs of {runs} runs\n"));
    }
    Ok(found)
}
