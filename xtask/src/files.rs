//! Folders, archives, and whether something was made of what lies there now.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::process;
use crate::workspace::Workspace;

/// The time of all files in a package, in seconds since 1970: the first of 2000, which a zip file can hold.
pub(crate) const SOURCE_DATE: &str = "946684800";

const LIMIT: Duration = Duration::from_secs(3 * 60);

/// `folder`, with nothing in it.
pub(crate) fn empty(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Every file and link below `folder`, sorted.
pub(crate) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
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

/// The one file below `folder` that ends so.
pub(crate) fn only(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let mut found = below(folder)?;
    found.retain(|file| file.to_str().is_some_and(|name| name.ends_with(ending)));
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("{} has {} files that end in {ending}", folder.display(), found.len()),
    }
}

/// Copies a folder with all that is in it, but for folders called `without`. Files that are there already and the same keep their
/// times, so that what is built from them is not built again.
pub(crate) fn copy(from: &Path, to: &Path, without: &str) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("no {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            write(&target, &fs::read(entry.path())?)?;
            // A script stays one that can be executed.
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
        } else if entry.file_name() != without {
            copy(&entry.path(), &target, without)?;
        }
    }
    Ok(())
}

/// Writes a file, unless that is what it holds.
pub(crate) fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if !fs::read(file).is_ok_and(|found| found == content) {
        fs::write(file, content)?;
    }
    Ok(())
}

/// Tells one content of a file or a folder from another.
pub(crate) fn digest(path: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    let files = if path.is_dir() { below(path)? } else { vec![path.to_path_buf()] };
    for file in files {
        file.strip_prefix(path)?.hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Calls `make`, unless the last time that it succeeded was for the same `source`, which `stamp` keeps, and `made` is still there.
pub(crate) fn once(
    made: &Path,
    stamp: &Path,
    source: &str,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    if made.exists() && fs::read_to_string(stamp).is_ok_and(|found| found == source) {
        return Ok(false);
    }
    // First: what is interrupted halfway is done again.
    if stamp.exists() {
        fs::remove_file(stamp)?;
    }
    make()?;
    fs::write(stamp, source)?;
    Ok(true)
}

/// Packs `name`, which lies in `folder`, as `target/dist/FILE.tar.gz`. The same files make the same archive.
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

/// Where [`pack`] leaves an archive.
pub(crate) fn packed(workspace: &Workspace, file: &str) -> PathBuf {
    workspace.dist().join(format!("{file}.tar.gz"))
}

/// Unpacks the archive as `folder`, which is made anew, without the one folder that the archive has.
pub(crate) fn unpack(workspace: &Workspace, archive: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut tar = workspace.command("tar");
    // With the time of now: cargo believes that what is as old as its last build was in it.
    tar.args(["--extract", "--gzip", "--touch", "--strip-components=1", "--file"]).arg(archive);
    tar.arg("--directory").arg(empty(folder.to_path_buf())?);
    process::succeed(tar, LIMIT)
}

/// The same, unless that is what lies there; whether it had to be done.
pub(crate) fn unpack_once(workspace: &Workspace, archive: &Path, folder: &Path) -> anyhow::Result<bool> {
    let stamp = folder.with_extension("made-from");
    once(folder, &stamp, &digest(archive)?, || unpack(workspace, archive, folder))
}

/// Calls `pack` twice, which has to make the same file.
pub(crate) fn packed_twice_is_the_same(pack: impl Fn() -> anyhow::Result<PathBuf>) -> anyhow::Result<()> {
    let first = pack()?;
    let content = fs::read(&first)?;
    fs::remove_file(&first)?;
    ensure!(content == fs::read(pack()?)?, "it is not");
    Ok(())
}
