//! Everything that can be checked without running the product.

use std::process::Command;
use std::time::Duration;

use crate::bench;
use crate::conformance;
use crate::lang::{self, Language};
use crate::process;
use crate::prose;
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
        prose::write_markdown(workspace)?;
        lang::write(workspace)?;
    }
    let mut report = Report::new("check");
    all(workspace, lang::ALL, &mut report)?;
    println!("{}", report.counts);
    Ok(u8::from(report.counts.failed > 0))
}

/// Of the other languages only those of `languages` are checked: nothing may be set up for the rest.
pub(crate) fn all(workspace: &Workspace, languages: &[Language], report: &mut Report) -> anyhow::Result<()> {
    report.part("format (cargo fmt --all)", |_| {
        ["Cargo.toml", bench::MANIFEST].iter().try_for_each(|manifest| {
            let mut format = workspace.cargo("fmt");
            format.args(["--manifest-path", manifest, "--all", "--check", "--", "-l"]);
            process::succeed(format, QUICK)
        })
    })?;

    report.part("Markdown format (mdformat)", |_| prose::check_markdown(workspace))?;
    report.part("width of comments", |_| prose::check_comments(workspace))?;

    let mut lints = workspace.cargo("clippy");
    lints.args(["--quiet", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    report.command("lints", lints, COMPILE)?;

    let mut docs = workspace.cargo("doc");
    docs.args(["--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings");
    report.command("documentation", docs, COMPILE)?;

    report.part("licences, sources, versions", |_| {
        let mut deny = cargo_deny(workspace)?;
        deny.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
        process::succeed(deny, QUICK)
    })?;
    // They are handed to nobody. This also finds their lock file outdated.
    report.part("sources of the benchmarks", |_| {
        let mut deny = cargo_deny(workspace)?;
        deny.args([
            "--workspace",
            "--manifest-path",
            bench::MANIFEST,
            "--config",
            "deny.toml",
            "check",
            "sources",
        ]);
        process::succeed(deny, QUICK)
    })?;
    report.part("advisories", |_| advisories(cargo_deny(workspace)?))?;
    report.part("conformance table is current", |_| conformance::check(workspace))?;
    report.part("public names by language", |_| public_names::check(workspace))?;
    languages.iter().try_for_each(|language| language.check(workspace, report))
}

fn cargo_deny(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut deny = workspace.command(setup::programs(workspace)?.join("cargo-deny"));
    deny.args(["--locked", "--color", "never"]);
    Ok(deny)
}

/// The database of advisories lives in a git repository, which not every machine can reach. Then it is said, and counted
/// as nothing: neither the code nor the set-up is at fault.
fn advisories(mut deny: Command) -> anyhow::Result<Outcome> {
    deny.args(["check", "advisories"]).env("GIT_TERMINAL_PROMPT", "0");
    let finished = process::run(deny, QUICK, |_| ())?;
    Ok(if finished.success {
        Outcome::Passed
    } else if finished.tail.contains("failed to fetch advisory database") {
        Outcome::Untried("their database is not reached from here".to_owned())
    } else {
        Outcome::Failed(finished.tail)
    })
}
