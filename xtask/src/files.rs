//! Directories, archives, and whether build results are up to date.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::process;
use crate::workspace::Workspace;

/// The modification time of all files in a package, in seconds since 1970: the start of 2000, which zip files support.
pub(crate) const SOURCE_DATE: &str = "946684800";

const LIMIT: Duration = Duration::from_secs(3 * 60);

/// Creates `folder`, or empties it if it exists.
pub(crate) fn empty(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns every file and link below `folder`, sorted.
pub(crate) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(below(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the only file below `folder` with this ending.
pub(crate) fn only(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let mut found = below(folder)?;
    found.retain(|file| file.to_str().is_some_and(|name| name.ends_with(ending)));
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("{} has {} files that end in {ending}", folder.display(), found.len()),
    }
}

/// Copies a directory recursively, except subdirectories named `without`. Files that are already identical keep their
/// modification times, so that nothing is rebuilt because of them.
pub(crate) fn copy(from: &Path, to: &Path, without: &str) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            write(&target, &fs::read(entry.path())?)?;
            // Scripts stay executable.
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
        } else if entry.file_name() != without {
            copy(&entry.path(), &target, without)?;
        }
    }
    Ok(())
}

/// Writes a file unless it already has this content.
pub(crate) fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if !fs::read(file).is_ok_and(|found| found == content) {
        fs::write(file, content)?;
    }
    Ok(())
}

/// Returns a digest of the content of a file or a directory.
pub(crate) fn digest(path: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    let files = if path.is_dir() { below(path)? } else { vec![path.to_path_buf()] };
    for file in files {
        file.strip_prefix(path)?.hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Calls `make` unless its last success was for the same `source`, which is stored in `stamp`, and `made` still exists.
pub(crate) fn once(
    made: &Path,
    stamp: &Path,
    source: &str,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    if made.exists() && fs::read_to_string(stamp).is_ok_and(|found| found == source) {
        return Ok(false);
    }
    // Removed first, so that an interrupted run is repeated.
    if stamp.exists() {
        fs::remove_file(stamp)?;
    }
    make()?;
    fs::write(stamp, source)?;
    Ok(true)
}

/// Packs `name`, a directory in `folder`, as `target/dist/FILE.tar.gz`. Reproducible: equal files give equal archives.
pub(crate) fn pack(workspace: &Workspace, folder: &Path, name: &str, file: &str) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(workspace.dist())?;
    let file = packed(workspace, file);
    let partial = file.with_extension("partial");
    let mut tar = workspace.command("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"]);
    tar.args(["--mode=u+rwX,go+rX,go-w", "--use-compress-program", "gzip --best --no-name"]);
    tar.arg(format!("--mtime=@{SOURCE_DATE}")).arg("--directory").arg(folder);
    tar.arg("--file").arg(&partial).arg(name);
    process::succeed(tar, LIMIT)?;
    fs::rename(partial, &file)?;
    Ok(file)
}

/// Returns where [`pack`] writes an archive.
pub(crate) fn packed(workspace: &Workspace, file: &str) -> PathBuf {
    workspace.dist().join(format!("{file}.tar.gz"))
}

/// Replaces `folder` with the content of the archive's top-level directory.
pub(crate) fn unpack(workspace: &Workspace, archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut tar = workspace.command("tar");
    // Extracted with the current time, because cargo does not rebuild for files older than its last build.
    tar.args(["--extract", "--gzip", "--touch", "--strip-components=1", "--file"]).arg(archive);
    tar.arg("--directory").arg(empty(folder.to_path_buf())?);
    process::succeed(tar, LIMIT)
}

/// Calls [`unpack`] unless the archive is already unpacked there. Returns whether it was called.
pub(crate) fn unpack_once(workspace: &Workspace, archive: &Path, folder: &Path) -> anyhow::Result<bool> {
    let stamp = folder.with_extension("made-from");
    once(folder, &stamp, &digest(archive)?, || unpack(workspace, archive, folder))
}

/// Calls `pack` twice and checks that both files are equal.
pub(crate) fn packed_twice_is_the_same(pack: impl Fn() -> anyhow::Result<PathBuf>) -> anyhow::Result<()> {
    let first = pack()?;
    let content = fs::read(&first)?;
    fs::remove_file(&first)?;
    ensure!(content == fs::read(pack()?)?, "the second archive differs from the first");
    Ok(())
}
