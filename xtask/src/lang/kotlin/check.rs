//! Format and lints of the Kotlin code.

use std::time::Duration;

use crate::files;
use crate::process;
use crate::report::Report;
use crate::setup::Tool;
use crate::workspace::Workspace;

/// The linter's jar.
pub(super) const KTLINT: Tool = Tool {
    title: "ktlint",
    name: "ktlint",
    needs: &["mvn"],
    recipe: "1.8.0",
    make: |workspace, folder, version| {
        let mut maven = super::maven(workspace, folder, COPY);
        maven.arg(format!("-Dartifact=com.pinterest.ktlint:ktlint-cli:{version}:jar:all"));
        maven.arg("-DoutputDirectory=.");
        process::succeed(maven, LIMIT)
    },
};

const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Runs the checks that require no build.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("ktlint", |_| {
        let jar = files::only(&KTLINT.folder(workspace)?, ".jar")?;
        let mut lint = workspace.command("java");
        lint.arg("-jar").arg(jar).args(["--relative", "--log-level=error"]);
        lint.args(["bindings/kotlin/**/*.kt", "examples/kotlin/**/*.kt", "bench/**/*.kt"]);
        process::succeed(lint, LIMIT)
    })
}
