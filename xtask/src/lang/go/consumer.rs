//! Users of the module: far from our sources, by the lines that its README gives, and what they are told when something is
//! missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::module;
use crate::authserver::{Answer, Server};
use crate::guide;
use crate::lang::c;
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const README: &str = "bindings/go/README.md";
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Logs in at the server that it is told of.
const PROGRAM: &str = r#"package main

import (
	"context"
	"fmt"
	"os"

	"cliauth"
)

func main() {
	client, err := cliauth.New(cliauth.AuthKit("client_cli"), cliauth.WithAPIBase(os.Args[1]), cliauth.WithInsecureLoopback(true))
	if err != nil {
		panic(err)
	}
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(context.Background()); err != nil {
		panic(err)
	}
	tokens, err := login.Poll(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("Logged in as", cliauth.Sanitize(tokens.UserID))
}
"#;

/// Uses the sub-module too.
const WITH_OAUTH2: &str = r#"package main

import (
	"cliauth"
	cliauthoauth2 "cliauth/oauth2"
)

func main() {
	println(cliauthoauth2.Token(&cliauth.Tokens{TokenType: "bearer"}).Type())
}
"#;

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("the README, from an empty folder", |_| {
        let folder = user(workspace, "readme", PROGRAM)?;
        fs::copy(
            module::path(workspace),
            folder.join(module::path(workspace).file_name().context("a name")?),
        )?;
        follow_readme(workspace, &folder)?;
        logs_in(workspace, &folder.join("my-cli"))
    })?;
    report.part("a vendored module", |_| {
        let folder = user(workspace, "vendor", PROGRAM)?;
        require(workspace, &folder, &[""])?;
        go(workspace, &folder, &["mod", "vendor"])?;
        go(workspace, &folder, &["build", "-mod=vendor", "-o", "my-cli", "."])?;
        logs_in(workspace, &folder.join("my-cli"))
    })?;
    report.part("the sub-module for x/oauth2", |_| {
        let folder = user(workspace, "oauth2", WITH_OAUTH2)?;
        require(workspace, &folder, &["", "/oauth2"])?;
        go(workspace, &folder, &["mod", "tidy"])?;
        go(workspace, &folder, &["build", "-o", "my-cli", "."])?;
        process::succeed(Command::new(folder.join("my-cli")), LIMIT)?;
        Ok(Outcome::Passed)
    })?;
    report.part("the installed C library", |_| {
        let folder = user(workspace, "system", PROGRAM)?;
        require(workspace, &folder, &[""])?;
        let prefix = c::prefix(workspace);
        let mut build = super::go(workspace, "build", &folder)?;
        build.args(["-tags=cliauth_system", "-o", "my-cli", "."]);
        build.env("PKG_CONFIG_PATH", prefix.join("lib").join("pkgconfig"));
        let mut rpath = std::ffi::OsString::from("-Wl,-rpath,");
        rpath.push(prefix.join("lib"));
        build.env("CGO_LDFLAGS", &rpath).env("CGO_LDFLAGS_ALLOW", "-Wl,-rpath,.*");
        process::succeed(build, LIMIT)?;
        let mut needed = Command::new("objdump");
        needed.arg("-p").arg(folder.join("my-cli"));
        let finished = process::run(needed, LIMIT, |_| ())?;
        ensure!(finished.tail.contains("libcli_auth.so"), "the shared library is not linked");
        logs_in(workspace, &folder.join("my-cli"))
    })?;
    report.part("what is missing is named", |_| missing(workspace))
}

/// A folder with a program and its manifest.
fn user(workspace: &Workspace, name: &str, program: &str) -> anyhow::Result<PathBuf> {
    let folder = module::empty(super::home(workspace).join("user").join(name))?;
    fs::write(folder.join("main.go"), program)?;
    go(workspace, &folder, &["mod", "init", "my-cli"])?;
    Ok(folder)
}

fn go(workspace: &Workspace, folder: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut go = super::command(workspace)?;
    go.args(words).current_dir(folder);
    process::succeed(go, LIMIT)
}

/// The modules, from where they are unpacked.
fn require(workspace: &Workspace, folder: &Path, modules: &[&str]) -> anyhow::Result<()> {
    let packed = module::packed(workspace);
    let packed = packed.to_str().context("the target folder's name is no text")?;
    for sub in modules {
        let words = [
            "mod".to_owned(),
            "edit".to_owned(),
            format!("-require=cliauth{sub}@v{}", env!("CARGO_PKG_VERSION")),
            format!("-replace=cliauth{sub}={packed}{sub}"),
        ];
        go(workspace, folder, &words.each_ref().map(String::as_str))?;
    }
    Ok(())
}

/// Does word for word what the README says first.
fn follow_readme(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let blocks = guide::blocks(workspace, README, "sh")?;
    let lines = &blocks.first().context("the README has no lines for a shell")?.code;
    ensure!(lines.lines().count() == 3, "these are not three lines:\n{lines}");
    let mut shell = workspace.command("sh");
    super::surround(&mut shell);
    shell.args(["-eu", "-c", lines]).current_dir(folder);
    shell.env("PATH", super::toolchain::path(workspace)?);
    process::succeed(shell, LIMIT)
}

fn logs_in(workspace: &Workspace, program: &Path) -> anyhow::Result<Outcome> {
    let server = Server::start(workspace, Some(Answer::Approve))?;
    let mut login = Command::new(program);
    login.arg(&server.url);
    let finished = process::run(login, LIMIT, |_| ())?;
    let good = finished.success && finished.tail.starts_with("Logged in as user_");
    Ok(if good { Outcome::Passed } else { Outcome::Failed(finished.tail) })
}

/// Builds that cannot succeed say why.
fn missing(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let tree = super::sources(workspace);
    let packed = module::packed(workspace);
    for (what, folder, environment, tags, told) in [
        ("the source tree", &tree, ("CGO_ENABLED", "1"), "", "this is the source tree, without the library"),
        ("no cgo", &packed, ("CGO_ENABLED", "0"), "", "cliauth_needs_CGO_ENABLED_1_and_a_C_compiler"),
        ("no cli-auth.pc", &packed, ("PKG_CONFIG_LIBDIR", "/nowhere"), "cliauth_system", "cli-auth"),
    ] {
        let mut build = super::go(workspace, "build", folder)?;
        build.env(environment.0, environment.1).env_remove("PKG_CONFIG_PATH");
        build.arg(format!("-tags={tags}")).arg(".");
        let finished = process::run(build, LIMIT, |_| ())?;
        ensure!(!finished.success, "{what}: it builds");
        ensure!(finished.tail.contains(told), "{what}: it does not say {told:?}\n{}", finished.tail);
    }
    Ok(Outcome::Passed)
}
