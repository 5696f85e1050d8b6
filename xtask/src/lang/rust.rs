//! Rust: the core itself, and its example tool.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Parts;
use crate::examples::Run;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const BINARY: &str = "login-example";

/// Compiling everything on a slow machine, and running it.
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

/// The example tool as one of the packages that `cargo build` is told.
pub(super) fn add_example(mut cargo: Command, profile: Profile) -> Command {
    cargo.args(["--package", BINARY]).args(profile.arguments());
    cargo
}

/// The crate, as a registry takes it; compiled from what was packed.
fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    let mut cargo = workspace.cargo("package");
    cargo.args(["--locked", "--allow-dirty", "--package", "cli-auth"]);
    run(cargo)?;
    let name = concat!("cli-auth-", env!("CARGO_PKG_VERSION"), ".crate");
    let file = workspace.dist().join(name);
    fs::copy(workspace.target.join("package").join(name), &file)?;
    Ok(vec![file])
}

/// Units, property tests, documentation tests and integration tests of every crate, and the core once more by itself: a
/// workspace build gives it the feature that the libraries under `bindings/` need.
fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    cargo_test(workspace, report, "cargo test", "--workspace")?;
    cargo_test(workspace, report, "cargo test, the core without hidden features", "--package=cli-auth")
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
        // A crate that does not compile has no tests to count, and still fails.
        total.failed = total.failed.max(1);
        let telling = finished.tail.lines().filter(|line| !line.ends_with("... ok"));
        Ok(Outcome::Counted(total, telling.collect::<Vec<_>>().join("\n")))
    })
}
