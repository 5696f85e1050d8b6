//! What C needs under `target/tools`. Each is made when it is first asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process;
use crate::setup::{self, Tool};
use crate::workspace::Workspace;

pub(in super::super) const ALL: &[Tool] = &[
    Tool { title: "cbindgen", needs: &[], make: |workspace| cbindgen(workspace).map(|_| ()) },
    Tool { title: "zig", needs: &["python3 with venv"], make: |workspace| zig(workspace).map(|_| ()) },
];

const CBINDGEN: &str = "cbindgen";
/// Another version may write another header.
const CBINDGEN_VERSION: &str = "0.29.4";
const ZIG: &str = "zig";
const ZIG_LIST: &str = include_str!("zig.txt");

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

/// `zig`, a C compiler that links against an old glibc.
pub(super) fn zig(workspace: &Workspace) -> anyhow::Result<Command> {
    setup::once(workspace, ZIG, ZIG_LIST, |folder| {
        setup::make_venv(workspace, Path::new("python3"), folder, ZIG_LIST)
    })?;
    let mut zig = workspace.command(workspace.tools().join(ZIG).join("bin").join("python"));
    zig.args(["-m", "ziglang"]);
    let cache = super::home(workspace).join("zig");
    zig.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"] {
        zig.env_remove(name);
    }
    Ok(zig)
}
