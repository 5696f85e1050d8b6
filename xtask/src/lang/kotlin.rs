//! Kotlin and the JVM: the jar that contains the native library, the example tool, and the tests, in a project that
//! depends only on that jar.

mod check;
mod guide;
mod jdk;
mod package;
mod tests;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Parts;
use crate::examples::Run;
use crate::files;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(super) const PARTS: Parts = Parts {
    name: "kotlin",
    // Maven and a JDK are also required by the tests of every language.
    needs: &[
        Need { program: "JDK 17 or newer", package: "default-jdk-headless" },
        Need { program: "mvn", package: "maven" },
        Need { program: "gcc", package: "gcc" },
        Need { program: "objcopy", package: "binutils" },
    ],
    tools: &[check::KTLINT],
    build_example: |workspace, _, run| build_example(workspace, run),
    words: |workspace, _| vec![start_script(workspace)],
    package: package::build,
    check: check::check,
    test: |workspace, report| {
        package::test(workspace, report)?;
        tests::run(workspace, report)
    },
};

/// The directory of all build results for Kotlin.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kotlin")
}

/// The directory of the package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("kotlin")
}

fn installed(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example")
}

fn start_script(workspace: &Workspace) -> PathBuf {
    installed(workspace).join("bin").join("login-example")
}

/// Builds the example tool with Maven from the repository that users get, and lays it out with its own script.
fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    package::build(workspace, run)?;
    let home = home(workspace);
    let _lock = setup::lock(&home.join("example.lock"))?;
    let sources = workspace.root.join("examples").join("kotlin");
    let made_from = format!("{} {}", fs::read_to_string(home.join("packed-from"))?, files::digest(&sources)?);
    files::once(&start_script(workspace), &home.join("example-from"), &made_from, || {
        let staged = home.join("example-sources");
        files::copy(&sources, &files::empty(staged.clone())?, "target")?;
        let mut build = maven(workspace, &staged, "package");
        build.arg("--quiet");
        run(build)?;
        let mut install = Command::new("sh");
        install.current_dir(&staged).arg("install.sh").arg(files::empty(installed(workspace))?);
        install.env_remove(CARGO_LIBRARIES);
        run(install)
    })?;
    Ok(())
}

/// The local Maven repository for downloads and this project's artifacts. The user's own repository is not used,
/// because an older build of the same version would stay there and be found instead of a newer one.
fn repository(workspace: &Workspace) -> PathBuf {
    workspace.tools().join("maven")
}

/// Returns `mvn GOAL` in `folder`.
fn maven(workspace: &Workspace, folder: &Path, goal: &str) -> Command {
    let mut maven = workspace.command("mvn");
    maven.current_dir(folder).args(["--batch-mode", "--no-transfer-progress", "-Dstyle.color=never", goal]);
    for (name, folder) in
        [("maven.repo.local", repository(workspace)), ("cli-auth.repository", dist(workspace))]
    {
        let mut definition = OsString::from(format!("-D{name}="));
        definition.push(folder);
        maven.arg(definition);
    }
    // A Kotlin daemon would outlive the build and keep a gigabyte of memory.
    maven.arg("-Dkotlin.compiler.daemon=false");
    for name in ["MAVEN_ARGS", "MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", CARGO_LIBRARIES] {
        maven.env_remove(name);
    }
    maven
}

/// The variable in which cargo names its output directory. A JVM would load the library of a debug build from there
/// instead of that of the jar.
const CARGO_LIBRARIES: &str = "LD_LIBRARY_PATH";

/// The directory of the Maven repository that users get.
fn dist(workspace: &Workspace) -> PathBuf {
    workspace.dist().join("maven")
}
