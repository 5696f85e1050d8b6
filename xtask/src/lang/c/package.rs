//! The archive for users, and the installation unpacked from it, with which everything is tested.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::install::lay_out;
use super::library;
use crate::examples::Run;
use crate::files;
use crate::lang::native::Linker;
use crate::setup;
use crate::workspace::Workspace;

/// The name of the archive and of its top-level directory.
pub(super) fn name() -> String {
    format!("cli-auth-c-{}-linux-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH)
}

/// Builds the archive reproducibly.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let libraries = library::build(workspace, Linker::Portable, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    let staged = files::empty(super::home(workspace).join("staged"))?;
    lay_out(workspace, &libraries, &staged.join(name()), Path::new("lib"))?;
    files::pack(workspace, &staged, &name(), &name())
}

/// Unpacks the archive as `target/c/prefix`. Running programs keep the previous files.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    fs::create_dir_all(super::home(workspace))?;
    let archive = build(workspace, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    files::unpack_once(workspace, &archive, &super::prefix(workspace)).map(|_| ())
}
