//! uv, which finds interpreters and creates environments that contain only what is tested.

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

/// The Python versions that the package supports.
const SUPPORTED: &str = ">=3.9";
/// The test dependencies: one list for every interpreter.
const TEST_LIST: &str = "xtask/src/lang/python/test.txt";

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Returns a command for a program that set-up installed.
pub(super) fn tool(workspace: &Workspace, program: &str) -> anyhow::Result<Command> {
    let bin = programs(workspace)?;
    let mut command = super::command(workspace, bin.join(program));
    // maturin runs zig with `python3`.
    command.env("PATH", env::join_paths([bin].into_iter().chain(path()))?);
    Ok(command)
}

fn path() -> Vec<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect()
}

fn uv(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Command> {
    let mut uv = tool(workspace, "uv")?;
    uv.args(words).env("UV_PYTHON_DOWNLOADS", "never").env("UV_LINK_MODE", "copy");
    // The versions of pyenv: its shims in PATH start only the versions that the user has selected.
    let of_pyenv = path().into_iter().filter(|folder| folder.ends_with("shims"));
    let versions = of_pyenv.filter_map(|shims| fs::read_dir(shims.parent()?.join("versions")).ok()).flatten();
    let versions = versions.filter_map(Result::ok).map(|version| version.path().join("bin"));
    // The tools come last because their `python3` is not the user's.
    let tools = programs(workspace)?;
    uv.env("PATH", env::join_paths(path().into_iter().chain(versions).chain([tools]))?);
    Ok(uv)
}

/// An interpreter: its version, such as `3.13.0`, and its path.
pub(super) type Interpreter = (String, String);

/// Returns the user's `python3`, or the newest interpreter if that one is not supported.
pub(super) fn usual() -> Interpreter {
    ("usual".to_owned(), SUPPORTED.to_owned())
}

/// Returns the oldest and the newest supported CPython of this machine; only one if they are the same.
pub(super) fn extremes(workspace: &Workspace) -> anyhow::Result<Vec<Interpreter>> {
    let output = uv(workspace, &["python", "list", "--only-installed", SUPPORTED])?.output()?;
    let mut all: Vec<_> = String::from_utf8(output.stdout)?.lines().filter_map(listed).collect();
    // The list is sorted with the newest first.
    all.dedup_by(|later, earlier| later.0 == earlier.0);
    if all.len() > 2 {
        all.drain(1..all.len() - 1);
    }
    all.reverse();
    Ok(all)
}

/// Parses `cpython-3.13.0-linux-x86_64-gnu   /usr/bin/python3.13 -> elsewhere`. Returns `None` for other
/// implementations and pre-releases.
fn listed(line: &str) -> Option<Interpreter> {
    let (name, path) = line.strip_prefix("cpython-")?.split_once(' ')?;
    let (version, _) = name.split_once('-')?;
    let is_final = version.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let path = path.trim().split(" -> ").next()?;
    is_final.then(|| (version.to_owned(), path.to_owned()))
}

/// Creates an environment in `folder` with these wheels and the packages of `more`. Dependencies of the wheels are not
/// installed, which shows that they need none.
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

/// Builds a wheel of a project or a source distribution, with the build backends that set-up installed.
pub(super) fn build(workspace: &Workspace, sources: &Path, out: &Path) -> anyhow::Result<Command> {
    let python = programs(workspace)?.join("python");
    let mut build =
        uv(workspace, &["build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python"])?;
    build.arg(python).arg("--out-dir").arg(out).arg(sources);
    // Makes the wheel reproducible.
    build.env("SOURCE_DATE_EPOCH", crate::files::SOURCE_DATE);
    Ok(build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_released_cpython_versions_are_used() {
        let found = |version: &str, path: &str| Some((version.to_owned(), path.to_owned()));
        let of = |name: &str, path: &str| listed(&format!("{name}-linux-x86_64-gnu     {path}"));
        assert_eq!(of("cpython-3.9.18", "/a b/python3.9"), found("3.9.18", "/a b/python3.9"));
        assert_eq!(of("cpython-3.13.0", "/bin/python3 -> python3.13"), found("3.13.0", "/bin/python3"));
        for name in ["cpython-3.14.0rc1", "cpython-3.13.0+freethreaded", "pypy-3.11.11"] {
            assert_eq!(of(name, "/bin/python3"), None);
        }
    }
}
