//! How the Kotlin is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process;
use crate::report::{Outcome, Report};
use crate::setup::{self, Tool};
use crate::workspace::Workspace;

pub(in super::super) const KTLINT: Tool =
    Tool { title: "ktlint", needs: &["mvn"], make: |workspace| ktlint(workspace).map(|_| ()) };

const NAME: &str = "ktlint";
const VERSION: &str = "1.8.0";
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The linter's jar.
fn ktlint(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    setup::once(workspace, NAME, VERSION, |folder| {
        let mut maven = super::maven::maven(workspace, folder, COPY);
        maven.arg(format!("-Dartifact=com.pinterest.ktlint:ktlint-cli:{VERSION}:jar:all"));
        maven.arg("-DoutputDirectory=.");
        process::succeed(maven, LIMIT)
    })?;
    Ok(jar(&workspace.tools().join(NAME)))
}

fn jar(folder: &Path) -> PathBuf {
    folder.join(format!("ktlint-cli-{VERSION}-all.jar"))
}

/// What needs nothing that is built.
pub(in super::super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("ktlint", |_| {
        let Some(folder) = setup::made(workspace, NAME) else {
            return Ok(Outcome::Skipped("ktlint is not set up; cargo xtask setup kotlin".to_owned()));
        };
        let mut lint = workspace.command("java");
        lint.arg("-jar").arg(jar(&folder)).args(["--relative", "--log-level=error"]);
        lint.args(["bindings/kotlin/**/*.kt", "examples/kotlin/**/*.kt", "bench/**/*.kt"]);
        let finished = process::run(lint, LIMIT, |_| ())?;
        Ok(if finished.success { Outcome::Passed } else { Outcome::Failed(finished.tail) })
    })
}
