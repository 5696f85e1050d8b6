//! C: the header, the libraries as they are installed and packed, programs that use them, and the example tool.

mod abi;
mod consumers;
mod guide;
mod header;
mod inspect;
mod install;
mod library;
mod package;
mod programs;
mod tools;

use std::fs;
use std::path::PathBuf;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(crate) use install::{Options as Install, run as install};
pub(super) use tools::ALL as TOOLS;

pub(super) const NEEDS: &[Need] = &[
    Need { program: "gcc", package: "gcc" },
    Need { program: "g++", package: "g++" },
    Need { program: "objcopy", package: "binutils" },
    Need { program: "make", package: "make" },
    Need { program: "cmake", package: "cmake" },
    Need { program: "pkg-config", package: "pkg-config" },
    Need { program: "valgrind", package: "valgrind" },
    Need { program: "doxygen", package: "doxygen" },
];

/// `$here` is the launcher's folder, `target/login`.
pub(super) const LAUNCH: &str = r#""$here/../c/example/login-example""#;

/// Where everything of C lies.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("c")
}

/// The library as a user has it installed: what the archive of [`package()`] holds.
pub(super) fn prefix(workspace: &Workspace) -> PathBuf {
    home(workspace).join("prefix")
}

/// The sources of what is installed.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("c")
}

/// The three numbers of the project's version.
fn version_numbers() -> [&'static str; 3] {
    [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")]
}

/// Makes [`prefix`] current.
pub(super) fn build_prefix(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    package::unpack_once(workspace, run)
}

/// The example tool, once it is built.
pub(super) fn example(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example").join("login-example")
}

/// Against the installed library.
pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    fs::create_dir_all(home(workspace))?;
    let _lock = setup::lock(&home(workspace).join("example.lock"))?;
    build_prefix(workspace, run)?;
    programs::build_example(workspace, run)
}

pub(super) fn build_demo(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--locked", "--package", "authserver"]);
    run(cargo)?;
    build_example(workspace, run)
}

pub(super) fn package(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(home(workspace))?;
    Ok(vec![package::build(workspace, run)?])
}

/// Brings the generated files up to date.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    header::write(workspace)?;
    abi::write(workspace)
}

/// What needs nothing that is built.
pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    header::check(workspace, report)?;
    abi::check(workspace, report)
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("C libraries", |live| inspect::check(workspace, &prefix(workspace), live))?;
    consumers::test(workspace, report)?;
    guide::test(workspace, &prefix(workspace), report)?;
    programs::test(workspace, report)
}
