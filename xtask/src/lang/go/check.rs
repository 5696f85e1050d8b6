//! Format and lints of the Go code.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use super::{go, module};
use crate::process;
use crate::report::Report;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The module that names the linter and its version, separate from the modules for users.
const TOOLS: &str = "xtask/src/lang/go/tools/go.mod";
/// The linter's checks: the default ones, and Go's conventions for the documentation of exported names.
const CHECKS: &str = "-checks=inherit,ST1016,ST1019,ST1020,ST1021,ST1023";

/// Checks the format, which requires no build.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("go format (gofmt -s -w)", |_| {
        let mut gofmt = workspace.command("gofmt");
        gofmt.args(["-s", "-l"]).args([super::sources(workspace), super::example_sources(workspace)]);
        let said = process::output(gofmt, LIMIT)?;
        ensure!(said.is_empty(), "{said}");
        Ok(())
    })
}

/// Runs the lints on the packed module and what is built from it, because they need the header.
pub(super) fn packed(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    let folders = [packed.clone(), packed.join("oauth2"), module::stage_example(workspace)?];
    let mut lint = |title: &str, command: &dyn Fn(&Path) -> Command| {
        report.part(title, |_| folders.iter().try_for_each(|folder| process::succeed(command(folder), LIMIT)))
    };
    lint("go vet", &|folder| go(workspace, folder, &["vet", "./..."]))?;
    lint("staticcheck", &|folder| {
        let mut tool = go(workspace, folder, &["tool", "-modfile"]);
        tool.arg(workspace.root.join(TOOLS)).args(["staticcheck", CHECKS, "./..."]);
        tool
    })
}
