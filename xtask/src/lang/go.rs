//! Go: the module with the library in it, the example tool that is built from it, and the tests.

mod check;
mod consumer;
mod guide;
mod module;
mod tests;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(super) use check::check;
pub(super) use toolchain::{ALL as TOOLS, missing};

/// What builds the C library as well.
pub(super) const NEEDS: &[Need] = &[
    Need { program: "gcc", package: "gcc" },
    Need { program: "objcopy", package: "binutils" },
    Need { program: "pkg-config", package: "pkg-config" },
];

/// `$here` is the launcher's folder, `target/login`.
pub(super) const LAUNCH: &str = r#""$here/../go/example/login-example""#;

/// Where everything of Go lies.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("go")
}

/// The module's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("go")
}

/// The example tool's sources.
fn example_sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("examples").join("go")
}

/// The go command. Caches, flags and proxies are those of the person; the toolchain is the one that is there.
fn command(workspace: &Workspace) -> anyhow::Result<Command> {
    Ok(of_toolchain(workspace, &toolchain::go(workspace)?))
}

fn of_toolchain(workspace: &Workspace, program: &Path) -> Command {
    let mut go = workspace.command(program);
    surround(&mut go);
    go
}

fn surround(command: &mut Command) {
    command.env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("CGO_ENABLED", "1");
    for name in ["GOOS", "GOARCH", "GOEXPERIMENT", "CGO_CFLAGS", "CGO_LDFLAGS"] {
        command.env_remove(name);
    }
}

/// `go NAME`, in `folder`.
fn go(workspace: &Workspace, name: &str, folder: &Path) -> anyhow::Result<Command> {
    let mut go = command(workspace)?;
    go.arg(name).current_dir(folder);
    Ok(go)
}

/// Where the packed module is unpacked, once the example tool is built.
fn module(workspace: &Workspace) -> PathBuf {
    module::packed(workspace)
}

/// The example tool, once it is built.
pub(super) fn example(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example").join("login-example")
}

/// From the packed module, and nothing of the source tree but its own files.
pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    // Several commands may be at it at once.
    let _lock = setup::lock(&home.join("example.lock"))?;
    let packed = module::unpack_once(workspace, run)?;
    let sources = module::stage_example(workspace, &packed)?;
    let mut build = go(workspace, "build", &sources)?;
    build.args(["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]).arg(example(workspace)).arg(".");
    run(build)
}

pub(super) fn build_demo(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "authserver"]);
    run(cargo)?;
    build_example(workspace, run)
}

pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(home(workspace))?;
    Ok(vec![module::build(workspace, run)?])
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    module::test(workspace, report)?;
    check::packed(workspace, report)?;
    tests::run(workspace, report)?;
    consumer::test(workspace, report)?;
    let program = toolchain::go(workspace)?;
    guide::test(workspace, &module(workspace), &|| of_toolchain(workspace, &program), report)
}
