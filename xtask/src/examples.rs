//! Builds the example tools and their launchers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::lang::Language;
use crate::process;
use crate::workspace::{Profile, Workspace};

/// How builds are run: [`in_foreground`] or [`quietly`].
pub(crate) type Run = fn(Command) -> anyhow::Result<()>;

/// Timeout for a build in the background.
const BUILD: Duration = Duration::from_secs(20 * 60);

/// Builds each example tool and writes its launcher.
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    for &language in languages {
        language.build_example(workspace, Profile::Release, in_foreground)?;
        let launcher = write_launcher(workspace, language, Profile::Release)?;
        println!("{}", workspace.short(&launcher));
    }
    Ok(0)
}

/// Runs a build and shows its output.
pub(crate) fn in_foreground(mut command: Command) -> anyhow::Result<()> {
    match process::run_in_foreground(&mut command)? {
        0 => Ok(()),
        status => bail!("the build failed with status {status}"),
    }
}

/// Runs a build and shows its output only if it fails.
pub(crate) fn quietly(command: Command) -> anyhow::Result<()> {
    process::succeed(command, BUILD)
}

/// Returns the path of the launcher of `language`.
pub(crate) fn launcher(workspace: &Workspace, language: Language) -> PathBuf {
    workspace.target.join("login").join(language.name())
}

/// Writes a launcher that replaces itself with the example tool. It finds the tool by a relative path, so both can be
/// moved, and it starts no other process, so signals, streams and timing are those of the tool.
pub(crate) fn write_launcher(
    workspace: &Workspace,
    language: Language,
    profile: Profile,
) -> anyhow::Result<PathBuf> {
    let launcher = launcher(workspace, language);
    let folder = launcher.parent().context("the launcher has no parent directory")?;
    fs::create_dir_all(folder)?;
    let words: Vec<_> =
        language.words(workspace, profile).iter().map(|word| quoted(workspace, word)).collect();
    let script = format!(
        "#!/bin/sh\ncase $0 in */*) here=${{0%/*}} ;; *) here=. ;; esac\nexec {} \"$@\"\n",
        words.join(" ")
    );
    // Renamed into place because another process may be starting the launcher.
    let partial = launcher.with_extension(std::process::id().to_string());
    fs::write(&partial, script)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(&partial, &launcher)?;
    Ok(launcher)
}

/// Quotes a word for the launcher's shell. Paths in the target directory become relative to the launcher.
fn quoted(workspace: &Workspace, word: &Path) -> String {
    match word.strip_prefix(&workspace.target) {
        Ok(below) => format!("\"$here/../{}\"", below.display()),
        Err(_) => format!("'{}'", word.display()),
    }
}
