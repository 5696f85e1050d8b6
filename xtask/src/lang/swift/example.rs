//! The example tool, built from the packed package for distribution: with Swift's libraries linked statically.

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

/// Returns the command line that starts the tool. The C library of the toolchain's root is newer than that of the
/// machine, so the loader of the root starts the program.
pub(super) fn words(workspace: &Workspace) -> Vec<PathBuf> {
    let mut words = toolchain::of(workspace).map(|toolchain| toolchain.outside()).unwrap_or_default();
    words.push(program(workspace));
    words
}

/// The path of the executable.
fn program(workspace: &Workspace) -> PathBuf {
    folder(workspace).join(NAME)
}

pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = super::home(workspace);
    fs::create_dir_all(&home)?;
    // Several processes may do this at the same time.
    let _lock = setup::lock(&home.join("example.lock"))?;
    let toolchain = toolchain::of(workspace)?;
    package::unpack_once(workspace, run)?;
    let sources = package::user(workspace, "examples/swift", "example-sources")?;
    let built = release(workspace, &toolchain, &sources, run)?;
    fs::create_dir_all(folder(workspace))?;
    // Renamed into place because the tool may be running.
    let partial = program(workspace).with_extension(std::process::id().to_string());
    fs::copy(built, &partial)?;
    Ok(fs::rename(partial, program(workspace))?)
}

/// Builds the tool for distribution and returns the file.
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
    // SwiftPM does not check libraries for changes and would not link again.
    if program.exists() {
        fs::remove_file(&program)?;
    }
    run(swift)?;
    Ok(program)
}
