//! JUnit, in a project that has only the packed jar, on the oldest and the newest JVM of this machine.

use std::time::Duration;

use super::jdk::{self, Jvm};
use super::maven::maven;
use super::{copy, empty, guide, home};
use crate::examples::launcher;
use crate::lang::Language;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let jvms = jdk::extremes(workspace);
    if jvms.is_empty() {
        return report.part("JUnit", |_| Ok(Outcome::Skipped("no JDK 17 or newer is found".to_owned())));
    }
    let folder = empty(home(workspace).join("tests"))?;
    copy(&super::sources(workspace).join("tests"), &folder)?;
    guide::write(workspace, &folder)?;
    for jvm in jvms {
        report.part(&format!("JUnit, JDK {}", jvm.version), |_| play(workspace, &jvm))?;
    }
    Ok(())
}

fn play(workspace: &Workspace, jvm: &Jvm) -> anyhow::Result<Outcome> {
    let mut test = maven(workspace, &home(workspace).join("tests"), "test");
    test.arg(format!("-Djvm={}", jvm.program.display()));
    test.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
    test.env("CLI_AUTH_EXAMPLE", launcher(workspace, Language::Kotlin));
    let mut counts = None;
    let finished = process::run(test, LIMIT, |line| counts = surefire(line).or(counts))?;
    Ok(match counts {
        Some(counts) if finished.success && counts.failed == 0 && counts.passed > 0 => {
            Outcome::Counted(counts, String::new())
        }
        Some(counts) if counts.failed > 0 => Outcome::Counted(counts, finished.tail),
        _ => Outcome::Failed(finished.tail),
    })
}

/// Surefire's sum, `[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 1`. Lines of one class go on.
fn surefire(line: &str) -> Option<Counts> {
    let (_, counts) = line.split_once("] Tests run: ")?;
    let parts: Vec<_> = counts.split(", ").collect();
    let [run, failures, errors, skipped] = parts.as_slice() else { return None };
    let number = |part: &str, name: &str| part.strip_prefix(name)?.parse::<u64>().ok();
    let failed = number(failures, "Failures: ")? + number(errors, "Errors: ")?;
    let skipped = number(skipped, "Skipped: ")?;
    Some(Counts { passed: number(run, "")?.saturating_sub(failed + skipped), failed, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sum_is_read() {
        let sum = "[ERROR] Tests run: 12, Failures: 1, Errors: 2, Skipped: 3";
        assert_eq!(surefire(sum), Some(Counts { passed: 6, failed: 3, skipped: 3 }));
        let class = "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1.2 s -- in X";
        assert_eq!(surefire(class), None);
        assert_eq!(surefire("[INFO] Building"), None);
    }
}
