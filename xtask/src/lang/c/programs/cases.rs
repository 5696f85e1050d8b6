//! Plays the cases of the test programs, each in a process of its own, many at once.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::ensure;

use super::server::Server;
use super::{Watch, build, valgrind};
use crate::process::{self, Finished};
use crate::report::{Counts, Outcome, Report};
use crate::workspace::Workspace;

/// Longer than any case takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(3 * 60);
/// Most cases wait for most of their time.
const AT_ONCE: usize = 16;

pub(super) fn play(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    for (title, watch) in [
        ("test programs", Watch::Nobody),
        ("test programs, sanitizers", Watch::Sanitizers),
        ("test programs, valgrind", Watch::Valgrind),
    ] {
        report.part(title, |_| {
            // Its first server is that of `loading`; the other cases make their own.
            let server = Server::start(workspace, &["--approve"])?;
            let cases = cases(workspace, watch, &server)?;
            // Under valgrind they wait for the processor.
            let cores = thread::available_parallelism().map_or(2, usize::from);
            Ok(outcome(side_by_side(cases, if watch == Watch::Valgrind { cores * 3 } else { AT_ONCE })))
        })?;
    }
    Ok(())
}

struct Case {
    name: String,
    command: Command,
}

fn cases(workspace: &Workspace, watch: Watch, server: &Server) -> anyhow::Result<VecDeque<Case>> {
    let program = build::checks(workspace, watch);
    let mut list = workspace.command(&program);
    list.arg("--list");
    let mut names = Vec::new();
    let finished = process::run(list, LIMIT, |line| names.push(line.to_owned()))?;
    ensure!(finished.success && !names.is_empty(), "the list of cases is not given\n{}", finished.tail);
    let mut cases = VecDeque::new();
    for name in names {
        let mut command = watched(workspace, watch, name.ends_with("_over_tls"), &program);
        command.arg(&name).env("CLI_AUTH_CONTROL", &server.url);
        cases.push_back(Case { name, command });
    }
    let mut command = watched(workspace, watch, false, &build::loading(workspace, watch));
    command.arg(crate::lang::c::prefix(workspace).join("lib").join("libcli_auth.so")).arg(&server.url);
    cases.push_back(Case { name: "loading".to_owned(), command });
    Ok(cases)
}

/// `program`, watched.
fn watched(workspace: &Workspace, watch: Watch, tls: bool, program: &Path) -> Command {
    let mut command = match watch {
        Watch::Nobody | Watch::Sanitizers => workspace.command(program),
        Watch::Valgrind => {
            let mut valgrind = valgrind::command(workspace, tls);
            valgrind.arg(program);
            valgrind
        }
    };
    if watch != Watch::Nobody {
        command.env("CLI_AUTH_WATCHED", "1");
    }
    command.env("ASAN_OPTIONS", "detect_leaks=1").env("UBSAN_OPTIONS", "print_stacktrace=1");
    command
}

/// Why each that failed did.
fn side_by_side(cases: VecDeque<Case>, at_once: usize) -> Vec<Result<(), String>> {
    let queue = Mutex::new(cases);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let ends = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(Case { name, command }) = next() {
                    let end = match process::run(command, LIMIT, |_| ()) {
                        // What is well says nothing.
                        Ok(Finished { success: true, tail }) if valgrind::is_content(&tail) => Ok(()),
                        Ok(Finished { tail, .. }) => Err(format!("{name}\n{tail}")),
                        Err(error) => Err(format!("{name}: {error:#}")),
                    };
                    ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
                }
            });
        }
    });
    ends.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn outcome(ends: Vec<Result<(), String>>) -> Outcome {
    let (mut counts, mut said) = (Counts::default(), Vec::new());
    for end in ends {
        counts.add(if end.is_ok() { Counts::PASSED } else { Counts::FAILED });
        said.extend(end.err());
    }
    Outcome::Counted(counts, said.join("\n"))
}
