//! Environments with nothing in them but what is to be tried.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::interpreters::{self, Interpreter};
use super::tools;
use crate::process;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(3 * 60);
const STAMP: &str = "made-from";

#[derive(Debug)]
pub(super) struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// A new one in `folder`, in the place of whatever was there, without even pip in it.
    pub(super) fn fresh(
        workspace: &Workspace,
        interpreter: &Interpreter,
        folder: PathBuf,
    ) -> anyhow::Result<Self> {
        let mut make = super::command(workspace, &interpreter.program);
        make.args(["-m", "venv", "--clear", "--without-pip"]).arg(&folder);
        process::succeed(make, LIMIT)?;
        Ok(Self { folder })
    }

    pub(super) fn bin(&self, program: &str) -> PathBuf {
        self.folder.join("bin").join(program)
    }

    /// `pip install WORDS` for it. Nothing is fetched from anywhere, so that what is installed needs nothing more.
    pub(super) fn install<W: AsRef<OsStr>>(&self, workspace: &Workspace, words: &[W]) -> anyhow::Result<()> {
        let mut pip = super::command(workspace, tools::builder(workspace)?.join("pip"));
        pip.arg("--python").arg(self.bin("python"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index"]).args(words);
        process::succeed(pip, LIMIT)
    }
}

/// The environment of the example tool, made anew when a wheel or the interpreter is another one than last time.
pub(super) fn example(workspace: &Workspace, folder: PathBuf, wheels: &[PathBuf]) -> anyhow::Result<()> {
    let interpreter = interpreters::usual(workspace)?;
    let mut made_from = format!("{} {}\n", interpreter.version(), interpreter.program.display());
    for wheel in wheels {
        made_from += &digest(wheel)?;
    }
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(());
    }
    Venv::fresh(workspace, &interpreter, folder)?.install(workspace, wheels)?;
    Ok(fs::write(stamp, made_from)?)
}

/// Tells one content of a file from another.
pub(super) fn digest(file: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::read(file)?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}
