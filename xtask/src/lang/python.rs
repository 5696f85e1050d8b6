//! Python: the wheel, the sdist, the example tool in its own environment, and the tests with several interpreters.

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
    // Python is started explicitly because the script's first line is the path where it was installed.
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

/// The directory of all build results for Python.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}

/// The directory of the package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("python")
}

/// The directory of the example tool's sources.
fn example_sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("examples").join("python")
}

/// Returns `program` in the root directory, without the Python variables of the user's shell.
fn command(workspace: &Workspace, program: impl AsRef<Path>) -> Command {
    let mut command = workspace.command(program.as_ref());
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET"] {
        command.env_remove(name);
    }
    command
}

/// The directory of the example tool's virtual environment.
fn environment(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example")
}

/// Builds the wheel and the example tool, and installs both into an environment without other packages.
fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    // Several processes may do this at the same time.
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
