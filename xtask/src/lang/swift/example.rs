//! The example tool, built from the packed package as a program that is handed out: with Swift's own libraries in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::package;
use super::toolchain::{self, Toolchain};
use crate::examples::Run;
use crate::setup;
use crate::workspace::Workspace;

const NAME: &str = "login-example";

fn folder(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("example")
}

/// The words that start it. The root's C library is newer than that of the machine, so the root's loader starts the program.
pub(super) fn words(workspace: &Workspace) -> Vec<PathBuf> {
    let mut words = toolchain::of(workspace).map(|toolchain| toolchain.outside()).unwrap_or_default();
    words.push(program(workspace));
    words
}

/// The file itself.
fn program(workspace: &Workspace) -> PathBuf {
    folder(workspace).join(NAME)
}

pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
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
    let partial = program(workspace).with_extension(std::process::id().to_string());
    fs::copy(built, &partial)?;
    Ok(fs::rename(partial, program(workspace))?)
}

/// Builds the tool as it is handed out. Gives the file.
fn release(
    workspace: &Workspace,
    toolchain: &Toolchain,
    sources: &Path,
    run: Run,
) -> anyhow::Result<PathBuf> {
    let scratch = super::builds(workspace).join("example");
    let mut swift = toolchain.swift(workspace, "build", sources, &scratch, &[]);
    swift.args(super::RELEASE).args(["--product", NAME]);
    let program = scratch.join("release").join(NAME);
    // SwiftPM does not look at libraries, and would not link again.
    if program.exists() {
        fs::remove_file(&program)?;
    }
    run(swift)?;
    Ok(program)
}
