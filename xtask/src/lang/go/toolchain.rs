//! The Go toolchain: that of the machine where it is new enough, else one of the project's own. And the linter.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::process;
use crate::setup::{self, Tool, is_there};
use crate::workspace::{Workspace, on_path};

pub(in super::super) const ALL: &[Tool] = &[
    Tool { title: "Go", needs: &["python3 with venv"], make: |workspace| go(workspace).map(|_| ()) },
    Tool { title: "staticcheck and Go modules", needs: &["gcc"], make: make_staticcheck },
];

/// What the linter needs. The module itself is content with 1.24.
const OLDEST: (u32, u32) = (1, 26);

const LIST: &str = include_str!("toolchain.txt");
const LINTER: &str = include_str!("tools/go.mod");
const LINTER_SUMS: &str = include_str!("tools/go.sum");

const GO: &str = "go";
const STATICCHECK: &str = "staticcheck";

const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

pub(in super::super) fn missing(workspace: &Workspace) -> Option<String> {
    (of_the_machine(workspace).is_none() && !is_there("python3 with venv"))
        .then(|| format!("needs Go {}.{} or newer", OLDEST.0, OLDEST.1))
}

/// The program `go`.
pub(super) fn go(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    match of_the_machine(workspace) {
        Some(program) => Ok(program),
        None => {
            setup::once(workspace, GO, LIST, |folder| {
                setup::make_venv(workspace, Path::new("python3"), folder, LIST)
            })?;
            in_environment(&workspace.tools().join(GO))
        }
    }
}

/// The program `gofmt`, which lies beside `go`.
pub(super) fn gofmt(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let go = fs::canonicalize(go(workspace)?)?;
    Ok(go.parent().context("a program has a folder")?.join("gofmt"))
}

/// PATH with the toolchain in front.
pub(super) fn path(workspace: &Workspace) -> anyhow::Result<OsString> {
    let go = go(workspace)?;
    let own = go.parent().map(Path::to_path_buf);
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&path)))?)
}

/// The program `staticcheck`, if it was set up.
pub(super) fn staticcheck(workspace: &Workspace) -> Option<PathBuf> {
    setup::made(workspace, STATICCHECK).map(|folder| folder.join(STATICCHECK))
}

fn of_the_machine(workspace: &Workspace) -> Option<PathBuf> {
    let program = on_path(GO)?;
    let output = workspace.command(&program).arg("version").env("GOTOOLCHAIN", "local").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    (version(&said)? >= OLDEST).then_some(program)
}

/// `go version go1.26.8 linux/amd64`
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.split_whitespace().nth(2)?.strip_prefix("go")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    // 27rc1
    let minor = numbers.next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((major, minor))
}

/// Python's packages lie in a folder whose name has the version of Python in it.
fn in_environment(folder: &Path) -> anyhow::Result<PathBuf> {
    for python in fs::read_dir(folder.join("lib"))? {
        let program = python?.path().join("site-packages").join("go").join("bin").join(GO);
        if program.is_file() {
            return Ok(program);
        }
    }
    anyhow::bail!("no go in {}", folder.display())
}

/// The linter, and what the tests of the modules import.
fn make_staticcheck(workspace: &Workspace) -> anyhow::Result<()> {
    let go = go(workspace)?;
    let version = workspace.command(&go).arg("version").env("GOTOOLCHAIN", "local").output()?.stdout;
    let recipe = format!("{}{LINTER}{LINTER_SUMS}", String::from_utf8_lossy(&version));
    setup::once(workspace, STATICCHECK, &recipe, |folder| {
        fs::write(folder.join("go.mod"), LINTER)?;
        fs::write(folder.join("go.sum"), LINTER_SUMS)?;
        let mut build = super::go(workspace, "build", folder)?;
        build.arg("-o").arg(folder.join(STATICCHECK)).arg("honnef.co/go/tools/cmd/staticcheck");
        process::succeed(build, DOWNLOAD)
    })?;
    let mut download = super::go(workspace, "mod", &super::sources(workspace).join("oauth2"))?;
    download.arg("download");
    process::succeed(download, DOWNLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(version("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(version("go version go1.27rc1 linux/amd64"), Some((1, 27)));
        assert_eq!(version("go version go2.0 linux/amd64"), Some((2, 0)));
        assert!(version("go version go1.9.1 linux/amd64") < Some(OLDEST));
        assert_eq!(version("go version devel"), None);
        assert_eq!(version(""), None);
    }
}
