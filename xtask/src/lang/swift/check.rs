//! Format of the Swift code, and compilation in the newest language mode.

use std::time::Duration;

use anyhow::Context;

use super::toolchain::{self, Toolchain};
use super::{package, tests};
use crate::process;
use crate::report::Report;
use crate::workspace::Workspace;

const RULES: &str = "bindings/swift/.swift-format";
const FOLDERS: [&str; 3] = ["bindings/swift", "examples/swift", "bench"];

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Checks the format, which requires no build.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("swift format", |_| {
        let toolchain = toolchain::of(workspace)?;
        let mut format = toolchain.command(workspace, &workspace.root, &[]);
        format.args(["swift", "format", "lint", "--strict", "--recursive", "--parallel"]);
        format.args(["--configuration", RULES]).args(FOLDERS);
        process::succeed(format, LIMIT).with_context(|| {
            let folders = FOLDERS.join(" ");
            format!("`swift format --in-place --recursive --configuration {RULES} {folders}` formats")
        })
    })
}

/// Compiles the package, the example tool and the tests in Swift 6 mode with warnings as errors.
pub(super) fn packed(
    workspace: &Workspace,
    toolchain: &Toolchain,
    report: &mut Report,
) -> anyhow::Result<()> {
    report.part("Swift 6 language mode", |_| {
        for (tree, name) in [("examples/swift", "example-sources"), (tests::TREE, tests::NAME)] {
            let folder = package::user(workspace, tree, name)?;
            let scratch = super::builds(workspace).join(format!("{name}-6"));
            let mut build = toolchain.swift(workspace, "build", &folder, &scratch, &[]);
            build.arg("--build-tests").args(super::STRICTLY);
            process::succeed(build, LIMIT)?;
        }
        Ok(())
    })
}
