//! Runs pytest with the oldest and the newest CPython of this machine, format, lints, and type checks of a user's code.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::uv::{self, Interpreter, PYRIGHT, tool};
use crate::examples::launcher;
use crate::files;
use crate::lang::Language;
use crate::process;
use crate::report::{Outcome, Report, junit};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(20 * 60);
const QUICK: Duration = Duration::from_secs(3 * 60);
/// Seconds after which a running test prints its stack.
const STUCK: u32 = 120;
/// Number of pytest-xdist processes; most tests mostly wait.
const AT_ONCE: u32 = 6;

/// Strict checks for the oldest supported version, whichever interpreters are installed.
const PYRIGHT_CONFIG: &str = r#"{
    "include": ["user_program.py"],
    "typeCheckingMode": "strict",
    "pythonVersion": "3.9",
    "reportMissingModuleSource": false
}"#;

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.side_by_side(&uv::extremes(workspace)?, |interpreter, report| {
        report.part(&format!("pytest, CPython {}", interpreter.0), |_| play(workspace, interpreter))
    })?;
    types(workspace, report)
}

fn play(workspace: &Workspace, interpreter: &Interpreter) -> anyhow::Result<Outcome> {
    let folder = super::home(workspace).join(format!("test-{}", interpreter.0));
    uv::environment(workspace, interpreter, &folder, &[files::only(&workspace.dist(), ".whl")?], true)?;
    let mut pytest = super::command(workspace, folder.join("bin").join("pytest"));
    pytest.args(["--quiet", "--color=no", "-rs", "-p", "no:cacheprovider"]);
    pytest.arg(format!("--numprocesses={AT_ONCE}"));
    pytest.arg("-o").arg(format!("faulthandler_timeout={STUCK}"));
    let reports = super::home(workspace).join(format!("reports-{}", interpreter.0));
    pytest.arg("--junit-xml").arg(reports.join("pytest.xml"));
    pytest.arg(super::sources(workspace).join("tests"));
    // Avoids writing cache files into the sources.
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    pytest.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
    pytest.env("CLI_AUTH_EXAMPLE", launcher(workspace, Language::Python));
    pytest.env("CLI_AUTH_DOCS", workspace.root.join("docs").join("python.md"));
    junit(pytest, LIMIT, &reports)
}

/// Checks format and lints, which requires no build.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    for (title, words) in
        [("python format (ruff format)", &["format", "--check"][..]), ("python lints", &["check", "--quiet"])]
    {
        report.part(title, |_| {
            let mut ruff = tool(workspace, "ruff")?;
            ruff.args(words).args(["--no-cache", "--output-format=concise"]);
            ruff.args([super::sources(workspace), super::example_sources(workspace)]);
            process::succeed(ruff, QUICK)
        })?;
    }
    Ok(())
}

/// Type-checks a user's programs in strict mode against the installed wheel. mypy must also find the errors in one of
/// them.
fn types(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let python = super::environment(workspace).join("bin").join("python");
    report.part("mypy --strict on a user's code", |_| {
        let mut mypy = tool(workspace, "mypy")?;
        mypy.args(["--strict", "--config-file=", "--no-incremental", "--python-executable"]);
        mypy.arg(&python).arg(".").current_dir(user(workspace, "mypy")?);
        process::succeed(mypy, QUICK)
    })?;
    report.part("pyright on a user's code", |_| {
        let program = PYRIGHT.folder(workspace)?.join("node_modules").join(".bin").join("pyright");
        let folder = user(workspace, "pyright")?;
        fs::write(folder.join("pyrightconfig.json"), PYRIGHT_CONFIG)?;
        let mut pyright = super::command(workspace, program);
        pyright.arg("--pythonpath").arg(&python).arg("--warnings").current_dir(folder);
        process::succeed(pyright, QUICK)
    })
}

/// Creates a directory with a user's programs, outside the source tree.
fn user(workspace: &Workspace, name: &str) -> anyhow::Result<PathBuf> {
    let folder = files::empty(super::home(workspace).join("user").join(name))?;
    files::copy(&super::sources(workspace).join("tests").join("typed"), &folder, "__pycache__")?;
    Ok(folder)
}
