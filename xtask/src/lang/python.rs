//! Python: the wheel, the sdist, the example tool in an environment of its own, and the tests on several interpreters.

mod check;
mod interpreters;
mod sdist;
mod tests;
mod tools;
mod venv;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(super) use check::check;
pub(super) use tools::ALL as TOOLS;

pub(super) const NEEDS: &[Need] = &[
    Need { program: "python3 with venv", package: "python3-venv" },
    Need { program: "strip", package: "binutils" },
];

/// Python itself first: what pip writes on a script's first line is the place where it was installed.
pub(super) const LAUNCH: &str =
    r#""$here/../python/example/bin/python" "$here/../python/example/bin/login-example""#;

/// Where everything of Python lies.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}

/// The package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("python")
}

/// The example tool's sources.
fn example_sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("examples").join("python")
}

/// `program` at the root, free of what a shell's own environment says about Python.
fn command(workspace: &Workspace, program: impl AsRef<Path>) -> Command {
    let mut command = workspace.command(program.as_ref());
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET"] {
        command.env_remove(name);
    }
    command
}

/// The environment of the example tool.
fn environment(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example")
}

/// As in the launcher, which a shell reads first.
pub(super) fn words(workspace: &Workspace) -> Vec<PathBuf> {
    let bin = environment(workspace).join("bin");
    vec![bin.join("python"), bin.join("login-example")]
}

pub(super) fn missing(workspace: &Workspace) -> Option<String> {
    interpreters::usual(workspace).err().map(|error| error.to_string())
}

/// The wheel, and the example tool in an environment that has only the two.
pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    // Several commands may be at it at once.
    let _lock = setup::lock(&home.join("example.lock"))?;
    let package = wheel::build(workspace, run)?;
    let tool = wheel::of_example(workspace)?;
    venv::example(workspace, environment(workspace), &[package, tool])
}

pub(super) fn build_demo(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "authserver"]);
    run(cargo)?;
    build_example(workspace, run)
}

pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(home(workspace))?;
    Ok(vec![wheel::build(workspace, run)?, sdist::build(workspace, run)?])
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    wheel::test(workspace, report)?;
    sdist::test(workspace, report)?;
    tests::run(workspace, report)?;
    check::types(workspace, report)
}
