//! Python: the wheel, the sdist, the example tool in an environment of its own, and the tests on several interpreters.

mod package;
mod tests;
mod uv;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Parts;
use crate::examples::Run;
use crate::files;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(super) const PARTS: Parts = Parts {
    name: "python",
    needs: &[
        Need { program: "Python 3.10 with venv", package: "python3-venv" },
        Need { program: "strip", package: "binutils" },
    ],
    tools: &[uv::PYRIGHT],
    build_example: |workspace, _, run| build_example(workspace, run),
    // Python itself first: what is on a script's first line is the place where it was installed.
    words: |workspace, _| {
        let bin = environment(workspace).join("bin");
        vec![bin.join("python"), bin.join("login-example")]
    },
    package: |workspace, run| {
        fs::create_dir_all(home(workspace))?;
        Ok(vec![package::build(workspace, run)?, package::build_sdist(workspace, run)?])
    },
    check: tests::check,
    test,
};

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

/// The wheel, and the example tool in an environment that has only the two.
fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    // Several commands may be at it at once.
    let _lock = setup::lock(&home.join("example.lock"))?;
    let wheels = [package::build(workspace, run)?, package::of_example(workspace)?];
    let made_from = wheels.iter().map(|wheel| files::digest(wheel)).collect::<anyhow::Result<String>>()?;
    let environment = environment(workspace);
    files::once(&environment.join("bin").join("python"), &home.join("example-from"), &made_from, || {
        uv::environment(workspace, &uv::usual(), &environment, &wheels, false)
    })?;
    Ok(())
}

fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    package::test(workspace, report)?;
    tests::run(workspace, report)
}
