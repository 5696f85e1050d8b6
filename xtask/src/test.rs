//! Runs all tests and prints the totals.

use std::time::Duration;

use crate::check;
use crate::examples::{launcher, quietly, write_launcher};
use crate::lang::Language;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::setup;
use crate::workspace::{Profile, Workspace, in_ci};

const SCENARIOS: Duration = Duration::from_secs(20 * 60);
const SERVERS: Duration = Duration::from_secs(12 * 60);

/// `cargo xtask test`. A failing part does not stop the others.
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    let mut setup_report = Report::new("setup");
    setup::prepare(workspace, languages, &mut setup_report)?;
    let mut check_report = Report::new("check");
    check::all(workspace, languages, &mut check_report)?;
    let mut summaries = vec![check_report.summary()];
    let mut total = setup_report.counts;
    total.add(check_report.counts);
    for &language in languages {
        let mut report = Report::new(language.name());
        match language.missing() {
            Some(why) => report.part("everything", |_| Ok(Outcome::Skipped(why)))?,
            None => all_of(workspace, language, &mut report)?,
        }
        summaries.push(report.summary());
        total.add(report.counts);
    }
    println!();
    for summary in summaries {
        println!("{summary}");
    }
    println!("{total}");
    let complete = total.skipped == 0 || !in_ci();
    Ok(u8::from(total.failed > 0 || !complete))
}

fn all_of(workspace: &Workspace, language: Language, report: &mut Report) -> anyhow::Result<()> {
    build(workspace, language, report)?;
    let parts: [Part; 3] =
        [|workspace, language, report| language.test(workspace, report), scenarios, servers];
    // Tools that occupy the processors would slow down parallel parts, so the parts run one after another.
    if language.tools_at_once().is_some() {
        return parts.iter().try_for_each(|part| part(workspace, language, report));
    }
    report.side_by_side(&parts, |part, report| part(workspace, language, report))
}

type Part = fn(&Workspace, Language, &mut Report) -> anyhow::Result<()>;

/// Builds what the tests of a language run.
fn build(workspace: &Workspace, language: Language, report: &mut Report) -> anyhow::Result<()> {
    report.part("test server and scenario runner", |_| {
        // Builds the whole workspace like `cargo test`: a selection of packages would compile the dependencies again.
        let mut cargo = workspace.cargo("build");
        cargo.args(["--quiet", "--locked", "--workspace", "--bins"]);
        quietly(cargo)?;
        Ok(Outcome::Ready)
    })?;
    report.part("example tool", |_| {
        let profile = if language.is_in_workspace() { Profile::Debug } else { Profile::Release };
        if !language.is_in_workspace() {
            language.build_example(workspace, profile, quietly)?;
        }
        write_launcher(workspace, language, profile)?;
        Ok(Outcome::Ready)
    })
}

/// Runs the scenarios with the scripted server, which are the same for the example tool of every language.
fn scenarios(workspace: &Workspace, language: Language, report: &mut Report) -> anyhow::Result<()> {
    report.part("scenarios", |live| {
        let mut runner = workspace.command(workspace.binary(Profile::Debug, "scenarios"));
        runner.arg("--tool").arg(launcher(workspace, language)).args(["--tool-name", language.name()]);
        runner.arg("--authserver").arg(workspace.binary(Profile::Debug, "authserver"));
        if language.has_sessions() {
            runner.arg("--sessions");
        }
        if let Some(jobs) = language.tools_at_once() {
            runner.arg("--jobs").arg(jobs.to_string());
        }
        counted(runner, SCENARIOS, |line| live.line(line))
    })
}

/// Runs the tests with real servers and with pages in a browser.
fn servers(workspace: &Workspace, language: Language, report: &mut Report) -> anyhow::Result<()> {
    report.part("real servers and pages", |live| {
        let modules = setup::NODE_MODULES.folder(workspace)?;
        let mut runner = workspace.command("node");
        runner.arg(workspace.root.join("tests").join("servers").join("run.mjs"));
        runner.arg("--tool").arg(launcher(workspace, language));
        runner.arg("--authserver").arg(workspace.binary(Profile::Debug, "authserver"));
        runner.arg("--modules").arg(modules).arg("--keycloak").arg(setup::keycloak(workspace));
        runner.arg("--work").arg(&workspace.target);
        counted(runner, SERVERS, |line| live.line(line))
    })
}

/// Runs a program whose last line is `N passed, N failed`.
pub(crate) fn counted(
    command: std::process::Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> anyhow::Result<Outcome> {
    let mut counts = None;
    let finished = process::run(command, limit, |line| {
        counts = Counts::read(line);
        on_line(line);
    })?;
    // A run that does not end with the counts was aborted and has failed.
    Ok(match counts {
        Some(counts) if finished.success == (counts.failed == 0) => Outcome::Counted(counts, String::new()),
        _ => Outcome::Failed(format!("the program ended without printing its counts\n{}", finished.tail)),
    })
}
