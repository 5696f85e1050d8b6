//! The Swift toolchain: that of the machine if it is new enough, otherwise that of a later Debian release in a separate
//! root directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process;
use crate::setup::{Need, Tool};
use crate::workspace::{Workspace, on_path};

/// Used only if the machine's toolchain is missing or too old.
pub(super) const SWIFT: Tool = Tool {
    title: "Swift",
    name: "swift",
    needs: &[NEED.program],
    recipe: include_str!("root.sh"),
    make: |workspace, folder, _| {
        if is_new_enough(workspace) {
            return Ok(());
        }
        let mut make = workspace.command("sh");
        make.arg(workspace.root.join(SCRIPT)).arg("make").arg(folder.join("root"));
        process::succeed(make, MAKE)
    },
};

/// Swift requires one of the two.
pub(super) const NEED: Need = Need { program: "swift, or root and mmdebstrap", package: "mmdebstrap" };

/// The oldest version for the checks. The package itself supports 5.9.
const OLDEST: (u32, u32) = (6, 0);

const SCRIPT: &str = "xtask/src/lang/swift/root.sh";

const MAKE: Duration = Duration::from_secs(20 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Toolchain {
    OfTheMachine,
    /// In this root, in which programs see only the project's directories.
    InRoot(PathBuf),
}

/// Returns the machine's toolchain, or creates the project's own once.
pub(super) fn of(workspace: &Workspace) -> anyhow::Result<Toolchain> {
    let root = SWIFT.folder(workspace)?.join("root");
    Ok(if root.exists() { Toolchain::InRoot(root) } else { Toolchain::OfTheMachine })
}

impl Toolchain {
    /// Returns a command in `folder` whose first argument, the program, must be added by the caller. The program
    /// replaces the command, so signals, streams and status are those of the program.
    pub(super) fn command(
        &self,
        workspace: &Workspace,
        folder: &Path,
        environment: &[(&str, OsString)],
    ) -> Command {
        let mut command = match self {
            Self::OfTheMachine => workspace.command("env"),
            Self::InRoot(root) => {
                let mut command = workspace.command("sh");
                command.arg(workspace.root.join(SCRIPT)).arg("run").arg(root);
                command.args([&workspace.root, &workspace.target]).arg("--");
                command
            }
        };
        for (name, value) in environment {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            command.arg(word);
        }
        command.current_dir(folder);
        command
    }

    /// Returns `swift NAME` for the package in `folder`, with the build directory `scratch`.
    pub(super) fn swift(
        &self,
        workspace: &Workspace,
        name: &str,
        folder: &Path,
        scratch: &Path,
        environment: &[(&str, OsString)],
    ) -> Command {
        let mut swift = self.command(workspace, folder, environment);
        swift.args(["swift", name, "--scratch-path"]).arg(scratch);
        swift
    }

    /// Returns the command line that runs a built program outside the root, with the loader and the C library for which
    /// it was built.
    pub(super) fn outside(&self) -> Vec<PathBuf> {
        match self {
            Self::OfTheMachine => Vec::new(),
            Self::InRoot(root) => {
                vec![root.join(LOADER), "--library-path".into(), root.join(LIBRARIES)]
            }
        }
    }
}

/// The loader in the root.
pub(super) const LOADER: &str = "lib64/ld-linux-x86-64.so.2";
pub(super) const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

fn is_new_enough(workspace: &Workspace) -> bool {
    let Some(program) = on_path("swift") else { return false };
    let said = workspace.command(program).arg("--version").output();
    said.is_ok_and(|said| version(&String::from_utf8_lossy(&said.stdout)) >= Some(OLDEST))
}

/// Parses `Swift version 6.0.3 (swift-6.0.3-RELEASE)` anywhere in the text.
fn version(said: &str) -> Option<(u32, u32)> {
    let (_, number) = said.split_once("Swift version ")?;
    let mut numbers = number.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swift_versions_are_parsed_and_compared() {
        assert_eq!(version("Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x"), Some((6, 0)));
        assert_eq!(
            version("swift-driver version: 1.90\nApple Swift version 5.10 (swiftlang)"),
            Some((5, 10))
        );
        assert!(version("Swift version 5.10.1 (swift-5.10.1-RELEASE)") < Some(OLDEST));
        assert_eq!(version("something else"), None);
    }
}
