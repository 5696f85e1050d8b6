//! The wheel: built by maturin against an old glibc, stripped, packed anew.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::tools;
use super::venv::digest;
use crate::examples::Run;
use crate::notices;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::{Workspace, forget_this_crate};

/// glibc 2.17 is that of the oldest systems which pip installs for (manylinux2014).
const PLATFORM: &str = "manylinux_2_17";
/// What the files of the installed package may come to.
const MOST_BYTES: u64 = 3_000_000;

/// The time of the files in a package, in seconds since 1970: the first of 2000, which a zip file can hold.
pub(super) const SOURCE_DATE: &str = "946684800";

const LIMIT: Duration = Duration::from_secs(3 * 60);

/// Builds it; gives the file in `target/dist`.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    let _lock = setup::lock(&home.join("wheel.lock"))?;
    let raw = empty(home.join("raw"))?;
    let mut maturin = maturin(workspace, "build", &home.join("build"))?;
    maturin.args(["--locked", "--profile", "size", "--zig", "--compatibility", PLATFORM]);
    maturin.arg("--out").arg(&raw);
    // The generator reads the symbols, which zig's linker would take away for "debuginfo" already.
    maturin.env("CARGO_PROFILE_SIZE_STRIP", "none");
    nameless(&mut maturin)?;
    run(maturin)?;

    let raw = only(&raw, "whl")?;
    let name = raw.file_name().context("a wheel has a name")?;
    let file = workspace.dist().join(name);
    let (stamp, made_from) = (home.join("packed-from"), digest(&raw)?);
    if file.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(file);
    }
    let packed = repack(workspace, &raw, &home)?;
    ensure!(packed.file_name() == Some(name), "packing anew changed the name: {}", packed.display());
    place(workspace, &packed, "whl")?;
    fs::write(stamp, made_from)?;
    Ok(file)
}

/// Keeps the places of this machine out of what panics say: they are nobody's business, and take space.
fn nameless(command: &mut Command) -> anyhow::Result<()> {
    let home = match env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    };
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(home.join("registry").join("src"));
    flag.push("=");
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flag);
    Ok(())
}

/// `maturin NAME` for the package, with a target folder of its own.
pub(super) fn maturin(workspace: &Workspace, name: &str, target: &Path) -> anyhow::Result<Command> {
    let bin = tools::builder(workspace)?;
    // All that lies there is packed, also what an earlier build left.
    let generated = target.join("maturin");
    if generated.exists() {
        fs::remove_dir_all(generated)?;
    }
    let mut maturin = super::command(workspace, bin.join("maturin"));
    maturin.arg(name).current_dir(super::sources(workspace));
    surround(&mut maturin, &bin, target)?;
    Ok(maturin)
}

/// The example tool as a wheel, as anybody's tool is one.
pub(super) fn of_example(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    // A copy, as a builder may leave something beside the sources.
    let copy = empty(home.join("example-sources"))?;
    copy_files(&super::example_sources(workspace), &copy)?;
    let out = empty(home.join("example-wheel"))?;
    process::succeed(pip_wheel(workspace, &copy, &out)?, LIMIT)?;
    only(&out, ".whl")
}

/// `pip wheel` of `sources`, with the builders that are set up and nothing from anywhere else.
pub(super) fn pip_wheel(workspace: &Workspace, sources: &Path, out: &Path) -> anyhow::Result<Command> {
    let mut pip = super::command(workspace, tools::builder(workspace)?.join("pip"));
    pip.args(["wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps"]);
    pip.arg("--no-index").arg("--wheel-dir").arg(out).arg(sources);
    // The same sources make the same wheel.
    pip.env("SOURCE_DATE_EPOCH", SOURCE_DATE);
    Ok(pip)
}

/// Lets `command` find the programs of `bin`, and keep what it builds in `target`.
pub(super) fn surround(command: &mut Command, bin: &Path, target: &Path) -> anyhow::Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.to_path_buf()].into_iter().chain(env::split_paths(&path)))?;
    command.env("PATH", path).env("CARGO_TARGET_DIR", target);
    for (name, folder) in [
        ("CARGO_ZIGBUILD_CACHE_DIR", "zigbuild"),
        ("ZIG_GLOBAL_CACHE_DIR", "zig"),
        ("ZIG_LOCAL_CACHE_DIR", "zig"),
    ] {
        command.env(name, target.join(folder));
    }
    forget_this_crate(command);
    Ok(())
}

/// Strips the libraries of a wheel; gives the new wheel, whose RECORD says what is in it now.
fn repack(workspace: &Workspace, wheel: &Path, home: &Path) -> anyhow::Result<PathBuf> {
    let unpacked = unpack(workspace, wheel, home.join("unpacked"))?;
    for library in files(&unpacked)?.iter().filter(|file| file.extension() == Some(OsStr::new("so"))) {
        let mut strip = workspace.command("strip");
        strip.arg(library);
        process::succeed(strip, LIMIT)?;
    }
    let notices = notices::of(workspace, "cli-auth-uniffi")?;
    fs::write(licences(&unpacked)?.join(notices::FILE), notices)?;
    let packed = empty(home.join("packed"))?;
    let mut pack = packer(workspace)?;
    // The same files make the same wheel.
    pack.env("SOURCE_DATE_EPOCH", SOURCE_DATE);
    pack.arg("pack").arg(&unpacked).arg("--dest-dir").arg(&packed);
    process::succeed(pack, LIMIT)?;
    only(&packed, "whl")
}

