//! The example tools, ready to be run, and the test server.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::lang::Language;
use crate::process;
use crate::workspace::{Profile, Workspace};

/// Builds each and leaves its launcher.
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    for &language in languages {
        build_in_foreground(&mut language.build_example(workspace, Profile::Release))?;
        let launcher = write_launcher(workspace, language)?;
        println!("{}", workspace.short(&launcher));
    }
    Ok(0)
}

/// `cargo xtask authserver ...`
pub(crate) fn authserver(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<u8> {
    let mut cargo = workspace.cargo("build");
    build_in_foreground(cargo.args(["--quiet", "--locked", "--package", "authserver"]))?;
    let mut server = workspace.command(workspace.binary(Profile::Debug, "authserver"));
    process::run_in_foreground(server.args(arguments))
}

/// Builds where a person watches.
pub(crate) fn build_in_foreground(command: &mut std::process::Command) -> anyhow::Result<()> {
    match process::run_in_foreground(command)? {
        0 => Ok(()),
        status => bail!("the build failed with status {status}"),
    }
}

/// Where the launcher of `language` is.
pub(crate) fn launcher(workspace: &Workspace, language: Language) -> PathBuf {
    workspace.target.join("login").join(language.name())
}

/// Leaves an executable that becomes the example tool. It finds the tool beside itself, so both can be moved, and it
/// starts no other process, so signals, streams and timing are the tool's own.
pub(crate) fn write_launcher(workspace: &Workspace, language: Language) -> anyhow::Result<PathBuf> {
    let launcher = launcher(workspace, language);
    let folder = launcher.parent().context("a launcher has a folder")?;
    fs::create_dir_all(folder)?;
    let script = format!(
        "#!/bin/sh\ncase $0 in */*) here=${{0%/*}} ;; *) here=. ;; esac\nexec {} \"$@\"\n",
        language.launch()
    );
    // Renamed into place, as another process may be starting it.
    let partial = launcher.with_extension(std::process::id().to_string());
    fs::write(&partial, script)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(&partial, &launcher)?;
    Ok(launcher)
}
