//! The example tool, built by Maven from the repository that users get, and laid out by its own script.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::package::digest;
use super::{home, package};
use crate::examples::Run;
use crate::setup;
use crate::workspace::Workspace;

/// `$here` is the launcher's folder, `target/login`.
pub(in super::super) const LAUNCH: &str = r#""$here/../kotlin/example/bin/login-example""#;

fn installed(workspace: &Workspace) -> PathBuf {
    home(workspace).join("example")
}

pub(super) fn start_script(workspace: &Workspace) -> PathBuf {
    installed(workspace).join("bin").join("login-example")
}

pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    package::build(workspace, run)?;
    let home = home(workspace);
    let _lock = setup::lock(&home.join("example.lock"))?;
    let sources = workspace.root.join("examples").join("kotlin");
    let packed = fs::read_to_string(home.join("packed-from"))?;
    let (stamp, made_from) = (home.join("example-from"), format!("{packed} {}", digest(&sources)?));
    if start_script(workspace).exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(());
    }
    let staged = home.join("example-sources");
    run(super::build(workspace, &sources, &staged)?)?;
    let mut install = Command::new("sh");
    install
        .current_dir(&staged)
        .args(["install.sh".as_ref(), super::empty(installed(workspace))?.as_os_str()]);
    run(install)?;
    Ok(fs::write(stamp, made_from)?)
}
