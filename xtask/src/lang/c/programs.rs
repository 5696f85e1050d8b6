//! Programs in C that use the library in every way that its header allows, and in some that it forbids: plain, under valgrind
//! and with the compiler's sanitizers. And the example tool, which has to leave nothing behind at any of its exits.

mod build;
mod cases;
mod example;
mod server;
mod valgrind;

use crate::examples::Run;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

/// Builds `examples/c` against the installed library, to `super::example(workspace)`.
pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let folder = super::home(workspace).join("example");
    run(build::example(workspace, &folder, "-O2")?)
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("test programs in C", |_| {
        build::all(workspace)?;
        Ok(Outcome::Ready)
    })?;
    cases::play(workspace, report)?;
    example::test(workspace, report)
}

/// How the programs are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    Nobody,
    Sanitizers,
    Valgrind,
}
