//! Finds the JVMs of this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process;
use crate::workspace::{Workspace, on_path};

/// The oldest version with which the package is tested.
const OLDEST: u32 = 17;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Jvm {
    /// The feature version: 17, 21, …
    pub(super) version: u32,
    pub(super) program: PathBuf,
}

/// Returns the oldest and the newest supported JVM; only one if they are the same.
pub(super) fn extremes(workspace: &Workspace) -> Vec<Jvm> {
    let mut all: Vec<Jvm> =
        candidates().iter().filter_map(|program| version_of(workspace, program)).collect();
    all.sort();
    all.dedup_by_key(|jvm| jvm.version);
    if all.len() > 2 {
        all.drain(1..all.len() - 1);
    }
    all
}

fn candidates() -> Vec<PathBuf> {
    let home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin").join("java"));
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().filter_map(Result::ok);
    let programs = installed.map(|entry| entry.path().join("bin").join("java"));
    on_path("java").into_iter().chain(home).chain(programs).filter(|program| program.is_file()).collect()
}

fn version_of(workspace: &Workspace, program: &Path) -> Option<Jvm> {
    let mut java = workspace.command(program);
    java.arg("-XshowSettings:properties").arg("-version");
    let mut version = None;
    let finished = process::run(java, PATIENCE, |line| version = version.or(read(line))).ok()?;
    let version = version.filter(|version| finished.success && *version >= OLDEST)?;
    Some(Jvm { version, program: program.to_path_buf() })
}

/// Parses `    java.specification.version = 17`.
fn read(line: &str) -> Option<u32> {
    let (name, value) = line.trim().split_once(" = ")?;
    (name == "java.specification.version").then(|| value.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_versions_are_parsed() {
        assert_eq!(read("    java.specification.version = 17"), Some(17));
        assert_eq!(read("    java.specification.version = 1.8"), None);
        assert_eq!(read("    java.version = 17.0.15"), None);
    }
}
