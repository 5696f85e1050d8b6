//! Runs JUnit in a project that depends only on the packed jar, with the oldest and the newest JVM of this machine.

use std::path::Path;
use std::time::Duration;

use super::jdk::{self, Jvm};
use super::{guide, home, maven};
use crate::examples::launcher;
use crate::files;
use crate::lang::{Language, uniffi};
use crate::process;
use crate::report::{Outcome, Report, Skip, junit};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    uniffi::test_generator(workspace, report)?;
    let jvms = jdk::extremes(workspace);
    if jvms.is_empty() {
        return report
            .part("JUnit", |_| Err::<(), _>(Skip("no JDK 17 or newer was found".to_owned()).into()));
    }
    let compiled = files::empty(home(workspace).join("tests"))?;
    report.part("tests, compiled", |_| {
        files::copy(&super::sources(workspace).join("tests"), &compiled, "target")?;
        guide::write(workspace, &compiled)?;
        process::succeed(maven(workspace, &compiled, "test-compile"), LIMIT)?;
        Ok(Outcome::Ready)
    })?;
    report.side_by_side(&jvms, |jvm, report| {
        report.part(&format!("JUnit, JDK {}", jvm.version), |_| play(workspace, &compiled, jvm))
    })
}

/// Runs in a copy because every run writes reports.
fn play(workspace: &Workspace, compiled: &Path, jvm: &Jvm) -> anyhow::Result<Outcome> {
    let folder = files::empty(home(workspace).join(format!("tests-{}", jvm.version)))?;
    files::copy(compiled, &folder, "reports")?;
    let mut test = maven(workspace, &folder, "surefire:test");
    test.arg(format!("-Djvm={}", jvm.program.display()));
    test.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
    test.env("CLI_AUTH_EXAMPLE", launcher(workspace, Language::Kotlin));
    junit(test, LIMIT, &folder.join("target").join("surefire-reports"))
}
