//! Rust: the core itself, and its example tool.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::examples::Run;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const BINARY: &str = "login-example";
pub(super) const LAUNCH: &str = r#""$here/../release/login-example""#;

/// Compiling everything on a slow machine, and running it.
const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(super) fn build_example(workspace: &Workspace, profile: Profile) -> Command {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", BINARY]).args(profile.arguments());
    cargo
}

/// One call for both: two calls would compile what they share twice, with different features.
pub(super) fn build_demo(workspace: &Workspace) -> Command {
    let mut cargo = build_example(workspace, Profile::Debug);
    cargo.args(["--package", "authserver"]);
    cargo
}

pub(super) fn example(workspace: &Workspace, profile: Profile) -> PathBuf {
    workspace.binary(profile, BINARY)
}

/// The crate, as a registry takes it; compiled from what was packed.
pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    let mut cargo = workspace.cargo("package");
    cargo.args(["--locked", "--allow-dirty", "--package", "cli-auth"]);
    run(cargo)?;
    let name = concat!("cli-auth-", env!("CARGO_PKG_VERSION"), ".crate");
    let file = workspace.dist().join(name);
    fs::copy(workspace.target.join("package").join(name), &file)?;
    Ok(vec![file])
}

/// Units, property tests, documentation tests and integration tests of every crate.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("test");
    cargo.args(["--workspace", "--locked", "--no-fail-fast"]).env("CARGO_TERM_COLOR", "never");
    report.part("cargo test", |live| {
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
