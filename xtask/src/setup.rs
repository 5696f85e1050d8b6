//! Brings what the tests need: programs of the system, and tools of this project's own under `target/tools`.

mod debian;
mod tools;

use crate::lang::Language;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

pub(crate) use debian::{Need, is_there};
pub(crate) use tools::{
    Tool, cargo_deny, keycloak, lock, made, make_node_folder, make_venv, node_modules, once,
};

/// `cargo xtask setup`
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    let mut report = Report::new("setup");
    prepare(workspace, languages, &mut report)?;
    Ok(u8::from(report.counts.failed > 0))
}

/// Sets up what is not there yet. Each piece is made once, also when several processes ask for it.
pub(crate) fn prepare(
    workspace: &Workspace,
    languages: &[Language],
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut needs: Vec<&Need> = Vec::new();
    for need in debian::SHARED.iter().chain(languages.iter().flat_map(|language| language.needs())) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    report.part("programs", |live| debian::provide(workspace, &needs, live))?;
    for tool in tools::ALL.iter().chain(languages.iter().flat_map(|language| language.tools())) {
        report.part(tool.title, |_| {
            if let Some(missing) = tool.needs.iter().find(|name| !is_there(name)) {
                return Ok(Outcome::Skipped(format!("needs {missing}")));
            }
            (tool.make)(workspace).map(|()| Outcome::Ready)
        })?;
    }
    Ok(())
}
