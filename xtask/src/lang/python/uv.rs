//! uv, which finds interpreters and makes environments with nothing in them but what is to be tried.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process;
use crate::setup::{Tool, make_node_modules, programs};
use crate::workspace::Workspace;

pub(super) const PYRIGHT: Tool = Tool {
    title: "pyright",
    name: "pyright",
    needs: &["node", "npm"],
    recipe: include_str!("pyright/package-lock.json"),
    make: |workspace, folder, _| make_node_modules(workspace, folder, "xtask/src/lang/python/pyright"),
};

/// The versions that the package supports.
const SUPPORTED: &str = ">=3.9";
/// What tests run with: one list for every interpreter.
const TEST_LIST: &str = "xtask/src/lang/python/test.txt";

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// One of the programs that set-up brings.
pub(super) fn tool(workspace: &Workspace, program: &str) -> anyhow::Result<Command> {
    let bin = programs(workspace)?;
    let mut command = super::command(workspace, bin.join(program));
    // maturin calls `python3` for zig.
    command.env("PATH", env::join_paths([bin].into_iter().chain(path()))?);
    Ok(command)
}

fn path() -> Vec<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect()
}

fn uv(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Command> {
    let mut uv = tool(workspace, "uv")?;
    uv.args(words).env("UV_PYTHON_DOWNLOADS", "never").env("UV_LINK_MODE", "copy");
    // The versions that pyenv keeps: its stand-ins on PATH start only those that a person has chosen.
    let of_pyenv = path().into_iter().filter(|folder| folder.ends_with("shims"));
    let versions = of_pyenv.filter_map(|shims| fs::read_dir(shims.parent()?.join("versions")).ok()).flatten();
    let versions = versions.filter_map(Result::ok).map(|version| version.path().join("bin"));
    // The tools last: their `python3` is not the one that a person means.
    let tools = programs(workspace)?;
    uv.env("PATH", env::join_paths(path().into_iter().chain(versions).chain([tools]))?);
    Ok(uv)
}

/// An interpreter: its version, `3.13.0`, and where it is.
pub(super) type Interpreter = (String, String);

/// The one that a person who types `python3` gets; the newest, if that one is not supported.
pub(super) fn usual() -> Interpreter {
    ("usual".to_owned(), SUPPORTED.to_owned())
}

/// The oldest and the newest CPython of this machine that are supported; one where that is the same.
pub(super) fn extremes(workspace: &Workspace) -> anyhow::Result<Vec<Interpreter>> {
    let output = uv(workspace, &["python", "list", "--only-installed", SUPPORTED])?.output()?;
    let mut all: Vec<_> = String::from_utf8(output.stdout)?.lines().filter_map(listed).collect();
    // The newest comes first.
    all.dedup_by(|later, earlier| later.0 == earlier.0);
    if all.len() > 2 {
        all.drain(1..all.len() - 1);
    }
    all.reverse();
    Ok(all)
}

/// `cpython-3.13.0-linux-x86_64-gnu   /usr/bin/python3.13 -> elsewhere`; no other make, and nothing before its release.
fn listed(line: &str) -> Option<Interpreter> {
    let (name, path) = line.strip_prefix("cpython-")?.split_once(' ')?;
    let (version, _) = name.split_once('-')?;
    let is_final = version.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let path = path.trim().split(" -> ").next()?;
    is_final.then(|| (version.to_owned(), path.to_owned()))
}

/// A new environment in `folder`, with these wheels and whatever is in `more`. Nothing else is fetched for the wheels, so that what is
/// installed needs nothing more.
pub(super) fn environment(
    workspace: &Workspace,
    interpreter: &Interpreter,
    folder: &Path,
    wheels: &[PathBuf],
    with_pytest: bool,
) -> anyhow::Result<()> {
    let mut make = uv(workspace, &["venv", "--quiet", "--clear", "--python", &interpreter.1])?;
    make.arg(folder);
    process::succeed(make, LIMIT)?;
    let install = |words: &[&str]| {
        let mut install = uv(workspace, &["pip", "install", "--quiet", "--compile-bytecode", "--python"])?;
        install.arg(folder).args(words);
        anyhow::Ok(install)
    };
    if with_pytest {
        let words = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirements", TEST_LIST];
        process::succeed(install(&words)?, LIMIT)?;
    }
    let mut offline = install(&["--no-index", "--offline"])?;
    offline.args(wheels);
    process::succeed(offline, LIMIT)
}

/// Builds a wheel of a project or a source distribution, with the builders that are set up.
pub(super) fn build(workspace: &Workspace, sources: &Path, out: &Path) -> anyhow::Result<Command> {
    let python = programs(workspace)?.join("python");
    let mut build =
        uv(workspace, &["build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python"])?;
    build.arg(python).arg("--out-dir").arg(out).arg(sources);
    // The same sources make the same wheel.
    build.env("SOURCE_DATE_EPOCH", crate::files::SOURCE_DATE);
    Ok(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_released_cpythons_count() {
        let found = |version: &str, path: &str| Some((version.to_owned(), path.to_owned()));
        let of = |name: &str, path: &str| listed(&format!("{name}-linux-x86_64-gnu     {path}"));
        assert_eq!(of("cpython-3.9.18", "/a b/python3.9"), found("3.9.18", "/a b/python3.9"));
        assert_eq!(of("cpython-3.13.0", "/bin/python3 -> python3.13"), found("3.13.0", "/bin/python3"));
        for name in ["cpython-3.14.0rc1", "cpython-3.13.0+freethreaded", "pypy-3.11.11"] {
            assert_eq!(of(name, "/bin/python3"), None);
        }
    }
}
