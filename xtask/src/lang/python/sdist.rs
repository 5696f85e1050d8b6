//! The source distribution, and whether a wheel comes of it as pip makes one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::interpreters;
use super::tools;
use super::venv::{Venv, digest};
use super::wheel::{SOURCE_DATE, empty, maturin, of_example, only, pip_wheel, place, surround};
use crate::authserver::{Answer, Server, login_words};
use crate::examples::{Run, quietly};
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

const BUILD: Duration = Duration::from_secs(20 * 60);
const QUICK: Duration = Duration::from_secs(60);

/// Builds it; gives the file in `target/dist`.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    let _lock = setup::lock(&home.join("sdist.lock"))?;
    let raw = empty(home.join("raw-sdist"))?;
    let mut maturin = maturin(workspace, "sdist", &home.join("build-sdist"))?;
    maturin.arg("--out").arg(&raw);
    run(maturin)?;
    let raw = only(&raw, ".tar.gz")?;
    place(workspace, &complete(workspace, &raw, &home)?, ".tar.gz")
}

/// What the workspace says so that maturin, which names no package, finds the generator; maturin leaves it out of the
/// workspace that it packs.
const MEMBERS: &str = "default-members = [\".\", \"bindings/uniffi\"]\n";
const WORKSPACE: &str = "[workspace]\n";

/// The sdist with [`MEMBERS`]; without, nobody could build it.
fn complete(workspace: &Workspace, sdist: &Path, home: &Path) -> anyhow::Result<PathBuf> {
    let folder = empty(home.join("complete-sdist"))?;
    let mut tar = workspace.command("tar");
    tar.arg("-C").arg(&folder).arg("-xzf").arg(sdist);
    process::succeed(tar, QUICK)?;
    let name = fs::read_dir(&folder)?.next().context("the sdist is empty")??.file_name();
    let manifest = folder.join(&name).join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    ensure!(text.contains(WORKSPACE) && !text.contains("default-members"), "maturin packs another workspace");
    fs::write(manifest, text.replacen(WORKSPACE, &format!("{WORKSPACE}{MEMBERS}"), 1))?;
    let file = folder.join(sdist.file_name().context("a sdist has a name")?);
    let mut tar = workspace.command("tar");
    // The same sources make the same file.
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX"]);
    tar.arg("--format=ustar").arg(format!("--mtime=@{SOURCE_DATE}"));
    tar.arg("-C").arg(&folder).arg("-czf").arg(&file).arg(name);
    process::succeed(tar, QUICK)?;
    Ok(file)
}

/// Builds a wheel from it without zig, as pip does for a platform that no wheel is there for, and logs in with that.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let mut built = None;
    report.part("sdist", |_| {
        built = Some(build(workspace, quietly)?);
        Ok(Outcome::Ready)
    })?;
    let Some(sdist) = built else { return Ok(()) };
    report.part("sdist: build, install, log in", |_| {
        let wheel = wheel_of(workspace, &sdist)?;
        let home = super::home(workspace);
        let venv = Venv::fresh(workspace, &interpreters::usual(workspace)?, home.join("from-sdist"))?;
        venv.install(workspace, &[wheel, of_example(workspace)?])?;
        let server = Server::start(workspace, Some(Answer::Approve))?;
        let mut login = super::command(workspace, venv.bin("login-example"));
        login.args(login_words(&server.url));
        let finished = process::run(login, QUICK, |_| ())?;
        Ok(if finished.success { Outcome::Passed } else { Outcome::Failed(finished.tail) })
    })
}

fn wheel_of(workspace: &Workspace, sdist: &Path) -> anyhow::Result<PathBuf> {
    let home = super::home(workspace);
    let sources = unpack(workspace, sdist, &home)?;
    let out = empty(home.join("wheel-of-sdist"))?;
    let mut pip = pip_wheel(workspace, &sources, &out)?;
    surround(&mut pip, &tools::builder(workspace)?, &home.join("build-sdist"))?;
    process::succeed(pip, BUILD)?;
    only(&out, ".whl")
}

/// Unpacks it, always to the same place and only if it changed, so that a second build has little to do.
fn unpack(workspace: &Workspace, sdist: &Path, home: &Path) -> anyhow::Result<PathBuf> {
    let folder = home.join("sdist");
    let (stamp, made_from) = (home.join("sdist-from"), digest(sdist)?);
    if !fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        let mut tar = workspace.command("tar");
        // With the time of now: cargo believes that what is as old as its last build was in it.
        tar.arg("--touch").arg("-C").arg(empty(folder.clone())?).arg("-xzf").arg(sdist);
        process::succeed(tar, QUICK)?;
        fs::write(stamp, made_from)?;
    }
    let mut entries = fs::read_dir(&folder)?;
    Ok(entries.next().context("the sdist is empty")??.path())
}
