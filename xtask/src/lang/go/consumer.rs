//! Uses the module as a user would: outside the source tree, with the commands of its README. Also checks the errors
//! for missing prerequisites.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{go, module};
use crate::authserver::logs_in;
use crate::files;
use crate::guide;
use crate::lang::c;
use crate::process;
use crate::report::Report;
use crate::workspace::Workspace;

const README: &str = "bindings/go/README.md";
const LIMIT: Duration = Duration::from_secs(5 * 60);

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("the README, from an empty directory", |_| {
        let folder = user(workspace, "readme", "login")?;
        let archive = files::packed(workspace, module::ARCHIVE);
        fs::copy(&archive, folder.join(archive.file_name().context("a name")?))?;
        follow_readme(workspace, &folder)?;
        log_in(workspace, &folder)
    })?;
    report.part("a vendored module", |_| {
        let folder = user(workspace, "vendor", "login")?;
        require(workspace, &folder, &[""])?;
        process::succeed(go(workspace, &folder, &["mod", "vendor"]), LIMIT)?;
        process::succeed(go(workspace, &folder, &["build", "-mod=vendor", "-o", "my-cli", "."]), LIMIT)?;
        log_in(workspace, &folder)
    })?;
    report.part("the sub-module for x/oauth2", |_| {
        let folder = user(workspace, "oauth2", "oauth2")?;
        require(workspace, &folder, &["", "/oauth2"])?;
        process::succeed(go(workspace, &folder, &["mod", "tidy"]), LIMIT)?;
        process::succeed(go(workspace, &folder, &["build", "-o", "my-cli", "."]), LIMIT)?;
        process::succeed(Command::new(folder.join("my-cli")), LIMIT)
    })?;
    report.part("the installed C library", |_| {
        let folder = user(workspace, "system", "login")?;
        require(workspace, &folder, &[""])?;
        let lib = c::prefix(workspace).join("lib");
        let mut build = go(workspace, &folder, &["build", "-tags=cliauth_system", "-o", "my-cli", "."]);
        build.env("PKG_CONFIG_PATH", lib.join("pkgconfig"));
        build.env("CGO_LDFLAGS", format!("-Wl,-rpath,{}", lib.display()));
        build.env("CGO_LDFLAGS_ALLOW", "-Wl,-rpath,.*");
        process::succeed(build, LIMIT)?;
        let mut needed = Command::new("objdump");
        needed.arg("-p").arg(folder.join("my-cli"));
        ensure!(
            process::output(needed, LIMIT)?.contains("libcli_auth.so"),
            "the shared library is not linked"
        );
        log_in(workspace, &folder)
    })?;
    report.part("errors name what is missing", |_| missing(workspace))
}

/// Creates a directory with a program and its manifest.
fn user(workspace: &Workspace, name: &str, program: &str) -> anyhow::Result<PathBuf> {
    let folder = files::empty(super::home(workspace).join("user").join(name))?;
    let sources = super::sources(workspace).join("testdata/consumers").join(program);
    fs::copy(sources.join("main.go"), folder.join("main.go"))?;
    process::succeed(go(workspace, &folder, &["mod", "init", "my-cli"]), LIMIT)?;
    Ok(folder)
}

/// Adds the unpacked modules to the manifest.
fn require(workspace: &Workspace, folder: &Path, modules: &[&str]) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    for sub in modules {
        let mut edit = go(workspace, folder, &["mod", "edit"]);
        edit.arg(format!("-require=cliauth{sub}@v{}", env!("CARGO_PKG_VERSION")));
        edit.arg(format!("-replace=cliauth{sub}={}{sub}", packed.display()));
        process::succeed(edit, LIMIT)?;
    }
    Ok(())
}

/// Runs the first commands of the README literally.
fn follow_readme(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let blocks = guide::blocks(workspace, README, "sh")?;
    let lines = &blocks.first().context("the README has no shell block")?.code;
    ensure!(lines.lines().count() == 3, "expected three lines:\n{lines}");
    let mut shell = workspace.command("sh");
    super::surround(&mut shell);
    shell.args(["-eu", "-c", lines]).current_dir(folder);
    process::succeed(shell, LIMIT)
}

fn log_in(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    logs_in(workspace, |url| {
        let mut login = Command::new(folder.join("my-cli"));
        login.arg(url);
        login
    })
}

/// Checks that builds that cannot succeed state the reason.
fn missing(workspace: &Workspace) -> anyhow::Result<()> {
    let tree = super::sources(workspace);
    let packed = module::packed(workspace);
    for (what, folder, environment, tags, told) in [
        ("the source tree", &tree, ("CGO_ENABLED", "1"), "", "this is the source tree, without the library"),
        ("no cgo", &packed, ("CGO_ENABLED", "0"), "", "cliauth_needs_CGO_ENABLED_1_and_a_C_compiler"),
        ("no cli-auth.pc", &packed, ("PKG_CONFIG_LIBDIR", "/nowhere"), "cliauth_system", "cli-auth"),
    ] {
        let mut build = go(workspace, folder, &["build", &format!("-tags={tags}"), "."]);
        build.env(environment.0, environment.1).env_remove("PKG_CONFIG_PATH");
        let finished = process::run(build, LIMIT, |_| ())?;
        ensure!(!finished.success, "{what}: the build succeeded unexpectedly");
        ensure!(finished.tail.contains(told), "{what}: the output lacks {told:?}\n{}", finished.tail);
    }
    Ok(())
}
