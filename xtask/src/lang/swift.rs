//! Swift: the package with the library in it, the example tool that is built from it, and the tests.

mod check;
mod consumer;
mod example;
mod generated;
mod guide;
mod package;
mod tests;
mod toolchain;

use std::path::PathBuf;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::Need;
use crate::workspace::Workspace;

pub(super) use check::check;
pub(super) use example::{build as build_example, words};
pub(super) use toolchain::{ALL as TOOLS, missing};

pub(super) const NEEDS: &[Need] = &[
    Need { program: "gcc", package: "gcc" },
    Need { program: "objcopy", package: "binutils" },
    toolchain::NEED,
];

/// `$here` is the launcher's folder, `target/login`.
pub(super) const LAUNCH: &str = r#""$here/../swift/example/start""#;

/// Where everything of Swift lies.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("swift")
}

/// Where SwiftPM builds.
fn builds(workspace: &Workspace) -> PathBuf {
    home(workspace).join("build")
}

/// The package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("swift")
}

pub(super) fn build_demo(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "authserver"]);
    run(cargo)?;
    build_example(workspace, run)
}

pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    Ok(vec![package::build(workspace, run)?])
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let toolchain = toolchain::of(workspace)?;
    package::test(workspace, report)?;
    check::packed(workspace, &toolchain, report)?;
    tests::run(workspace, &toolchain, report)?;
    consumer::test(workspace, &toolchain, report)?;
    guide::test(workspace, &toolchain, report)
}
