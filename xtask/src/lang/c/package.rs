//! The archive that users unpack, and the installation that everything here is tested with: made from that archive.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::install::lay_out;
use super::library;
use crate::examples::Run;
use crate::lang::native::Linker;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

/// The time of the files in it, in seconds since 1970.
const SOURCE_DATE: &str = "@946684800";

const LIMIT: Duration = Duration::from_secs(2 * 60);

/// The name of the archive, and of the one folder in it.
fn name() -> String {
    format!("cli-auth-c-{}-linux-{}", env!("CARGO_PKG_VERSION"), env::consts::ARCH)
}

/// Where the archive is.
pub(super) fn path(workspace: &Workspace) -> PathBuf {
    workspace.dist().join(format!("{}.tar.gz", name()))
}

/// Builds it. The same sources make the same archive.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let libraries = library::build(workspace, Linker::Portable, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    let staged = super::home(workspace).join("staged");
    empty(&staged)?;
    lay_out(workspace, &libraries, &staged.join(name()), Path::new("lib"))?;
    fs::create_dir_all(workspace.dist())?;
    let file = path(workspace);
    let partial = file.with_extension("partial");
    let mut tar = workspace.command("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
    tar.args(["--mode=u+rwX,go+rX,go-w", "--use-compress-program", "gzip --best --no-name"]);
    tar.arg(format!("--mtime={SOURCE_DATE}")).arg("--directory").arg(&staged);
    tar.arg("--file").arg(&partial).arg(name());
    process::succeed(tar, LIMIT)?;
    fs::rename(partial, &file)?;
    Ok(file)
}

/// Unpacks the archive at `target/c/prefix`, unless that is what lies there. Programs that use it go on with what they have.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let archive = build(workspace, run)?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    let (prefix, copy) = (super::prefix(workspace), super::home(workspace).join("prefix.tar.gz"));
    let content = fs::read(&archive)?;
    if prefix.exists() && fs::read(&copy).is_ok_and(|unpacked| unpacked == content) {
        return Ok(());
    }
    // First: what is interrupted halfway is done again.
    if copy.exists() {
        fs::remove_file(&copy)?;
    }
    unpack(workspace, &archive, &prefix)?;
    Ok(fs::write(copy, content)?)
}

/// Unpacks the archive as the folder `prefix`, which is made anew.
pub(super) fn unpack(workspace: &Workspace, archive: &Path, prefix: &Path) -> anyhow::Result<()> {
    empty(prefix)?;
    let mut tar = workspace.command("tar");
    tar.args(["--extract", "--gzip", "--strip-components=1", "--file"]).arg(archive);
    tar.arg("--directory").arg(prefix);
    process::succeed(tar, LIMIT)
}

fn empty(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}
