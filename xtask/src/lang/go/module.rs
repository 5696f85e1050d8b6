//! The module for users: the sources together with the header and the static library.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::examples::{Run, quietly};
use crate::files::{self, copy, digest, empty};
use crate::lang::c;
use crate::notices;
use crate::report::Report;
use crate::setup;
use crate::workspace::Workspace;

/// The top-level directory of the archive.
const FOLDER: &str = "cliauth";
/// The name of the archive, for the one platform whose library it contains.
pub(super) const ARCHIVE: &str = concat!("cliauth-go-", env!("CARGO_PKG_VERSION"), ".linux-amd64");
/// The path by which the example tool's manifest refers to the module in the source tree.
const IN_THE_TREE: &str = "../../bindings/go";
/// Files that only the project's tests read.
const OURS: &str = "testdata";

/// Builds the archive reproducibly, for the one platform whose library it contains.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the Go module can currently be built only on Linux x86-64"
    );
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    c::build_prefix(workspace, run)?;
    let staged = home.join("staged");
    stage(workspace, &empty(staged.join(FOLDER))?)?;
    files::pack(workspace, &staged, FOLDER, ARCHIVE)
}

/// Copies the sources and adds the built files.
fn stage(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    copy(&super::sources(workspace), folder, OURS)?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.root.join(licence), folder.join(licence))?;
    }
    let prefix = c::prefix(workspace);
    fs::copy(prefix.join("share/doc/cli-auth").join(notices::FILE), folder.join(notices::FILE))?;
    // Header and library are together and separate from the sources, because `cliauth_system` uses another header.
    let platform = folder.join("lib").join("linux_amd64");
    let (header, library) = (platform.join("cli_auth.h"), platform.join("libcli_auth.a"));
    fs::copy(prefix.join("include").join("cli_auth.h"), &header)?;
    fs::copy(prefix.join("lib").join("libcli_auth.a"), &library)?;
    // Go does not check these two files for changes, so their digests are written into source files, which it checks.
    for source in [platform.join("library.go"), folder.join("link.go")] {
        let mut source = fs::OpenOptions::new().append(true).open(source)?;
        writeln!(source, "\n// Made for header {}, library {}.", digest(&header)?, digest(&library)?)?;
    }
    Ok(())
}

/// Builds the module and unpacks it under `target/go`. All tests use the unpacked module.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    files::unpack_once(workspace, &build(workspace, run)?, &packed(workspace)).map(|_| ())
}

/// The directory into which [`unpack_once`] unpacks the module.
pub(super) fn packed(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("module").join(FOLDER)
}

/// Copies the example tool's sources to `target/go`, with a manifest that refers to the packed module.
pub(super) fn stage_example(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = empty(super::home(workspace).join("example-sources"))?;
    copy(&super::example_sources(workspace), &folder, OURS)?;
    let manifest = folder.join("go.mod");
    let text = fs::read_to_string(&manifest)?;
    ensure!(text.contains(IN_THE_TREE), "examples/go/go.mod does not replace the module");
    fs::write(&manifest, text.replace(IN_THE_TREE, &packed(workspace).to_string_lossy()))?;
    Ok(folder)
}

/// Checks the archive.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("module: packing is reproducible", |_| {
        files::packed_twice_is_the_same(|| build(workspace, quietly))
    })
}
