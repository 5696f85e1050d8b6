//! The wheel, built by maturin for an old glibc, stripped and repacked, and the source distribution.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::uv::{self, tool};
use crate::authserver::{login_arguments, logs_in};
use crate::examples::{Run, quietly};
use crate::files::{self, SOURCE_DATE, below, empty, only};
use crate::lang::native::remap_paths;
use crate::notices;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::{Workspace, remove_cargo_run_variables};

/// glibc 2.17 is that of the oldest systems that pip supports (manylinux2014).
const PLATFORM: &str = "manylinux_2_17";
/// The maximum size of the installed package.
const MOST_BYTES: u64 = 3_400_000;

const LIMIT: Duration = Duration::from_secs(3 * 60);
const BUILD: Duration = Duration::from_secs(20 * 60);

/// Builds the wheel and returns the file in `target/dist`.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    let _lock = setup::lock(&home.join("wheel.lock"))?;
    let raw = empty(home.join("raw"))?;
    let mut maturin = maturin(workspace, "build")?;
    maturin.args(["--locked", "--profile", "size", "--zig", "--compatibility", PLATFORM]);
    maturin.arg("--out").arg(&raw);
    // The generator reads the symbols, which zig's linker would already remove for "debuginfo".
    maturin.env("CARGO_PROFILE_SIZE_STRIP", "none");
    run(maturin)?;

    let raw = only(&raw, ".whl")?;
    let file = workspace.dist().join(raw.file_name().context("the wheel has no file name")?);
    files::once(&file, &home.join("packed-from"), &files::digest(&raw)?, || {
        let packed = repack(workspace, &raw, &home)?;
        let placed = place(workspace, &packed, ".whl")?;
        ensure!(placed == file, "repacking changed the name: {}", packed.display());
        Ok(())
    })?;
    Ok(file)
}

/// Returns `maturin NAME` for the package.
fn maturin(workspace: &Workspace, name: &str) -> anyhow::Result<Command> {
    // Removes files of an earlier build, because maturin packs everything in the directory.
    empty(workspace.target.join("maturin"))?;
    let mut maturin = tool(workspace, "maturin")?;
    maturin.arg(name).current_dir(super::sources(workspace));
    surround(workspace, &mut maturin)?;
    Ok(maturin)
}

/// Makes a command build in the target directory.
fn surround(workspace: &Workspace, command: &mut Command) -> anyhow::Result<()> {
    let target = &workspace.target;
    command.env("CARGO_TARGET_DIR", target).env("CARGO_ZIGBUILD_CACHE_DIR", target.join("zigbuild"));
    for name in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
        command.env(name, target.join("zig"));
    }
    remap_paths(command)?;
    remove_cargo_run_variables(command);
    Ok(())
}

/// Builds the example tool as a wheel.
pub(super) fn of_example(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    // Built in a copy because a build backend may write files next to the sources.
    let copy = empty(home.join("example-sources"))?;
    files::copy(&super::example_sources(workspace), &copy, "__pycache__")?;
    let out = empty(home.join("example-wheel"))?;
    process::succeed(uv::build(workspace, &copy, &out)?, LIMIT)?;
    only(&out, ".whl")
}

/// Strips the libraries of a wheel and returns the new wheel with an updated RECORD.
fn repack(workspace: &Workspace, wheel: &Path, home: &Path) -> anyhow::Result<PathBuf> {
    let unpacked = unpack(workspace, wheel, home.join("unpacked"))?;
    let mut strip = workspace.command("strip");
    strip.args(below(&unpacked)?.iter().filter(|file| file.extension() == Some(OsStr::new("so"))));
    process::succeed(strip, LIMIT)?;
    // The directory of licence files in a wheel (PEP 639).
    let licences = only(&unpacked, "licenses/LICENSE-MIT")?;
    fs::write(licences.with_file_name(notices::FILE), notices::of(workspace, "cli-auth-uniffi")?)?;
    let packed = empty(home.join("packed"))?;
    let mut pack = tool(workspace, "wheel")?;
    // Makes the wheel reproducible.
    pack.env("SOURCE_DATE_EPOCH", SOURCE_DATE);
    pack.arg("pack").arg(&unpacked).arg("--dest-dir").arg(&packed);
    process::succeed(pack, LIMIT)?;
    only(&packed, ".whl")
}

