//! The tests of the packed module, with the race detector and with cgo's pointer checks.

use std::process::Command;
use std::time::Duration;

use super::{go, module};
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    for (title, folder, race) in [
        ("go test -race", packed.clone(), true),
        ("go test, cgocheck2", packed.clone(), false),
        ("go test -race, oauth2", packed.join("oauth2"), true),
    ] {
        report.part(title, |_| {
            // Go's test cache does not consider the library.
            let words = ["test", "-count=1", "-v", "-timeout=10m", "-parallel=16"];
            let mut test = go(workspace, &folder, &words);
            if race {
                test.arg("-race");
            } else {
                test.env("GOEXPERIMENT", "cgocheck2");
            }
            test.arg("./...").env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
            play(test)
        })?;
    }
    Ok(())
}

/// Counts the result lines. A skipped test is covered by the other run.
fn play(test: Command) -> anyhow::Result<Outcome> {
    let mut counts = Counts::default();
    let mut failures = String::new();
    let finished = process::run(test, LIMIT, |line| {
        if line.trim_start().starts_with("--- PASS: ") {
            counts.passed += 1;
        } else if line.trim_start().starts_with("--- FAIL: ") {
            counts.failed += 1;
            failures.push_str(line);
            failures.push('\n');
        }
    })?;
    if finished.success && counts.failed == 0 && counts.passed > 0 {
        return Ok(Outcome::Counted(counts, String::new()));
    }
    counts.failed = counts.failed.max(1);
    let quiet = |line: &&str| !line.trim_start().starts_with("=== ") && !line.contains("--- PASS");
    let tail = finished.tail.lines().filter(quiet).collect::<Vec<_>>().join("\n");
    Ok(Outcome::Counted(counts, failures + &tail))
}
