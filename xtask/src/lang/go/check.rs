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

/// Names the linter and its version, away from the modules that users take.
const TOOLS: &str = "xtask/src/lang/go/tools/go.mod";
/// The linter's checks: those that it has by itself, and that what is exported is documented in Go's way.
const CHECKS: &str = "-checks=inherit,ST1016,ST1019,ST1020,ST1021,ST1023";

/// The format; needs nothing that is built.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("go format (gofmt -s -w)", |_| {
        let mut gofmt = workspace.command("gofmt");
        gofmt.args(["-s", "-l"]).args([super::sources(workspace), super::example_sources(workspace)]);
        let said = process::said(gofmt, LIMIT)?;
        ensure!(said.is_empty(), "{said}");
        Ok(())
    })
}

/// Lints, which have to see the header, and so are for the packed module and what is built from it.
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
