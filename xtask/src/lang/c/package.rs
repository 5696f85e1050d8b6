//! The archive that users unpack, and the installation that everything here is tested with: made from that archive.

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

/// The name of the archive, and of the one folder in it.
pub(super) fn name() -> String {
    format!("cli-auth-c-{}-linux-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH)
}

/// Builds it. The same sources make the same archive.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let libraries = library::build(workspace, Linker::Portable, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    let staged = files::empty(super::home(workspace).join("staged"))?;
    lay_out(workspace, &libraries, &staged.join(name()), Path::new("lib"))?;
    files::pack(workspace, &staged, &name(), &name())
}

/// Unpacks it at `target/c/prefix`. Programs that use it go on with what they have.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    fs::create_dir_all(super::home(workspace))?;
    let archive = build(workspace, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    files::unpack_once(workspace, &archive, &super::prefix(workspace)).map(|_| ())
}
