//! The example tool, built from the packed package as a program that is handed out: with Swift's own libraries in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::package;
use super::toolchain::{self, LIBRARIES, LOADER, Toolchain};
use crate::examples::Run;
use crate::setup;
use crate::workspace::Workspace;

const NAME: &str = "login-example";
/// What the launcher starts: the tool, or what makes the loader start it.
const START: &str = "start";

fn folder(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("example")
}

/// What starts it, without a launcher.
fn start(workspace: &Workspace) -> PathBuf {
    folder(workspace).join(START)
}

/// The words that start it without a shell.
pub(in super::super) fn words(workspace: &Workspace) -> Vec<PathBuf> {
    let toolchain = toolchain::if_there(workspace);
    let mut words = toolchain.map(|toolchain| toolchain.outside()).unwrap_or_default();
    words.push(program(workspace));
    words
}

/// The file itself.
fn program(workspace: &Workspace) -> PathBuf {
    folder(workspace).join(NAME)
}

pub(in super::super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    // Several commands may be at it at once.
    let _lock = setup::lock(&home.join("example.lock"))?;
    let toolchain = toolchain::of(workspace)?;
    package::unpack_once(workspace, run)?;
    let sources = package::user(workspace, "examples/swift", "example-sources")?;
    let built = release(workspace, &toolchain, &sources, run)?;
    fs::create_dir_all(folder(workspace))?;
    // Renamed into place, as it may be running.
    replace(&program(workspace), |partial| fs::copy(built, partial).map(|_| ()))?;
    replace(&start(workspace), |partial| match &toolchain {
        Toolchain::OfTheMachine => fs::hard_link(program(workspace), partial),
        Toolchain::InRoot(_) => {
            fs::write(partial, script())?;
            fs::set_permissions(partial, fs::Permissions::from_mode(0o755))
        }
    })
}

/// Builds the tool as it is handed out: small, and with Swift's own libraries in it. Gives the file.
fn release(
    workspace: &Workspace,
    toolchain: &Toolchain,
    sources: &Path,
    run: Run,
) -> anyhow::Result<PathBuf> {
    let scratch = super::builds(workspace).join("example");
    let mut swift = toolchain.swift(workspace, "build", sources, &scratch, &[]);
    swift.args(["--configuration", "release", "--static-swift-stdlib", "-Xlinker", "-s"]);
    swift.args(["--product", NAME]);
    let program = scratch.join("release").join(NAME);
    // SwiftPM does not look at libraries, and would not link again.
    if program.exists() {
        fs::remove_file(&program)?;
    }
    run(swift)?;
    Ok(program)
}

/// The root's C library is newer than that of the machine, so the root's loader starts the program. Both find each other by where
/// they lie under `target`.
fn script() -> String {
    format!(
        "#!/bin/sh\ncase $0 in */*) here=${{0%/*}} ;; *) here=. ;; esac\nroot=$here/../../tools/swift/root\n\
         exec \"$root/{LOADER}\" --library-path \"$root/{LIBRARIES}\" \"$here/{NAME}\" \"$@\"\n"
    )
}

fn replace(file: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    let partial = file.with_extension(std::process::id().to_string());
    if partial.exists() {
        fs::remove_file(&partial)?;
    }
    make(&partial)?;
    Ok(fs::rename(partial, file)?)
}
