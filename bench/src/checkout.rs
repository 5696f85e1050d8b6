//! A checkout of this repository: its paths and commands.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::subject::Words;

/// The directory of this workspace in the repository.
const WORKSPACE: &str = "bench/Cargo.toml";

#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) root: PathBuf,
    pub(super) target: PathBuf,
}

impl Checkout {
    /// Returns the checkout that this program was built from.
    pub(super) fn own() -> anyhow::Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask bench`")?;
        let root = Path::new(&manifest).parent().context("bench has no parent directory")?;
        let mut own = Self::at(root);
        if let Some(target) = env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty()) {
            own.target = std::path::absolute(target)?;
        }
        Ok(own)
    }

    /// Returns a checkout with cargo's default target directory.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf(), target: root.join("target") }
    }

    /// Returns a command that runs a program in the root directory.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Returns `cargo NAME`.
    pub(super) fn cargo(&self, name: &str) -> Command {
        let mut cargo = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(name).env("CARGO_TARGET_DIR", &self.target);
        // The variables that `cargo run` set for this package would cause other builds to be repeated.
        for (name, _) in env::vars_os() {
            let own = name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_"));
            if own || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    /// Builds a program of this workspace in release mode and returns its path.
    pub(super) fn build(&self, package: &str) -> anyhow::Result<PathBuf> {
        let mut cargo = self.cargo("build");
        // Built separately: together, they would get features of shared packages that only one of them needs.
        cargo.args(["--quiet", "--locked", "--release", "--manifest-path", WORKSPACE, "--package", package]);
        succeed(cargo)?;
        Ok(self.target.join("release").join(package))
    }

    /// Builds the libraries of a package of this workspace with the profile of the released libraries, stripped like
    /// those, and returns their directory.
    pub(super) fn build_libraries(&self, package: &str) -> anyhow::Result<PathBuf> {
        let mut cargo = self.cargo("rustc");
        cargo.args(["--quiet", "--locked", "--profile", "size", "--manifest-path", WORKSPACE]);
        cargo.args(["--package", package, "--lib", "--crate-type", "cdylib", "--crate-type", "staticlib"]);
        cargo.args(["--config", "profile.size.strip='symbols'"]);
        succeed(cargo)?;
        Ok(self.target.join("size"))
    }

    /// Builds the authorization server and returns its path.
    pub(super) fn build_server(&self) -> anyhow::Result<PathBuf> {
        let mut cargo = self.cargo("build");
        cargo.args(["--quiet", "--locked", "--release", "--package", "authserver"]);
        succeed(cargo)?;
        Ok(self.target.join("release").join("authserver"))
    }

    /// Builds the example tool of a language and its dependencies like a user does.
    pub(super) fn build_example(&self, language: &str) -> anyhow::Result<()> {
        let mut xtask = self.cargo("xtask");
        xtask.args(["examples", language]);
        succeed(xtask)
    }

    /// Returns the command line that starts the example tool of a language without the shell of its launcher.
    pub(super) fn example(&self, language: &str) -> anyhow::Result<Words> {
        let launcher = self.target.join("login").join(language);
        ensure!(
            launcher.exists(),
            "{} does not exist; run `cargo xtask examples {language}` in that checkout",
            launcher.display()
        );
        Ok(Words::new(words_of(&launcher)?))
    }

    /// Returns the directory for files of the benchmarks.
    pub(super) fn work(&self, name: &str) -> anyhow::Result<PathBuf> {
        let directory = self.target.join("bench").join(name);
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }
}

/// Returns the command line that a shell script executes at its end, printed by the script itself.
pub(super) fn words_of(script: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let (before, after) = text
        .rsplit_once("\nexec ")
        .with_context(|| format!("{} does not end with exec", script.display()))?;
    let printing = format!("{before}\nprintf '%s\\n' {after}");
    let output = Command::new("sh").arg("-c").arg(printing).arg(script).output()?;
    ensure!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let words: Vec<_> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    ensure!(!words.is_empty(), "{} executes no command", script.display());
    Ok(words)
}

/// Runs a build and shows its output.
pub(super) fn succeed(mut command: Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_a_script_is_found() {
        let script = env::temp_dir().join(format!("bench-words-{}", std::process::id()));
        fs::write(&script, "#!/bin/sh\nhere=${0%/*}\nexec \"$here/a b\" --fast \\\n  last \"$@\"\n").unwrap();
        let words = words_of(&script);
        fs::remove_file(&script).unwrap();
        let first = env::temp_dir().join("a b");
        assert_eq!(words.unwrap(), [first.to_str().unwrap(), "--fast", "last"]);
    }
}
