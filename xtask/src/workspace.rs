//! The paths of the workspace, and calls of cargo.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

#[derive(Debug)]
pub(crate) struct Workspace {
    /// The directory of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory: `CARGO_TARGET_DIR`. Defaults to `target`.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> anyhow::Result<Self> {
        // `cargo run` sets this variable, so a moved checkout is found too.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("xtask has no parent directory")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => std::path::absolute(folder)?,
            _ => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Returns `cargo NAME` in the root directory, with the target directory of this process.
    pub(crate) fn cargo(&self, name: &str) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.arg(name).env("CARGO_TARGET_DIR", &self.target);
        remove_cargo_run_variables(&mut command);
        command
    }

    /// Returns a command that runs `program` in the root directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The directory of the tools installed by set-up, one subdirectory each.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The directory of the packages for users.
    pub(crate) fn dist(&self) -> PathBuf {
        self.target.join("dist")
    }

    /// Returns the path of a built binary of this workspace.
    pub(crate) fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        self.target.join(profile.folder()).join(name)
    }

    /// Returns `path` relative to the root if possible.
    pub(crate) fn short<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Removes the variables that `cargo run` set for this crate, because they would cause other builds to be repeated.
pub(crate) fn remove_cargo_run_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let own = name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_"));
        if own || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" {
            command.env_remove(name);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    /// Returns the arguments for `cargo build`.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Debug => &[],
            Self::Release => &["--release"],
        }
    }
}

/// Returns whether this is a CI run, in which no test may be skipped.
pub(crate) fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Finds `program` in `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}
