//! Everything that can be checked without running the product.

use std::time::Duration;

use crate::bench;
use crate::conformance;
use crate::lang::{self, Language};
use crate::process;
use crate::public_names;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

const COMPILE: Duration = Duration::from_secs(15 * 60);
const QUICK: Duration = Duration::from_secs(3 * 60);

/// `cargo xtask check`; with `write` it first brings generated files up to date.
pub(crate) fn run(workspace: &Workspace, write: bool) -> anyhow::Result<u8> {
    if write {
        conformance::write(workspace)?;
        lang::write(workspace)?;
    }
    let mut report = Report::new("check");
    all(workspace, lang::ALL, &mut report)?;
    println!("{}", report.counts);
    Ok(u8::from(report.counts.failed > 0))
}

/// Of the other languages only those of `languages` are checked: nothing may be set up for the rest.
pub(crate) fn all(workspace: &Workspace, languages: &[Language], report: &mut Report) -> anyhow::Result<()> {
    report.part("format", |_| {
        for manifest in ["Cargo.toml", bench::MANIFEST] {
            let mut format = workspace.cargo("fmt");
            format.args(["--manifest-path", manifest, "--all", "--check", "--", "-l"]);
            let process::Finished { success, tail } = process::run(format, QUICK, |_| ())?;
            if !success {
                let command = format!("cargo fmt --manifest-path {manifest} --all");
                return Ok(Outcome::Failed(format!("`{command}` changes\n{tail}")));
            }
        }
        Ok(Outcome::Passed)
    })?;

    let mut lints = workspace.cargo("clippy");
    lints.args(["--quiet", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    report.command("lints", lints, COMPILE)?;

    let mut docs = workspace.cargo("doc");
    docs.args(["--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings");
    report.command("documentation", docs, COMPILE)?;

    report.part("licences, sources, versions", |_| {
        dependencies(workspace, &["check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
    })?;
    // They are handed to nobody. This also finds their lock file outdated.
    report.part("sources of the benchmarks", |_| {
        let manifest = ["--workspace", "--manifest-path", bench::MANIFEST, "--config", "deny.toml"];
        dependencies(workspace, &[&manifest[..], &["check", "sources"]].concat())
    })?;
    report.part("advisories", |_| advisories(workspace))?;
    report.part("conformance table is current", |_| conformance::check(workspace))?;
    report.part("public names by language", |_| public_names::check(workspace))?;
    languages.iter().try_for_each(|language| language.check(workspace, report))
}

/// What cargo-deny says when it is called with these words.
fn dependencies(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Outcome> {
    let Some(program) = setup::cargo_deny(workspace) else {
        return Ok(Outcome::Skipped("cargo-deny is not set up; cargo xtask setup".to_owned()));
    };
    let mut deny = workspace.command(program);
    deny.args(["--locked", "--color", "never"]).args(words);
    let finished = process::run(deny, QUICK, |_| ())?;
    Ok(if finished.success { Outcome::Passed } else { Outcome::Failed(finished.tail) })
}

/// The database of advisories lives in a git repository, which not every machine can reach. Then it is said, and counted
/// as nothing: neither the code nor the set-up is at fault.
fn advisories(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let Some(program) = setup::cargo_deny(workspace) else {
        return Ok(Outcome::Skipped("cargo-deny is not set up; cargo xtask setup".to_owned()));
    };
    let mut deny = workspace.command(program);
    deny.args(["--locked", "--color", "never", "check", "advisories"]).env("GIT_TERMINAL_PROMPT", "0");
    let finished = process::run(deny, QUICK, |_| ())?;
    Ok(if finished.success {
        Outcome::Passed
    } else if finished.tail.contains("failed to fetch advisory database") {
        Outcome::Untried("their database is not reached from here".to_owned())
    } else {
        Outcome::Failed(finished.tail)
    })
}
