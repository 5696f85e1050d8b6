//! Format and lints of the Go code.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{module, toolchain};
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The linter's checks: those that it has by itself, and that what is exported is documented in Go's way.
const CHECKS: &str = "-checks=inherit,ST1016,ST1019,ST1020,ST1021,ST1023";

/// The format; needs nothing that is built.
pub(in super::super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("go format", |_| {
        let mut gofmt = workspace.command(toolchain::gofmt(workspace)?);
        gofmt.args(["-s", "-l"]).args([super::sources(workspace), super::example_sources(workspace)]);
        let finished = process::run(gofmt, LIMIT, |_| ())?;
        let advice = "`gofmt -s -w bindings/go examples/go` formats";
        Ok(if finished.success && finished.tail.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{}\n{advice}", finished.tail))
        })
    })
}

/// Lints, which have to see the header, and so are for the packed module and what is built from it.
pub(super) fn packed(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    let example = module::stage_example(workspace, &packed)?;
    let folders = [packed.clone(), packed.join("oauth2"), example];
    report.part("go vet", |_| {
        all(&folders, |folder| {
            let mut vet = super::go(workspace, "vet", folder)?;
            vet.arg("./...");
            Ok(vet)
        })
    })?;
    report.part("staticcheck", |_| {
        let Some(program) = toolchain::staticcheck(workspace) else {
            return Ok(Outcome::Skipped("staticcheck is not set up; cargo xtask setup go".to_owned()));
        };
        let path = toolchain::path(workspace)?;
        all(&folders, |folder| {
            // It asks `go` for everything.
            let mut staticcheck = workspace.command(&program);
            super::surround(&mut staticcheck);
            staticcheck.args([CHECKS, "./..."]).current_dir(folder).env("PATH", &path);
            Ok(staticcheck)
        })
    })
}

/// Runs a command for each folder, to the first that fails.
fn all(folders: &[PathBuf], command: impl Fn(&Path) -> anyhow::Result<Command>) -> anyhow::Result<Outcome> {
    for folder in folders {
        let finished = process::run(command(folder)?, LIMIT, |_| ())?;
        if !finished.success {
            return Ok(Outcome::Failed(finished.tail));
        }
    }
    Ok(Outcome::Passed)
}
