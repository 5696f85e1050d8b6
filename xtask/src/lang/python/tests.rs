//! pytest, from an environment that has the wheel and pytest, on the oldest and the newest CPython of this machine.

use std::time::Duration;

use anyhow::Context;

use super::interpreters::{self, Interpreter};
use super::tools;
use super::venv::Venv;
use super::wheel::only;
use crate::examples::launcher;
use crate::lang::Language;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(20 * 60);
/// Seconds after which a test that still runs shows where it is.
const STUCK: u32 = 120;

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let interpreters = interpreters::extremes(workspace);
    if interpreters.is_empty() {
        return report.part("pytest", |_| Ok(Outcome::Skipped("no CPython is found".to_owned())));
    }
    for interpreter in &interpreters {
        let title = format!("pytest, CPython {}", interpreter.version());
        report.part(&title, |_| match tools::pytest(workspace) {
            None => Ok(Outcome::Skipped("pytest is not set up; cargo xtask setup python".to_owned())),
            Some(_) => play(workspace, interpreter),
        })?;
    }
    Ok(())
}

/// The environment that the tests of `interpreter` run in.
pub(super) fn environment(workspace: &Workspace, interpreter: &Interpreter) -> anyhow::Result<Venv> {
    let folder = super::home(workspace).join(format!("test-{}", interpreter.series()));
    let venv = Venv::fresh(workspace, interpreter, folder)?;
    let wheels = tools::pytest(workspace).context("pytest is not set up")?;
    let list = wheels.join("requirements.txt");
    venv.install(
        workspace,
        &[
            "--find-links".as_ref(),
            wheels.as_os_str(),
            "--require-hashes".as_ref(),
            "-r".as_ref(),
            list.as_os_str(),
        ],
    )?;
    venv.install(workspace, &[only(&workspace.dist(), ".whl")?])?;
    Ok(venv)
}

fn play(workspace: &Workspace, interpreter: &Interpreter) -> anyhow::Result<Outcome> {
    let venv = environment(workspace, interpreter)?;
    let mut pytest = super::command(workspace, venv.bin("pytest"));
    pytest.args(["--quiet", "--color=no", "-rs", "-p", "no:cacheprovider"]);
    pytest.arg("-o").arg(format!("faulthandler_timeout={STUCK}"));
    pytest.arg(super::sources(workspace).join("tests"));
    // Nothing is left in the sources.
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    pytest.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
    pytest.env("CLI_AUTH_EXAMPLE", launcher(workspace, Language::Python));
    pytest.env("CLI_AUTH_DOCS", workspace.root.join("docs").join("python.md"));
    let mut counts = None;
    let finished = process::run(pytest, LIMIT, |line| counts = Counts::of_pytest(line).or(counts))?;
    Ok(match counts {
        Some(counts) if finished.success && counts.failed == 0 => {
            Outcome::Counted(counts, skipped(&finished.tail))
        }
        Some(counts) if counts.failed > 0 => Outcome::Counted(counts, finished.tail),
        _ => Outcome::Failed(finished.tail),
    })
}

/// The lines that say which tests were skipped, and why.
fn skipped(tail: &str) -> String {
    tail.lines().filter(|line| line.starts_with("SKIPPED")).collect::<Vec<_>>().join("\n")
}
