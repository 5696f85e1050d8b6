//! The package for users: the sources, the generated module, and the static library for one platform.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::generated;
use crate::examples::{Run, quietly};
use crate::files::{self, copy, empty};
use crate::lang::uniffi;
use crate::notices;
use crate::report::Report;
use crate::setup;
use crate::workspace::Workspace;

/// The top-level directory of the archive, which is the package's name in other packages.
pub(super) const FOLDER: &str = "CLIAuth";
/// The paths by which the manifests of this project's packages refer to the package.
const IN_THE_TREE: [&str; 3] = ["../../bindings/swift", "../../swift", "../../../swift"];

/// Placeholder for the generated module that reports why it is missing.
const PLACEHOLDER: &str = "Sources/CLIAuthNative/SourceTree.swift";
/// The libraries that the manifest links. The linker adds the others.
const LINKED: [&str; 3] = ["-lpthread", "-lm", "-ldl"];
const LINKER_LIBRARIES: [&str; 2] = ["-lutil", "-lrt"];

/// Returns the name of the archive.
pub(super) fn name() -> String {
    format!("cliauth-swift-{}.{}", env!("CARGO_PKG_VERSION"), platform())
}

fn platform() -> String {
    format!("linux-{}", env::consts::ARCH)
}

/// Builds the archive reproducibly.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the Swift package can currently be built only on Linux x86-64"
    );
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    let staged = home.join("staged");
    stage(workspace, &empty(staged.join(FOLDER))?, run)?;
    files::pack(workspace, &staged, FOLDER, &name())
}

/// Copies the sources and adds the built files.
fn stage(workspace: &Workspace, folder: &Path, run: Run) -> anyhow::Result<()> {
    let (library, private) = uniffi::archive(workspace, run)?;
    for one in &private {
        let known = LINKED.iter().chain(&LINKER_LIBRARIES).any(|known| known == one);
        ensure!(known, "the library needs {one}, which bindings/swift/Package.swift does not link");
    }
    let tree = super::sources(workspace);
    for name in ["Package.swift", "README.md"] {
        fs::copy(tree.join(name), folder.join(name))?;
    }
    copy(&tree.join("Sources"), &folder.join("Sources"), ".build")?;
    fs::remove_file(folder.join(PLACEHOLDER))?;
    generated::write(workspace, &folder.join("Sources"), run)?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.root.join(licence), folder.join(licence))?;
    }
    fs::write(folder.join(notices::FILE), notices::of(workspace, uniffi::PACKAGE)?)?;
    let libraries = folder.join("lib").join(platform());
    fs::create_dir_all(&libraries)?;
    let name = library.file_name().context("the library has no file name")?;
    fs::copy(&library, libraries.join(name))?;
    Ok(())
}

/// Builds the package and unpacks it under `target/swift`. All tests use the unpacked package.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    if files::unpack_once(workspace, &build(workspace, run)?, &packed(workspace))? {
        // SwiftPM checks neither libraries nor the list of files of a package in another directory.
        empty(super::builds(workspace))?;
    }
    Ok(())
}

/// The directory into which [`unpack_once`] unpacks the package.
pub(super) fn packed(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("package").join(FOLDER)
}

/// Copies a package of this project from the directory `tree` of the source tree to `target/swift/NAME`, with a
/// manifest that refers to the packed package. Unchanged files keep their times, so that only changes are rebuilt.
pub(super) fn user(workspace: &Workspace, tree: &str, name: &str) -> anyhow::Result<PathBuf> {
    let (from, folder) = (workspace.root.join(tree), super::home(workspace).join(name));
    let manifest = fs::read_to_string(from.join("Package.swift"))?;
    let found = IN_THE_TREE.iter().map(|path| format!("\"{path}\"")).find(|it| manifest.contains(it));
    let found = found.with_context(|| format!("{tree}/Package.swift does not depend on the package"))?;
    // Removes files that only an earlier version of the sources had.
    let here = if folder.exists() { files::below(&folder)? } else { Vec::new() };
    for file in
        here.iter().filter(|file| !file.strip_prefix(&folder).is_ok_and(|below| from.join(below).is_file()))
    {
        fs::remove_file(file)?;
    }
    copy(&from, &folder, ".build")?;
    let instead = format!("{:?}", packed(workspace));
    files::write(&folder.join("Package.swift"), manifest.replace(&found, &instead).as_bytes())?;
    Ok(folder)
}

/// Checks the archive.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("package: packing is reproducible", |_| {
        files::packed_twice_is_the_same(|| build(workspace, quietly))
    })
}
