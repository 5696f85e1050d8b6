//! How Maven is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::Workspace;

/// What Maven downloads, and this project's own artifacts. Not the person's own: there they would stay, and an older build
/// would be found in the place of a newer one of the same version.
pub(super) fn repository(workspace: &Workspace) -> PathBuf {
    workspace.tools().join("maven")
}

/// `mvn GOAL` in `folder`.
pub(super) fn maven(workspace: &Workspace, folder: &Path, goal: &str) -> Command {
    let mut maven = workspace.command("mvn");
    maven.current_dir(folder).args(["--batch-mode", "--no-transfer-progress", "-Dstyle.color=never", goal]);
    for (name, folder) in
        [("maven.repo.local", repository(workspace)), ("cli-auth.repository", dist(workspace))]
    {
        let mut definition = std::ffi::OsString::from(format!("-D{name}="));
        definition.push(folder);
        maven.arg(definition);
    }
    // A daemon would outlive the build, with a gigabyte of memory.
    maven.arg("-Dkotlin.compiler.daemon=false");
    for name in ["MAVEN_ARGS", "MAVEN_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"] {
        maven.env_remove(name);
    }
    maven
}

/// The Maven repository that users get.
pub(super) fn dist(workspace: &Workspace) -> PathBuf {
    workspace.dist().join("maven")
}
