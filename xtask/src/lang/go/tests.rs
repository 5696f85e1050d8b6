//! `go test`, from the packed module: with the race detector, and with the strictest checks of what goes to C.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::module;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    let oauth2 = packed.join("oauth2");
    for (title, folder, race) in [
        ("go test -race", &packed, true),
        ("go test, cgocheck2", &packed, false),
        ("go test -race, oauth2", &oauth2, true),
    ] {
        report.part(title, |_| {
            let mut test = command(workspace, folder)?;
            if race {
                test.arg("-race");
            } else {
                test.env("GOEXPERIMENT", "cgocheck2");
            }
            play(test)
        })?;
    }
    Ok(())
}

fn command(workspace: &Workspace, folder: &Path) -> anyhow::Result<Command> {
    let mut test = super::go(workspace, "test", folder)?;
    // What the library does is no part of what Go remembers of a test.
    test.args(["-count=1", "-v", "-timeout=10m", "-parallel=16", "./..."]);
    test.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
    Ok(test)
}

/// Counts what it says of each test. A test that is skipped belongs to the other run.
fn play(test: Command) -> anyhow::Result<Outcome> {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    let finished =
        process::run(
            test,
            LIMIT,
            |line| match line.trim_start().split(' ').take(2).collect::<Vec<_>>()[..] {
                ["---", "PASS:"] => counts.passed += 1,
                ["---", "FAIL:"] => {
                    counts.failed += 1;
                    failures.push(line.to_owned());
                }
                _ => {}
            },
        )?;
    Ok(if finished.success && counts.failed == 0 && counts.passed > 0 {
        Outcome::Counted(counts, String::new())
    } else {
        counts.failed = counts.failed.max(1);
        let quiet = |line: &&str| !line.trim_start().starts_with("=== ") && !line.contains("--- PASS");
        let tail = finished.tail.lines().filter(quiet).collect::<Vec<_>>().join("\n");
        Outcome::Counted(counts, format!("{}\n{tail}", failures.join("\n")))
    })
}
