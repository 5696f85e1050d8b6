//! The shared and the static library, both made from one archive.

use std::fs;
use std::path::PathBuf;

use super::abi::Interface;
use crate::examples::Run;
use crate::lang::native::{self, Core, Linker, Shared};
use crate::setup;
use crate::workspace::Workspace;

#[derive(Debug)]
pub(super) struct Libraries {
    pub(super) shared: PathBuf,
    pub(super) archive: PathBuf,
    /// The libraries that a program must link with the archive.
    pub(super) private: Vec<String>,
}

/// Returns the name by which the loader finds the library.
pub(super) fn soname(interface: &Interface) -> String {
    format!("libcli_auth.so.{}", interface.version)
}

pub(super) fn build(workspace: &Workspace, linker: Linker, run: Run) -> anyhow::Result<Libraries> {
    let folder = super::home(workspace).join(linker.name());
    fs::create_dir_all(&folder)?;
    // Several processes may do this at the same time.
    let _lock = setup::lock(&super::home(workspace).join("library.lock"))?;
    let interface = Interface::find(workspace)?;
    let (raw, private) = Core::new(workspace, "cli-auth-c").build(run)?;
    let (object, shared) = (folder.join("libcli_auth.o"), folder.join("libcli_auth.so"));
    native::one_object(workspace, &raw, &interface.functions, &object)?;
    let archive = native::archive(workspace, &object)?;
    // Symbols are versioned so that libraries of different ABI versions can be loaded into one process.
    let exports = format!("CLI_AUTH_{} {{ global: cli_auth_*; local: *; }};\n", interface.version);
    Shared { object: &object, private: &private, exports: &exports, soname: &soname(&interface) }
        .link(workspace, linker, &shared)?;
    Ok(Libraries { shared, archive, private })
}