/// Where an unpacked wheel keeps its licence files (PEP 639).
fn licences(unpacked: &Path) -> anyhow::Result<PathBuf> {
    let mut entries = fs::read_dir(unpacked)?.filter_map(Result::ok).map(|entry| entry.path());
    let info = entries.find(|path| path.extension() == Some(OsStr::new("dist-info")));
    let folder = info.context("the wheel has no dist-info")?.join("licenses");
    ensure!(folder.is_dir(), "the wheel has no licence files");
    Ok(folder)
}

/// Unpacks a wheel under `folder`, checking each file against RECORD; gives the folder of its files.
fn unpack(workspace: &Workspace, wheel: &Path, folder: PathBuf) -> anyhow::Result<PathBuf> {
    let folder = empty(folder)?;
    let mut unpack = packer(workspace)?;
    unpack.arg("unpack").arg(wheel).arg("--dest").arg(&folder);
    process::succeed(unpack, LIMIT)?;
    let mut entries = fs::read_dir(&folder)?;
    Ok(entries.next().context("the wheel is empty")??.path())
}

fn packer(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut wheel = super::command(workspace, tools::builder(workspace)?.join("python"));
    wheel.args(["-m", "wheel"]);
    Ok(wheel)
}

/// Puts `file` into `target/dist`, in the place of those with the same ending that other versions left.
pub(super) fn place(workspace: &Workspace, file: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let dist = workspace.dist();
    fs::create_dir_all(&dist)?;
    for entry in fs::read_dir(&dist)? {
        let old = entry?;
        let name = old.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("cli_auth-") && name.ends_with(ending)) {
            fs::remove_file(old.path())?;
        }
    }
    let placed = dist.join(file.file_name().context("a package has a name")?);
    fs::copy(file, &placed)?;
    Ok(placed)
}

/// Copies the files of one folder into another, without the folders in it.
pub(super) fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// `folder`, with nothing in it.
pub(super) fn empty(folder: PathBuf) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The one file of `folder` that ends so.
pub(super) fn only(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let mut found = files(folder)?;
    found.retain(|file| file.to_str().is_some_and(|name| name.ends_with(ending)));
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("{} has {} files that end in {ending}", folder.display(), found.len()),
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether the wheel in `target/dist` is what it has to be.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("wheel", |live| {
        let wheel = only(&workspace.dist(), ".whl")?;
        let name = wheel.file_name().and_then(OsStr::to_str).context("its name is no text")?;
        let unpacked = unpack(workspace, &wheel, super::home(workspace).join("looked-at"))?;
        let mut bytes = 0;
        for file in files(&unpacked)? {
            bytes += fs::metadata(file)?.len();
        }
        live.line(&format!("{name}: {:.2} MB installed", megabytes(bytes)));
        let metadata =
            only(&unpacked, ".dist-info/METADATA").and_then(|file| Ok(fs::read_to_string(file)?))?;
        let faults = faults(name, bytes, &metadata);
        Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("\n")) })
    })
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, |bytes| f64::from(bytes) / 1e6)
}

fn faults(name: &str, bytes: u64, metadata: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let start = format!("cli_auth-{}-py3-none-", env!("CARGO_PKG_VERSION"));
    let platform = format!("{PLATFORM}_{}", env::consts::ARCH);
    let platforms = name.strip_prefix(&start).and_then(|rest| rest.strip_suffix(".whl"));
    if !platforms.is_some_and(|all| all.split('.').any(|one| one == platform)) {
        faults.push(format!("its name is {name}: not {start}...{platform}.whl"));
    }
    if bytes > MOST_BYTES {
        faults.push(format!("it takes {bytes} bytes when installed, more than {MOST_BYTES}"));
    }
    for needed in metadata.lines().filter(|line| line.starts_with("Requires-Dist:")) {
        faults.push(format!("it needs another distribution: {needed}"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tags: &str) -> String {
        format!("cli_auth-{}-{tags}.whl", env!("CARGO_PKG_VERSION"))
    }

    #[test]
    fn a_wheel_for_old_systems_and_every_python_is_good() {
        let arch = env::consts::ARCH;
        let metadata = "Metadata-Version: 2.4\nName: cli-auth\nRequires-Python: >=3.9\n";
        for tags in [
            format!("py3-none-manylinux_2_17_{arch}.manylinux2014_{arch}"),
            format!("py3-none-manylinux2014_{arch}.manylinux_2_17_{arch}"),
        ] {
            assert_eq!(faults(&name(&tags), 2_000_000, metadata), Vec::<String>::new());
        }
        for tags in [
            format!("py3-none-manylinux_2_34_{arch}"),
            format!("cp311-cp311-manylinux_2_17_{arch}"),
            format!("py3-none-linux_{arch}"),
        ] {
            assert_eq!(faults(&name(&tags), 2_000_000, metadata).len(), 1, "{tags}");
        }
        let good = name(&format!("py3-none-manylinux_2_17_{arch}"));
        assert_eq!(faults(&good, 3_000_001, metadata).len(), 1);
        assert_eq!(faults(&good, 1, "Name: cli-auth\nRequires-Dist: httpx>=0.28\n").len(), 1);
    }
}
