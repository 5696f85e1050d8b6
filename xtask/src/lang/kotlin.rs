//! Kotlin and the JVM: the jar with its native library inside, the example tool, and the tests in a project that has only that jar.

mod check;
mod example;
mod guide;
mod jdk;
mod junit;
mod maven;
mod package;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::{Need, Tool};
use crate::workspace::Workspace;

pub(super) use check::{KTLINT, check};
pub(super) use example::LAUNCH;
pub(super) use jdk::missing;

/// Maven and a JDK are among what every language's tests need.
pub(super) const NEEDS: &[Need] = &[
    Need { program: "javac", package: "default-jdk-headless" },
    Need { program: "mvn", package: "maven" },
    Need { program: "gcc", package: "gcc" },
    Need { program: "objcopy", package: "binutils" },
];

pub(super) const TOOLS: &[Tool] = &[super::native::ZIG, KTLINT];

/// Where everything of Kotlin lies.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kotlin")
}

/// The package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("kotlin")
}

/// The example tool, once it is built.
pub(super) fn example(workspace: &Workspace) -> PathBuf {
    example::start_script(workspace)
}

pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    example::build(workspace, run)
}

pub(super) fn build_demo(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "authserver"]);
    run(cargo)?;
    build_example(workspace, run)
}

pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    package::build(workspace, run)
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    package::test(workspace, report)?;
    junit::run(workspace, report)
}

/// Builds the Maven project in `sources`, in a copy of it at `folder`.
fn build(workspace: &Workspace, sources: &Path, folder: &Path) -> anyhow::Result<Command> {
    copy(sources, &empty(folder.to_path_buf())?)?;
    let mut build = maven::maven(workspace, folder, "package");
    build.arg("--quiet");
    Ok(build)
}

/// `folder`, with nothing in it.
fn empty(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
