//! Format and lints of the Python code, and the types as a user's checker sees them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::tools;
use super::wheel::{copy_files, empty};
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

/// Strictly, for the oldest version that is supported, whichever interpreters are here.
const PYRIGHT: &str = r#"{
    "include": ["user_program.py"],
    "typeCheckingMode": "strict",
    "pythonVersion": "3.9",
    "reportMissingModuleSource": false
}"#;

const QUICK: Duration = Duration::from_secs(3 * 60);

/// Format and lints; needs nothing that is built.
pub(in super::super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let ruff = |words: &[&str], advice: &str| {
        let Some(bin) = tools::checkers(workspace) else {
            return Ok(Outcome::Skipped("ruff is not set up; cargo xtask setup python".to_owned()));
        };
        let mut ruff = super::command(workspace, bin.join("ruff"));
        ruff.args(words).args(["--no-cache", "--output-format=concise"]);
        ruff.args([super::sources(workspace), super::example_sources(workspace)]);
        let finished = process::run(ruff, QUICK, |_| ())?;
        Ok(if finished.success {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{}{advice}", finished.tail))
        })
    };
    let advice = "\n`target/tools/python-check/bin/ruff format bindings/python examples/python` formats";
    report.part("python format", |_| ruff(&["format", "--check"], advice))?;
    report.part("python lints", |_| ruff(&["check", "--quiet"], ""))
}

/// A user's programs, checked as strictly as can be against the installed wheel. mypy has to find the mistakes of one
/// of them as well.
pub(super) fn types(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("mypy --strict on a user's code", |_| {
        let Some(bin) = tools::checkers(workspace) else {
            return Ok(Outcome::Skipped("mypy is not set up; cargo xtask setup python".to_owned()));
        };
        let user = User::new(workspace, "mypy")?;
        let mut mypy = super::command(workspace, bin.join("mypy"));
        mypy.args(["--strict", "--config-file=", "--no-incremental", "--python-executable"]);
        mypy.arg(&user.python).arg(".").current_dir(&user.folder);
        told(mypy)
    })?;
    report.part("pyright on a user's code", |_| {
        let Some(program) = tools::pyright(workspace) else {
            return Ok(Outcome::Skipped("pyright is not set up; cargo xtask setup python".to_owned()));
        };
        let user = User::new(workspace, "pyright")?;
        fs::write(user.folder.join("pyrightconfig.json"), PYRIGHT)?;
        let mut pyright = super::command(workspace, program);
        pyright.arg("--pythonpath").arg(&user.python).arg("--warnings").current_dir(&user.folder);
        told(pyright)
    })
}

fn told(command: std::process::Command) -> anyhow::Result<Outcome> {
    let finished = process::run(command, QUICK, |_| ())?;
    Ok(if finished.success { Outcome::Passed } else { Outcome::Failed(finished.tail) })
}

/// A user: a folder with programs, far from our sources, and an interpreter that has the wheel.
struct User {
    folder: PathBuf,
    python: PathBuf,
}

impl User {
    fn new(workspace: &Workspace, name: &str) -> anyhow::Result<Self> {
        let folder = empty(super::home(workspace).join("user").join(name))?;
        copy_files(&super::sources(workspace).join("tests").join("typed"), &folder)?;
        let python = super::environment(workspace).join("bin").join("python");
        Ok(Self { folder, python })
    }
}