/// Unpacks a wheel below `folder`, checks each file against RECORD, and returns the directory of the files.
fn unpack(workspace: &Workspace, wheel: &Path, folder: PathBuf) -> anyhow::Result<PathBuf> {
    let folder = empty(folder)?;
    let mut unpack = tool(workspace, "wheel")?;
    unpack.arg("unpack").arg(wheel).arg("--dest").arg(&folder);
    process::succeed(unpack, LIMIT)?;
    let mut entries = fs::read_dir(&folder)?;
    Ok(entries.next().context("the wheel is empty")??.path())
}

/// Moves `file` to `target/dist` and removes files with the same ending of other versions there.
fn place(workspace: &Workspace, file: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let dist = workspace.dist();
    fs::create_dir_all(&dist)?;
    for entry in fs::read_dir(&dist)? {
        let old = entry?;
        let name = old.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("cli_auth-") && name.ends_with(ending)) {
            fs::remove_file(old.path())?;
        }
    }
    let placed = dist.join(file.file_name().context("the package has no file name")?);
    fs::copy(file, &placed)?;
    Ok(placed)
}

/// The member of the workspace with which maturin, which names no package, finds the generator. maturin omits it from
/// the packed workspace.
const MEMBERS: &str = "default-members = [\".\", \"bindings/uniffi\"]\n";
const WORKSPACE: &str = "[workspace]\n";

/// Builds the source distribution and returns the file in `target/dist`. Adds [`MEMBERS`], without which it cannot be
/// built.
pub(super) fn build_sdist(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    let _lock = setup::lock(&home.join("sdist.lock"))?;
    let raw = empty(home.join("raw-sdist"))?;
    let mut maturin = maturin(workspace, "sdist")?;
    maturin.arg("--out").arg(&raw);
    run(maturin)?;
    let name = concat!("cli_auth-", env!("CARGO_PKG_VERSION"));
    let folder = home.join("sdist");
    files::unpack(workspace, &only(&raw, ".tar.gz")?, &folder.join(name))?;
    let manifest = folder.join(name).join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    ensure!(
        text.contains(WORKSPACE) && !text.contains("default-members"),
        "maturin packed a different workspace"
    );
    fs::write(manifest, text.replacen(WORKSPACE, &format!("{WORKSPACE}{MEMBERS}"), 1))?;
    files::pack(workspace, &folder, name, name)
}

/// Checks the wheel in `target/dist`, and that the source distribution can be built.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("wheel", |live| {
        let wheel = only(&workspace.dist(), ".whl")?;
        let name = wheel.file_name().and_then(OsStr::to_str).context("the name of the wheel is not UTF-8")?;
        let unpacked = unpack(workspace, &wheel, super::home(workspace).join("looked-at"))?;
        let mut bytes = 0;
        for file in below(&unpacked)? {
            bytes += fs::metadata(file)?.len();
        }
        live.line(&format!("{name}: {:.2} MB installed", megabytes(bytes)));
        let metadata = fs::read_to_string(only(&unpacked, ".dist-info/METADATA")?)?;
        Ok(Outcome::of_faults(&faults(name, bytes, &metadata)))
    })?;
    report.part("sdist: build, install, log in", |_| {
        let home = super::home(workspace);
        let out = empty(home.join("wheel-of-sdist"))?;
        // Like pip on a platform without a wheel, but unoptimized, because most of it is already compiled that way.
        let mut build = uv::build(workspace, &build_sdist(workspace, quietly)?, &out)?;
        build.env("MATURIN_PEP517_ARGS", "--profile dev");
        surround(workspace, &mut build)?;
        process::succeed(build, BUILD)?;
        let environment = home.join("from-sdist");
        let wheels = [only(&out, ".whl")?, of_example(workspace)?];
        uv::environment(workspace, &uv::usual(), &environment, &wheels, false)?;
        logs_in(workspace, |url| {
            let mut login = super::command(workspace, environment.join("bin").join("login-example"));
            login.args(login_arguments(url));
            login
        })
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
        faults.push(format!("the wheel is named {name}, expected {start}...{platform}.whl"));
    }
    if bytes > MOST_BYTES {
        faults.push(format!("the installed package has {bytes} bytes, more than {MOST_BYTES}"));
    }
    for needed in metadata.lines().filter(|line| line.starts_with("Requires-Dist:")) {
        faults.push(format!("the wheel requires another distribution: {needed}"));
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
    fn a_wheel_for_old_systems_and_every_python_is_accepted() {
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
        assert_eq!(faults(&good, MOST_BYTES + 1, metadata).len(), 1);
        assert_eq!(faults(&good, 1, "Name: cli-auth\nRequires-Dist: httpx>=0.28\n").len(), 1);
    }
}
