//! Rust: the core and its example tool.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Parts;
use crate::examples::Run;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::soak;
use crate::workspace::{Profile, Workspace};

const BINARY: &str = "login-example";

/// Timeout for compiling and running all tests on a slow machine.
const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(super) const PARTS: Parts = Parts {
    name: "rust",
    needs: &[],
    tools: &[],
    build_example: |workspace, profile, run| {
        let mut cargo = workspace.cargo("build");
        cargo.arg("--locked");
        run(add_example(cargo, profile))
    },
    words: |workspace, profile| vec![workspace.binary(profile, BINARY)],
    package,
    check: |_, _| Ok(()),
    test,
};

/// Adds the example tool to the packages of a `cargo build` command.
pub(super) fn add_example(mut cargo: Command, profile: Profile) -> Command {
    cargo.args(["--package", BINARY]).args(profile.arguments());
    cargo
}

/// Packs the crate for a registry and compiles the packed sources.
fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    let mut cargo = workspace.cargo("package");
    cargo.args(["--locked", "--allow-dirty", "--package", "cli-auth"]);
    run(cargo)?;
    let name = concat!("cli-auth-", env!("CARGO_PKG_VERSION"), ".crate");
    let file = workspace.dist().join(name);
    fs::copy(workspace.target.join("package").join(name), &file)?;
    Ok(vec![file])
}

/// Runs the unit, property, documentation and integration tests of every crate, and those of the core once more alone:
/// in a workspace build, the core has the hidden feature that the crates under `bindings/` enable. Then sessions on
/// faulty machines, and a short soak.
fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    cargo_test(workspace, report, "cargo test", "--workspace")?;
    cargo_test(workspace, report, "cargo test, the core without hidden features", "--package=cli-auth")?;
    soak::test(workspace, report)
}

fn cargo_test(workspace: &Workspace, report: &mut Report, title: &str, packages: &str) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("test");
    cargo.args([packages, "--locked", "--no-fail-fast"]).env("CARGO_TERM_COLOR", "never");
    report.part(title, |live| {
        let mut total = Counts::default();
        let mut of_what = String::new();
        let finished = process::run(cargo, LIMIT, |line| {
            let trimmed = line.trim_start();
            if let Some(name) = trimmed.strip_prefix("Running ").or(trimmed.strip_prefix("Doc-tests ")) {
                name.split(" (").next().unwrap_or(name).clone_into(&mut of_what);
            } else if let Some(counts) = line.strip_prefix("test result:").and_then(Counts::read) {
                total.add(counts);
                if counts != Counts::default() {
                    live.line(&format!("{counts}  {of_what}"));
                }
            }
        })?;
        if finished.success {
            return Ok(Outcome::Counted(total, String::new()));
        }
        // A crate that does not compile has no counts but is a failure.
        total.failed = total.failed.max(1);
        let telling = finished.tail.lines().filter(|line| !line.ends_with("... ok"));
        Ok(Outcome::Counted(total, telling.collect::<Vec<_>>().join("\n")))
    })
}
