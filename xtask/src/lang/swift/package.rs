//! The package as users get it: the sources, the generated module, and the static library for one platform.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::generated;
use crate::examples::{Run, quietly};
use crate::lang::uniffi;
use crate::notices;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

/// The folder in the archive, and by that the package's name in other packages.
pub(super) const FOLDER: &str = "CLIAuth";
/// Where the manifests of this project's own packages look for it.
const IN_THE_TREE: [&str; 2] = ["../../bindings/swift", "../../swift"];

/// Stands in for the generated module, and says why that is missing.
const STAND_IN: &str = "Sources/CLIAuthNative/SourceTree.swift";
/// What the manifest links beside the library. The rest comes with the linker.
const LINKED: [&str; 3] = ["-lpthread", "-lm", "-ldl"];
const OF_THE_LINKER: [&str; 2] = ["-lutil", "-lrt"];

/// The time of the files in it, in seconds since 1970.
const SOURCE_DATE: &str = "@946684800";
const LIMIT: Duration = Duration::from_secs(2 * 60);

fn platform() -> String {
    format!("linux-{}", env::consts::ARCH)
}

/// Where the archive is.
pub(super) fn path(workspace: &Workspace) -> PathBuf {
    workspace.dist().join(format!("cliauth-swift-{}.{}.tar.gz", env!("CARGO_PKG_VERSION"), platform()))
}

/// Builds it. The same sources make the same archive.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(super::home(workspace))?;
    let _lock = setup::lock(&super::home(workspace).join("package.lock"))?;
    stage_and_pack(workspace, run)
}

fn stage_and_pack(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the Swift package is built on Linux, x86-64, for now"
    );
    let staged = super::home(workspace).join("staged");
    stage(workspace, &empty(staged.join(FOLDER))?, run)?;
    fs::create_dir_all(workspace.dist())?;
    let file = path(workspace);
    let partial = file.with_extension("partial");
    let mut tar = workspace.command("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"]);
    tar.args(["--mode=u+rwX,go+rX,go-w", "--use-compress-program", "gzip --best --no-name"]);
    tar.arg(format!("--mtime={SOURCE_DATE}")).arg("--directory").arg(&staged);
    tar.arg("--file").arg(&partial).arg(FOLDER);
    process::succeed(tar, LIMIT)?;
    fs::rename(partial, &file)?;
    Ok(file)
}

/// The sources, and what no repository holds.
fn stage(workspace: &Workspace, folder: &Path, run: Run) -> anyhow::Result<()> {
    let (library, private) = uniffi::archive(workspace, run)?;
    for one in &private {
        let known = LINKED.iter().chain(&OF_THE_LINKER).any(|known| known == one);
        ensure!(known, "the library needs {one}, which bindings/swift/Package.swift does not link");
    }
    let tree = super::sources(workspace);
    for name in ["Package.swift", "README.md"] {
        fs::copy(tree.join(name), folder.join(name))?;
    }
    copy(&tree.join("Sources"), &folder.join("Sources"))?;
    fs::remove_file(folder.join(STAND_IN))?;
    generated::write(workspace, &folder.join("Sources"), run)?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.root.join(licence), folder.join(licence))?;
    }
    fs::write(folder.join(notices::FILE), notices::of(workspace, uniffi::PACKAGE)?)?;
    let libraries = folder.join("lib").join(platform());
    fs::create_dir_all(&libraries)?;
    let name = library.file_name().context("a library has a name")?;
    fs::copy(&library, libraries.join(name))?;
    Ok(())
}

/// Unpacks the archive under `target/swift`, unless that is what lies there; gives the folder of the package. Everything that is
/// tested is built from it.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    let content = fs::read(stage_and_pack(workspace, run)?)?;
    let (folder, copy) = (home.join("package"), home.join("package.tar.gz"));
    if !(folder.exists() && fs::read(&copy).is_ok_and(|unpacked| unpacked == content)) {
        // First: what is interrupted halfway is done again.
        if copy.exists() {
            fs::remove_file(&copy)?;
        }
        process::succeed(unpacking(workspace, &path(workspace), &empty(folder)?), LIMIT)?;
        // SwiftPM looks neither at libraries nor at which files a package of another folder has.
        empty(super::builds(workspace))?;
        fs::write(copy, content)?;
    }
    Ok(packed(workspace))
}

/// Where [`unpack_once`] leaves the package.
pub(super) fn packed(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("package").join(FOLDER)
}

pub(super) fn unpacking(workspace: &Workspace, archive: &Path, folder: &Path) -> Command {
    let mut tar = workspace.command("tar");
    tar.args(["--extract", "--gzip", "--file"]).arg(archive).arg("--directory").arg(folder);
    tar
}

/// Copies a package of this project's own, from the folder `tree` of the source tree, to `target/swift/NAME`, with a manifest that
/// looks for the packed package. Files that did not change keep their times, so that only what changed is built again.
pub(super) fn user(workspace: &Workspace, tree: &str, name: &str) -> anyhow::Result<PathBuf> {
    let (from, folder) = (workspace.root.join(tree), super::home(workspace).join(name));
    let manifest = fs::read_to_string(from.join("Package.swift"))?;
    let packed = packed(workspace);
    let packed = packed.to_str().context("the target folder's name is no text")?;
    let found = IN_THE_TREE.iter().map(|path| format!("\"{path}\"")).find(|it| manifest.contains(it));
    let found = found.with_context(|| format!("{tree}/Package.swift does not depend on the package"))?;
    remove_others(&from, &folder)?;
    copy(&from, &folder)?;
    write_if_other(
        &folder.join("Package.swift"),
        manifest.replace(&found, &format!("{packed:?}")).as_bytes(),
    )?;
    Ok(folder)
}

/// Whether the archive is what it has to be.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("package: packed twice is the same", |_| {
        let first = fs::read(build(workspace, quietly)?)?;
        fs::remove_file(path(workspace))?;
        let second = fs::read(build(workspace, quietly)?)?;
        Ok(if first == second { Outcome::Passed } else { Outcome::Failed("it is not".to_owned()) })
    })
}

/// `folder`, with nothing in it.
pub(super) fn empty(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Copies a folder, less what SwiftPM makes in one.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != ".build" {
                copy(&entry.path(), &target)?;
            }
        } else if entry.file_name() != "Package.swift" || !target.exists() {
            write_if_other(&target, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn write_if_other(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if !fs::read(file).is_ok_and(|found| found == content) {
        fs::write(file, content)?;
    }
    Ok(())
}

/// Removes from `folder` what is not in `from`.
fn remove_others(from: &Path, folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (origin, is_folder) = (from.join(entry.file_name()), entry.file_type()?.is_dir());
        if is_folder && origin.is_dir() {
            remove_others(&origin, &entry.path())?;
        } else if is_folder {
            fs::remove_dir_all(entry.path())?;
        } else if !origin.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
