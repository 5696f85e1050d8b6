//! JUnit, in a project that has only the packed jar, on the oldest and the newest JVM of this machine.

use std::time::Duration;

use super::{guide, home, jdk, maven};
use crate::examples::launcher;
use crate::files;
use crate::lang::Language;
use crate::report::{Report, Skip, junit};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let jvms = jdk::extremes(workspace);
    if jvms.is_empty() {
        return report.part("JUnit", |_| Err::<(), _>(Skip("no JDK 17 or newer is found".to_owned()).into()));
    }
    let folder = files::empty(home(workspace).join("tests"))?;
    files::copy(&super::sources(workspace).join("tests"), &folder, "target")?;
    guide::write(workspace, &folder)?;
    for jvm in jvms {
        report.part(&format!("JUnit, JDK {}", jvm.version), |_| {
            let mut test = maven(workspace, &folder, "test");
            test.arg(format!("-Djvm={}", jvm.program.display()));
            test.env("CLI_AUTH_AUTHSERVER", workspace.binary(Profile::Debug, "authserver"));
            test.env("CLI_AUTH_EXAMPLE", launcher(workspace, Language::Kotlin));
            junit(test, LIMIT, &folder.join("target").join("surefire-reports"))
        })?;
    }
    Ok(())
}
