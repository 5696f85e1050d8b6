//! Which CPythons this machine has.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::process;
use crate::workspace::{Workspace, on_path};

/// The oldest minor version of Python 3 that the package supports.
const OLDEST: u32 = 9;
/// No minor version above this one is looked for.
const NEWEST: u32 = 30;

/// One that answers has the module that makes environments; a name on PATH may be an empty promise.
const QUESTION: &str = "import sys, venv
if sys.implementation.name == 'cpython' and sys.version_info.releaselevel == 'final':
    print('here', *sys.version_info[:3], sys.executable)";
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub(super) program: PathBuf,
    version: [u32; 3],
}

impl Interpreter {
    /// `3.13.0`
    pub(super) fn version(&self) -> String {
        self.version.map(|part| part.to_string()).join(".")
    }

    /// `3.13`
    pub(super) fn series(&self) -> String {
        self.version().rsplit_once('.').map(|(series, _)| series.to_owned()).unwrap_or_default()
    }

    /// What the interpreter that `program` starts says of itself, if the package supports it.
    fn ask(workspace: &Workspace, program: &Path) -> Option<Self> {
        let mut answer = None;
        let mut command = super::command(workspace, program);
        // Isolated and without what is installed beside it: quicker, and nothing can print before it.
        command.args(["-I", "-S", "-c", QUESTION]);
        let finished = process::run(command, PATIENCE, |line| answer = answer.take().or(read(line))).ok()?;
        answer.filter(|_| finished.success)
    }
}

/// `here 3 13 0 /usr/bin/python3.13`
fn read(line: &str) -> Option<Interpreter> {
    let mut words = line.strip_prefix("here ")?.splitn(4, ' ');
    let mut number = || words.next()?.parse().ok();
    let version = [number()?, number()?, number()?];
    let program = PathBuf::from(words.next()?);
    let supported = ([3, OLDEST, 0]..[4, 0, 0]).contains(&version);
    (supported && program.is_absolute()).then_some(Interpreter { program, version })
}

/// The one that a person who types `python3` gets; the newest there is, if that one is not supported.
pub(super) fn usual(workspace: &Workspace) -> anyhow::Result<Interpreter> {
    Interpreter::ask(workspace, Path::new("python3"))
        .or_else(|| all(workspace).pop())
        .with_context(|| format!("no CPython 3.{OLDEST} or newer is found on PATH"))
}

/// The oldest and the newest that are supported; one where that is the same, none where there is none.
pub(super) fn extremes(workspace: &Workspace) -> Vec<Interpreter> {
    let mut all = all(workspace);
    if all.len() > 2 {
        all.drain(1..all.len() - 1);
    }
    all
}

/// One of each version, the oldest first: those on PATH, and those that pyenv keeps.
fn all(workspace: &Workspace) -> Vec<Interpreter> {
    let names: Vec<String> =
        (OLDEST..=NEWEST).map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]).collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    let mut seen = Vec::new();
    let mut found: Vec<Interpreter> = Vec::new();
    for candidate in folders.chain(pyenv(workspace)).filter(|candidate| candidate.is_file()) {
        // `/bin` is `/usr/bin` nowadays. The name stays: pyenv's stand-ins look at it.
        let folder = candidate.parent().and_then(|folder| folder.canonicalize().ok());
        let place = (folder, candidate.file_name().map(ToOwned::to_owned));
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        found.extend(Interpreter::ask(workspace, &candidate));
    }
    // Stable, so that of one version the first on PATH stays.
    found.sort_by_key(|interpreter| interpreter.version);
    found.dedup_by_key(|interpreter| interpreter.version);
    found
}

fn pyenv(workspace: &Workspace) -> Vec<PathBuf> {
    let Some(program) = on_path("pyenv") else { return Vec::new() };
    let mut root = None;
    let mut command = workspace.command(program);
    command.arg("root");
    if process::run(command, PATIENCE, |line| root = Some(line.to_owned())).is_err() {
        return Vec::new();
    }
    let versions = root.and_then(|root| fs::read_dir(Path::new(&root).join("versions")).ok());
    let folders = versions.into_iter().flatten().filter_map(Result::ok);
    folders.map(|folder| folder.path().join("bin").join("python3")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_versions_count() {
        let old = read("here 3 9 18 /opt/with space/python3.9").unwrap();
        assert_eq!((old.version().as_str(), old.series().as_str()), ("3.9.18", "3.9"));
        assert_eq!(old.program, Path::new("/opt/with space/python3.9"));
        for line in
            ["here 3 8 18 /usr/bin/python3", "here 2 7 18 /usr/bin/python", "here 3 12 1 ", "3 12 1 /p", ""]
        {
            assert_eq!(read(line), None, "{line:?}");
        }
    }
}
