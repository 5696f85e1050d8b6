//! The module as users get it: the sources, with the header and the static library in their places.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::examples::{Run, quietly};
use crate::lang::c;
use crate::notices;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

/// The one platform whose library is in it, by Go's name.
const PLATFORM: &str = "linux-amd64";
/// The folder in the archive.
pub(super) const FOLDER: &str = "cliauth";
/// Where the example tool's manifest looks for it in the source tree.
const IN_THE_TREE: &str = "../../bindings/go";

/// The time of the files in it, in seconds since 1970.
const SOURCE_DATE: &str = "@946684800";
const LIMIT: Duration = Duration::from_secs(2 * 60);

/// Where the archive is.
pub(super) fn path(workspace: &Workspace) -> PathBuf {
    workspace.dist().join(format!("cliauth-go-{}.{PLATFORM}.tar.gz", env!("CARGO_PKG_VERSION")))
}

/// Builds it. The same sources make the same archive.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    stage_and_pack(workspace, run)
}

fn stage_and_pack(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the Go module is built on Linux, x86-64, for now"
    );
    c::build_prefix(workspace, run)?;
    let staged = super::home(workspace).join("staged");
    stage(workspace, &empty(staged.join(FOLDER))?)?;
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
fn stage(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    copy(&super::sources(workspace), folder)?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.root.join(licence), folder.join(licence))?;
    }
    let prefix = c::prefix(workspace);
    fs::copy(prefix.join("share/doc/cli-auth").join(notices::FILE), folder.join(notices::FILE))?;
    // Both beside each other, away from the sources: with `cliauth_system` another header is meant.
    let platform = folder.join("lib").join("linux_amd64");
    let (header, library) = (platform.join("cli_auth.h"), platform.join("libcli_auth.a"));
    fs::copy(prefix.join("include").join("cli_auth.h"), &header)?;
    fs::copy(prefix.join("lib").join("libcli_auth.a"), &library)?;
    // Go does not look at these two when it asks whether something has to be built again. At these lines it does.
    for source in [platform.join("library.go"), folder.join("link.go")] {
        let mut source = fs::OpenOptions::new().append(true).open(source)?;
        writeln!(source, "\n// Made for header {}, library {}.", digest(&header)?, digest(&library)?)?;
    }
    Ok(())
}

/// Unpacks the archive under `target/go`, unless that is what lies there; gives the folder of the module. Everything that is
/// tested is built from it.
pub(super) fn unpack_once(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    let archive = stage_and_pack(workspace, run)?;
    let (folder, stamp, made_from) = (home.join("module"), home.join("module-from"), digest(&archive)?);
    if !(folder.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == made_from)) {
        process::succeed(unpacking(workspace, &archive, &empty(folder)?), LIMIT)?;
        fs::write(stamp, made_from)?;
    }
    Ok(packed(workspace))
}

/// Where [`unpack_once`] leaves the module.
pub(super) fn packed(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("module").join(FOLDER)
}

fn unpacking(workspace: &Workspace, archive: &Path, folder: &Path) -> Command {
    let mut tar = workspace.command("tar");
    tar.args(["--extract", "--gzip", "--file"]).arg(archive).arg("--directory").arg(folder);
    tar
}

/// Copies the example tool's sources under `target/go`, with a manifest that looks for the module in `packed`.
pub(super) fn stage_example(workspace: &Workspace, packed: &Path) -> anyhow::Result<PathBuf> {
    let folder = empty(super::home(workspace).join("example-sources"))?;
    copy(&super::example_sources(workspace), &folder)?;
    let manifest = folder.join("go.mod");
    let text = fs::read_to_string(&manifest)?;
    ensure!(text.contains(IN_THE_TREE), "examples/go/go.mod does not replace the module");
    let packed = packed.to_str().context("the target folder's name is no text")?;
    fs::write(&manifest, text.replace(IN_THE_TREE, packed))?;
    Ok(folder)
}

/// Whether the archive is what it has to be.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("module: packed twice is the same", |_| {
        let first = digest(&build(workspace, quietly)?)?;
        fs::remove_file(path(workspace))?;
        let second = digest(&build(workspace, quietly)?)?;
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

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            // What only our own tests read stays here.
            if entry.file_name() != "testdata" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Tells one content of a file from another.
fn digest(file: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::read(file)?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}
