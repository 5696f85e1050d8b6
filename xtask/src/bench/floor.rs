//! The yardstick: xtask/floor as a program, and as libraries for other languages.

use std::path::PathBuf;

use crate::examples::in_foreground;
use crate::workspace::{Profile, Workspace};

/// What other languages call: one C function.
#[derive(Debug)]
pub(super) struct Libraries {
    pub(super) shared: PathBuf,
    pub(super) archive: PathBuf,
}

/// Builds the program.
pub(super) fn program(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--package", "floor"]);
    in_foreground(cargo)?;
    Ok(workspace.binary(Profile::Release, "floor"))
}

/// Builds the libraries, with the profile of the libraries that are shipped, and stripped like those.
pub(super) fn libraries(workspace: &Workspace) -> anyhow::Result<Libraries> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["--quiet", "--locked", "--profile", "size", "--package", "floor", "--lib"]);
    cargo.args(["--crate-type", "cdylib", "--crate-type", "staticlib"]);
    cargo.args(["--config", "profile.size.strip='symbols'"]);
    in_foreground(cargo)?;
    let folder = workspace.target.join("size");
    Ok(Libraries { shared: folder.join("libfloor.so"), archive: folder.join("libfloor.a") })
}
