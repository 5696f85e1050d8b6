//! Format of the Swift code, and whether it is clean in the newest language mode.

use std::ffi::OsString;
use std::time::Duration;

use super::toolchain::{self, Toolchain};
use super::{package, tests};
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const RULES: &str = "bindings/swift/.swift-format";
const FOLDERS: [&str; 3] = ["bindings/swift", "examples/swift", "bench"];

const QUICK: Duration = Duration::from_secs(3 * 60);
const COMPILE: Duration = Duration::from_secs(15 * 60);

/// The format; needs nothing that is built.
pub(in super::super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("swift format", |_| {
        let Some(toolchain) = toolchain::if_there(workspace) else {
            return Ok(Outcome::Skipped("Swift is not set up; cargo xtask setup swift".to_owned()));
        };
        let mut format = toolchain.command(workspace, &workspace.root, &[]);
        format.args(["swift", "format", "lint", "--strict", "--recursive", "--parallel"]);
        format.args(["--configuration", RULES]).args(FOLDERS);
        let finished = process::run(format, QUICK, |_| ())?;
        let advice = format!(
            "`swift format --in-place --recursive --configuration {RULES} {}` formats",
            FOLDERS.join(" ")
        );
        Ok(if finished.success {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{}\n{advice}", finished.tail))
        })
    })
}

/// The package, the example tool and the tests as Swift 6 reads them, without a warning.
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
            build.arg("--build-tests");
            for word in ["-swift-version", "6", "-warnings-as-errors"] {
                build.args([OsString::from("-Xswiftc"), word.into()]);
            }
            let finished = process::run(build, COMPILE, |_| ())?;
            if !finished.success {
                return Ok(Outcome::Failed(finished.tail));
            }
        }
        Ok(Outcome::Passed)
    })
}
