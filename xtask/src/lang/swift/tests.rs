//! Runs XCTest in a package that depends only on the packed package.

use std::ffi::OsString;
use std::time::Duration;

use super::package;
use super::toolchain::Toolchain;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

pub(super) const TREE: &str = "bindings/swift/tests";
pub(super) const NAME: &str = "tests";

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, toolchain: &Toolchain, report: &mut Report) -> anyhow::Result<()> {
    report.part("swift test", |_| {
        let folder = package::user(workspace, TREE, NAME)?;
        let scratch = super::builds(workspace).join(NAME);
        let server = workspace.binary(Profile::Debug, "authserver");
        let environment: &[(&str, OsString)] = &[("CLI_AUTH_AUTHSERVER", server.into())];
        let test = toolchain.swift(workspace, "test", &folder, &scratch, environment);
        let mut counts = Counts::default();
        let mut failures = Vec::new();
        let finished = process::run(test, LIMIT, |line| {
            if let Some(counted) = counted(line) {
                counts.add(counted);
            }
            if line.contains(": error: ") {
                failures.push(line.to_owned());
            }
        })?;
        if finished.success && counts.failed == 0 && counts.passed > 0 {
            return Ok(Outcome::Counted(counts, String::new()));
        }
        counts.failed = counts.failed.max(1);
        let quiet = |line: &&str| !line.contains("' started at ") && !line.contains("' passed (");
        let tail = finished.tail.lines().filter(quiet).collect::<Vec<_>>().join("\n");
        Ok(Outcome::Counted(counts, format!("{}\n{tail}", failures.join("\n"))))
    })
}

/// Parses `Test Case 'CancelTests.testX' passed (0.123 seconds)`.
fn counted(line: &str) -> Option<Counts> {
    let (_, ended) = line.strip_prefix("Test Case '")?.split_once("' ")?;
    match ended.split(' ').next()? {
        "passed" => Some(Counts::PASSED),
        "failed" => Some(Counts::FAILED),
        "skipped" => Some(Counts::SKIPPED),
        _ => None,
    }
}

#[cfg(test)]
mod counting {
    use super::*;

    #[test]
    fn each_test_is_counted_once() {
        let line = |what: &str| format!("Test Case 'CancelTests.testIt' {what}");
        assert_eq!(counted(&line("started at 2026-01-01 00:00:00.000")), None);
        assert_eq!(counted(&line("passed (0.123 seconds)")), Some(Counts::PASSED));
        assert_eq!(counted(&line("failed (0.123 seconds)")), Some(Counts::FAILED));
        assert_eq!(counted(&line("skipped (0.1 seconds)")), Some(Counts::SKIPPED));
        assert_eq!(counted("Test Suite 'CancelTests' passed at 2026-01-01"), None);
    }
}
