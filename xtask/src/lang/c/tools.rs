//! What C needs under `target/tools`. Each is made when it is first asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::lang::native::ZIG;
use crate::process;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;

pub(in super::super) const ALL: &[Tool] =
    &[Tool { title: "cbindgen", needs: &[], make: |workspace| cbindgen(workspace).map(|_| ()) }, ZIG];

const CBINDGEN: &str = "cbindgen";
/// Another version may write another header.
const CBINDGEN_VERSION: &str = "0.29.4";

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What makes the header.
pub(super) fn cbindgen(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    setup::once(workspace, CBINDGEN, CBINDGEN_VERSION, |folder| {
        let build = folder.join("build");
        let mut cargo = workspace.cargo("install");
        // It reads a few files: a debug build is fast enough, and sooner made.
        cargo.args([CBINDGEN, "--version", CBINDGEN_VERSION, "--locked", "--debug", "--quiet"]);
        cargo.arg("--root").arg(folder).arg("--target-dir").arg(&build);
        process::succeed(cargo, LIMIT)?;
        Ok(fs::remove_dir_all(build)?)
    })?;
    Ok(program(&workspace.tools().join(CBINDGEN)))
}

/// The same, if it was set up.
pub(super) fn cbindgen_if_made(workspace: &Workspace) -> Option<PathBuf> {
    setup::made(workspace, CBINDGEN).map(|folder| program(&folder))
}

fn program(folder: &Path) -> PathBuf {
    folder.join("bin").join(CBINDGEN)
}
