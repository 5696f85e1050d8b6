//! Compiles them, with every warning there is as an error.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::Watch;
use crate::process;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(5 * 60);

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];
/// What is found ends the program.
const SANITIZERS: &str =
    "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all";

/// The program with the cases.
pub(super) fn checks(workspace: &Workspace, watch: Watch) -> PathBuf {
    folder(workspace).join(if watch == Watch::Sanitizers { "checks-sanitized" } else { "checks" })
}

/// The program that loads the library by itself.
pub(super) fn loading(workspace: &Workspace, watch: Watch) -> PathBuf {
    folder(workspace).join(if watch == Watch::Sanitizers { "loading-sanitized" } else { "loading" })
}

/// The example tool with the sanitizers.
pub(super) fn sanitized_example(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("example-sanitized").join("login-example")
}

/// Where everything of the test programs lies.
pub(super) fn folder(workspace: &Workspace) -> PathBuf {
    crate::lang::c::home(workspace).join("programs")
}

/// The sources of the test programs, and what valgrind is told.
pub(super) fn tests(workspace: &Workspace) -> PathBuf {
    crate::lang::c::sources(workspace).join("tests")
}

/// Compiles all of them, side by side.
pub(super) fn all(workspace: &Workspace) -> anyhow::Result<()> {
    fs::create_dir_all(folder(workspace))?;
    let mut commands = Vec::new();
    for watch in [Watch::Nobody, Watch::Sanitizers] {
        commands.push(compiler(workspace, watch, &checks(workspace, watch), true)?);
        commands.push(compiler(workspace, watch, &loading(workspace, watch), false)?);
    }
    let sanitized = sanitized_example(workspace);
    let sanitized = sanitized.parent().context("a program has a folder")?;
    commands.push(example(workspace, sanitized, SANITIZERS)?);
    let ends: Vec<_> = thread::scope(|scope| {
        let under_way: Vec<_> =
            commands.into_iter().map(|command| scope.spawn(|| process::succeed(command, LIMIT))).collect();
        under_way.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for end in ends {
        end.map_err(|_panic| anyhow::anyhow!("a compilation was lost"))??;
    }
    Ok(())
}

/// One call of the compiler for the program with the cases, or for the one that is not linked with the library.
fn compiler(workspace: &Workspace, watch: Watch, program: &Path, linked: bool) -> anyhow::Result<Command> {
    let prefix = crate::lang::c::prefix(workspace);
    let lib = prefix.join("lib");
    let mut compiler = workspace.command(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.arg("-std=c11").args(WARNINGS);
    compiler.args(if watch == Watch::Sanitizers { SANITIZERS } else { "-O1 -g" }.split(' '));
    compiler.arg("-I").arg(prefix.join("include")).arg("-o").arg(program);
    let sources = tests(workspace).join("programs");
    for entry in fs::read_dir(&sources).with_context(|| format!("no {}", sources.display()))? {
        let file = entry?.path();
        let other = file.file_name().is_some_and(|name| name == "loading.c");
        if file.extension().is_some_and(|extension| extension == "c") && other != linked {
            compiler.arg(file);
        }
    }
    if linked {
        let mut found_there = OsString::from("-Wl,-rpath,");
        found_there.push(&lib);
        compiler.arg("-L").arg(lib).args(["-lcli_auth", "-pthread"]).arg(found_there);
    } else {
        compiler.arg("-ldl");
    }
    Ok(compiler)
}

/// The example tool by its own Makefile, in a folder beside the installed library's, or one below.
pub(super) fn example(workspace: &Workspace, folder: &Path, flags: &str) -> anyhow::Result<Command> {
    fs::create_dir_all(folder)?;
    let prefix = crate::lang::c::prefix(workspace);
    let home = crate::lang::c::home(workspace);
    let ups = folder.strip_prefix(&home)?.components().map(|_| "../").collect::<String>();
    let mut make = workspace.command("make");
    // The header may have changed, too: compiling takes a second.
    make.args(["--silent", "--always-make", "--directory"]).arg(folder);
    make.arg("--file").arg(workspace.root.join("examples").join("c").join("Makefile"));
    make.arg(format!("CFLAGS={flags} -Wconversion -Wshadow -Werror"));
    // Relative, so that all of it can be moved together.
    make.arg(format!("LDFLAGS='-Wl,-rpath,$$ORIGIN/{ups}prefix/lib'"));
    make.env("PKG_CONFIG_PATH", prefix.join("lib").join("pkgconfig"));
    Ok(make)
}
