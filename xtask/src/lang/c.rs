//! C: the header, the installed and packed libraries, programs that use them, and the example tool.

mod abi;
mod consumers;
mod header;
mod inspect;
mod install;
mod library;
mod package;
mod programs;
mod tools;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use super::Parts;
use crate::examples::Run;
use crate::guide::{Code, Guide};
use crate::process;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(crate) use install::{Options as Install, run as install};

pub(super) const PARTS: Parts = Parts {
    name: "c",
    needs: &[
        Need { program: "gcc", package: "gcc" },
        Need { program: "g++", package: "g++" },
        Need { program: "objcopy", package: "binutils" },
        Need { program: "make", package: "make" },
        Need { program: "cmake", package: "cmake" },
        Need { program: "pkg-config", package: "pkg-config" },
        Need { program: "valgrind", package: "valgrind" },
        Need { program: "doxygen", package: "doxygen" },
    ],
    tools: &[tools::CBINDGEN],
    build_example: |workspace, _, run| {
        fs::create_dir_all(home(workspace))?;
        let _lock = setup::lock(&home(workspace).join("example.lock"))?;
        build_prefix(workspace, run)?;
        programs::build_example(workspace, run)
    },
    words: |workspace, _| vec![example(workspace)],
    package: |workspace, run| {
        fs::create_dir_all(home(workspace))?;
        Ok(vec![package::build(workspace, run)?])
    },
    check: |workspace, report| {
        header::check(workspace, report)?;
        abi::check(workspace, report)
    },
    test,
};

const LIMIT: Duration = Duration::from_secs(60);

/// The directory of all build results for C.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("c")
}

/// The library as users install it: the content of the archive of [`package`].
pub(super) fn prefix(workspace: &Workspace) -> PathBuf {
    home(workspace).join("prefix")
}

/// The directory of the sources of the installed files.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("c")
}

/// Returns the three numbers of the project's version.
fn version_numbers() -> [&'static str; 3] {
    [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")]
}

/// Brings [`prefix`] up to date.
pub(super) fn build_prefix(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    package::unpack_once(workspace, run)
}

/// The path of the built example tool.
fn example(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example").join("login-example")
}

/// Updates the generated files.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    header::write(workspace)?;
    abi::write(workspace)
}

fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("C libraries", |live| inspect::check(workspace, &prefix(workspace), live))?;
    consumers::test(workspace, report)?;
    Guide {
        language: "c",
        documents: &["docs/c.md", "README.md", "bindings/c/README.md"],
        program_has: "int main(",
        // `redirect.h` makes the programs use the test server.
        client: ("int main(", "int main("),
        located: |document, block| format!("#line {} \"{document}\"\n{}\n", block.line, block.code),
        functions_print: &["all of the guide ran"],
        run: &|code, url| run_guide(workspace, code, url),
    }
    .test(workspace, report)?;
    programs::test(workspace, report)
}

const STRICT: &[&str] =
    &["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];

fn run_guide(workspace: &Workspace, code: Code, url: &str) -> anyhow::Result<String> {
    let (folder, sources) = (home(workspace).join("guide"), sources(workspace).join("tests").join("guide"));
    fs::create_dir_all(&folder)?;
    let mut cc = workspace.command("cc");
    cc.args(STRICT)
        .arg("-I")
        .arg(prefix(workspace).join("include"))
        .arg("-I")
        .arg(&sources)
        .arg("-I")
        .arg(&folder);
    let is_program = matches!(code, Code::Program(_));
    match code {
        Code::Program(code) => {
            fs::write(folder.join("program.c"), code)?;
            cc.args(["-include", "redirect.h"]).arg(folder.join("program.c"));
        }
        Code::Functions(code) => {
            fs::write(folder.join("functions.inc"), code)?;
            cc.arg(sources.join("main.c"));
        }
    }
    let (program, lib) = (folder.join("program"), prefix(workspace).join("lib"));
    cc.arg("-o").arg(&program).arg("-L").arg(&lib).arg("-lcli_auth");
    process::succeed(cc, LIMIT)?;
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", lib).env("CLI_AUTH_TEST_SERVER", url);
    let said = process::output(command, LIMIT)?;
    // One login with a blocking call, one by steps, and a cancelled one, which has a prompt as well.
    ensure!(is_program || !said.contains("Not logged in"), "a login failed:\n{said}");
    Ok(said)
}
