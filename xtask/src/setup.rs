//! Brings what the tests need: programs of the system, and tools of this project's own under `target/tools`.

mod debian;
mod tools;

use crate::lang::Language;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

pub(crate) use debian::Need;
pub(crate) use tools::{cargo_deny, keycloak, node_modules};

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
    let needs: Vec<&Need> =
        debian::SHARED.iter().chain(languages.iter().flat_map(|language| language.needs())).collect();
    report.part("programs", |live| debian::provide(workspace, &needs, live))?;
    for tool in tools::ALL {
        report.part(tool.title, |_| {
            if let Some(missing) = tool.needs.iter().find(|name| !debian::is_there(name)) {
                return Ok(Outcome::Skipped(format!("needs {missing}")));
            }
            (tool.make)(workspace).map(|()| Outcome::Ready)
        })?;
    }
    Ok(())
}
