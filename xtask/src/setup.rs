//! Installs what the tests need: system programs, and the project's tools under `target/tools`.

mod debian;
mod tools;

use crate::lang::Language;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

pub(crate) use debian::{Need, is_there};
pub(crate) use tools::{NODE_MODULES, Tool, keycloak, lock, make_node_modules, programs};

/// `cargo xtask setup`
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    let mut report = Report::new("setup");
    prepare(workspace, languages, &mut report)?;
    Ok(u8::from(report.counts.failed > 0))
}

/// Sets up what is missing. Each item is installed once, even if several processes request it.
pub(crate) fn prepare(
    workspace: &Workspace,
    languages: &[Language],
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut needs: Vec<&Need> = Vec::new();
    let key_store = if languages.contains(&Language::Rust) { debian::KEY_STORE } else { &[] };
    let of_languages = languages.iter().flat_map(|language| language.needs());
    for need in debian::SHARED.iter().chain(key_store).chain(of_languages) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    report.part("programs", |live| debian::provide(workspace, &needs, live))?;
    for tool in tools::ALL.iter().chain(languages.iter().flat_map(|language| language.tools())) {
        report.part(tool.title, |_| tool.folder(workspace).map(|_| Outcome::Ready))?;
    }
    Ok(())
}
