//! What Python needs under `target/tools`. Each is made when it is first asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::interpreters::{self, Interpreter};
use crate::process;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;

pub(in super::super) const ALL: &[Tool] = &[
    Tool {
        title: "maturin and zig",
        needs: &["python3 with venv"],
        make: |workspace| builder(workspace).map(|_| ()),
    },
    Tool { title: "ruff and mypy", needs: &["python3 with venv"], make: make_checkers },
    Tool { title: "pyright", needs: &["node", "npm"], make: make_pyright },
    Tool { title: "pytest", needs: &["python3 with venv"], make: make_pytest },
];

const BUILD: &str = include_str!("build.txt");
const CHECK: &str = include_str!("check.txt");
pub(super) const TEST: &str = include_str!("test.txt");

const CHECKERS: &str = "python-check";
const PYRIGHT: &str = "pyright";
const PYTEST: &str = "python-test";

const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// The folder of the programs that build: `maturin`, `pip`, `python` with `ziglang` and `wheel`.
pub(super) fn builder(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let name = "python-build";
    make_environment(workspace, name, BUILD)?;
    Ok(workspace.tools().join(name).join("bin"))
}

/// The folder of `ruff` and `mypy`, if they were set up.
pub(super) fn checkers(workspace: &Workspace) -> Option<PathBuf> {
    setup::made(workspace, CHECKERS).map(|folder| folder.join("bin"))
}

/// The program `pyright`, if it was set up.
pub(super) fn pyright(workspace: &Workspace) -> Option<PathBuf> {
    setup::made(workspace, PYRIGHT).map(|folder| folder.join("node_modules").join(".bin").join("pyright"))
}

/// The folder with the wheels of pytest and what it needs, if they were set up.
pub(super) fn pytest(workspace: &Workspace) -> Option<PathBuf> {
    setup::made(workspace, PYTEST)
}

/// Also from the interpreter: one that was replaced leaves an environment that does not run.
fn recipe(list: &str, interpreters: &[Interpreter]) -> String {
    let of = |it: &Interpreter| format!("# {} {}\n", it.version(), it.program.display());
    interpreters.iter().map(of).collect::<String>() + list
}

fn make_environment(workspace: &Workspace, name: &str, list: &str) -> anyhow::Result<()> {
    let python = interpreters::usual(workspace)?;
    let make = |folder: &Path| setup::make_venv(workspace, &python.program, folder, list);
    setup::once(workspace, name, &recipe(list, std::slice::from_ref(&python)), make)
}

fn make_checkers(workspace: &Workspace) -> anyhow::Result<()> {
    make_environment(workspace, CHECKERS, CHECK)
}

fn make_pyright(workspace: &Workspace) -> anyhow::Result<()> {
    let sources = workspace.root.join("xtask").join("src").join("lang").join("python").join("pyright");
    setup::make_node_folder(workspace, PYRIGHT, &sources)
}

/// Only the wheels: each run of the tests installs them into a new environment.
fn make_pytest(workspace: &Workspace) -> anyhow::Result<()> {
    let pip = builder(workspace)?.join("pip");
    let interpreters = interpreters::extremes(workspace);
    setup::once(workspace, PYTEST, &recipe(TEST, &interpreters), |folder| {
        let list = folder.join("requirements.txt");
        std::fs::write(&list, TEST)?;
        for interpreter in &interpreters {
            let mut download = super::command(workspace, &pip);
            download.arg("--python").arg(&interpreter.program);
            download.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            download.args(["--only-binary", ":all:", "--require-hashes", "--requirement"]).arg(&list);
            download.arg("--dest").arg(folder);
            process::succeed(download, DOWNLOAD)?;
        }
        Ok(())
    })
}
