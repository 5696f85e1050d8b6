//! Go: the module that contains the library, the example tool built with it, and the tests.

mod check;
mod consumer;
mod module;
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Parts;
use crate::examples::Run;
use crate::files;
use crate::guide::{Code, Guide};
use crate::process;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

pub(super) const PARTS: Parts = Parts {
    name: "go",
    // The other programs also build the C library. Go before 1.21 cannot download the toolchain that a module names.
    needs: &[
        Need { program: "go 1.21 or newer", package: "golang-go" },
        Need { program: "gcc", package: "gcc" },
        Need { program: "objcopy", package: "binutils" },
        Need { program: "pkg-config", package: "pkg-config" },
    ],
    tools: &[],
    build_example: |workspace, _, run| build_example(workspace, run),
    words: |workspace, _| vec![home(workspace).join("example").join("login-example")],
    package: |workspace, run| Ok(vec![module::build(workspace, run)?]),
    check: check::check,
    test,
};

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// The directory of all build results for Go.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("go")
}

/// The directory of the module's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("go")
}

/// The directory of the example tool's sources.
fn example_sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("examples").join("go")
}

/// Uses the user's caches, flags and proxies, and the user's toolchain if it is new enough.
fn surround(command: &mut Command) {
    command.env("GOWORK", "off").env("CGO_ENABLED", "1");
    for name in ["GOOS", "GOARCH", "GOEXPERIMENT", "CGO_CFLAGS", "CGO_LDFLAGS"] {
        command.env_remove(name);
    }
}

/// Returns `go WORDS` in `folder`.
fn go(workspace: &Workspace, folder: &Path, words: &[&str]) -> Command {
    let mut go = workspace.command("go");
    surround(&mut go);
    go.args(words).current_dir(folder);
    go
}

/// Builds the example tool from the packed module and its own sources only.
fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    // Several processes may do this at the same time.
    let _lock = setup::lock(&home.join("example.lock"))?;
    module::unpack_once(workspace, run)?;
    let sources = module::stage_example(workspace)?;
    let mut build =
        go(workspace, &sources, &["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]);
    build.arg(home.join("example").join("login-example")).arg(".");
    run(build)
}

fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    module::test(workspace, report)?;
    check::packed(workspace, report)?;
    tests::run(workspace, report)?;
    consumer::test(workspace, report)?;
    Guide {
        language: "go",
        documents: &["docs/go.md", "README.md"],
        program_has: "package main",
        client: (
            r#"cliauth.New(cliauth.AuthKit("client_123")"#,
            r#"cliauth.New(cliauth.AuthKit("client_123"), cliauth.WithAPIBase(os.Getenv("CLI_AUTH_TEST_SERVER")), cliauth.WithInsecureLoopback(true)"#,
        ),
        located: |document, block| format!("\n//line {document}:{}\n{}", block.line, block.code),
        functions_print: &["all of the guide ran", "You denied the request.", "  Acme", "Not logged in: no network.", "****"],
        run: &|code, url| run_guide(workspace, code, url),
    }
    .test(workspace, report)
}

/// The imports that the functions of the guide need.
const IMPORTS: &str = r#"package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"cliauth"
)
"#;

fn run_guide(workspace: &Workspace, code: Code, url: &str) -> anyhow::Result<String> {
    let folder = files::empty(home(workspace).join("guide"))?;
    let packed = module::packed(workspace);
    let go_mod = format!(
        "module guide\n\ngo 1.24\n\nrequire cliauth v0.0.0\n\nreplace cliauth => {}\n",
        packed.display()
    );
    fs::write(folder.join("go.mod"), go_mod)?;
    match code {
        Code::Program(code) => fs::write(folder.join("main.go"), code)?,
        Code::Functions(functions) => {
            fs::write(folder.join("functions.go"), format!("{IMPORTS}{functions}"))?;
            fs::copy(sources(workspace).join("testdata/guide/main.go"), folder.join("main.go"))?;
        }
    }
    process::succeed(go(workspace, &folder, &["vet", "."]), LIMIT)?;
    process::succeed(go(workspace, &folder, &["build", "-o", "program", "."]), LIMIT)?;
    let mut program = Command::new(folder.join("program"));
    program.env("CLI_AUTH_TEST_SERVER", url);
    process::output(program, LIMIT)
}
