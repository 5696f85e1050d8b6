//! Fake browser commands that record how they were called.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Commands by which programs open a browser on Unix.
const OPENERS: &[&str] = &[
    "xdg-open",
    "gio",
    "gnome-open",
    "kde-open",
    "kde-open5",
    "exo-open",
    "open",
    "wslview",
    "sensible-browser",
    "x-www-browser",
    "www-browser",
    "firefox",
    "chromium",
    "google-chrome",
    "w3m",
    "lynx",
    "links",
    "epiphany",
    "explorer.exe",
    "powershell.exe",
    "cmd.exe",
];

/// A directory to put first in `PATH`.
#[derive(Debug)]
pub(crate) struct FakeBrowsers {
    folder: PathBuf,
    record: PathBuf,
}

impl FakeBrowsers {
    /// Creates the fake commands in `folder`, and two for the variable `BROWSER`: `browser`, and `slow-browser`, which
    /// runs for half a minute.
    pub(crate) fn make(folder: &Path) -> io::Result<Self> {
        let record = folder.join("record");
        fs::create_dir_all(folder)?;
        let script = format!(
            "#!/bin/sh\n{{ printf '%s\\037' \"${{0##*/}}\" \"$@\"; printf '\\036'; }} >> '{}'\n",
            record.display()
        );
        for name in OPENERS.iter().chain(&["browser", "slow-browser"]) {
            let path = folder.join(name);
            let more = if *name == "slow-browser" { "sleep 30\n" } else { "" };
            fs::write(&path, format!("{script}{more}"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { folder: folder.to_owned(), record })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns every call so far: the name and the arguments.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        let calls = text.split_terminator('\u{1e}');
        calls.map(|call| call.split_terminator('\u{1f}').map(str::to_owned).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn calls_are_recorded_with_exact_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let browsers = FakeBrowsers::make(folder.path()).unwrap();
        assert!(browsers.calls().is_empty());
        Command::new(folder.path().join("xdg-open")).arg("https://h/$(id) a").status().unwrap();
        Command::new(folder.path().join("browser")).status().unwrap();
        assert_eq!(browsers.calls(), [vec!["xdg-open", "https://h/$(id) a"], vec!["browser"]]);
    }
}
