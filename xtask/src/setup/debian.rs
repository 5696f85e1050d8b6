//! System programs. They are installed if the user is root on Debian; otherwise the command is printed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process;
use crate::report::{Live, Outcome};
use crate::workspace::{Workspace, on_path};

/// A program and the Debian package that contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
}

/// The programs that the tests of every language need.
pub(super) const SHARED: &[Need] = &[
    Need { program: "Python 3.10 with venv", package: "python3-venv" },
    Need { program: "node", package: "nodejs" },
    Need { program: "npm", package: "npm" },
    Need { program: "keytool", package: "default-jdk-headless" },
    Need { program: "mvn", package: "maven" },
    Need { program: "chromium", package: "chromium" },
];

/// The key store that the tests of the core use. Without it, they leave those tests out, except in CI.
pub(super) const KEY_STORE: &[Need] = if cfg!(target_os = "linux") {
    &[
        Need { program: "dbus-daemon", package: "dbus" },
        Need { program: "gnome-keyring-daemon", package: "gnome-keyring" },
    ]
} else {
    &[]
};

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Returns whether the program is installed and usable.
pub(crate) fn is_there(program: &str) -> bool {
    match program {
        "Python 3.10 with venv" => succeeds(
            Command::new("python3")
                .args(["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"]),
        ),
        "chromium" => {
            ["chromium", "chromium-browser", "google-chrome"].iter().any(|name| on_path(name).is_some())
        }
        "go 1.21 or newer" => succeeds(Command::new("sh").args(["-c", r#"test -n "$(go env GOTOOLCHAIN)""#])),
        "JDK 17 or newer" => succeeds(Command::new("javac").args(["--release", "17", "-version"])),
        "swift, or root and mmdebstrap" => {
            on_path("swift").is_some() || nix::unistd::geteuid().is_root() && on_path("mmdebstrap").is_some()
        }
        other => on_path(other).is_some(),
    }
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Installs missing programs if possible, otherwise reports the command that installs them.
pub(super) fn provide(
    workspace: &Workspace,
    needs: &[&Need],
    live: &mut Live<'_>,
) -> anyhow::Result<Outcome> {
    let missing: Vec<_> = needs.iter().filter(|need| !is_there(need.program)).collect();
    if missing.is_empty() {
        return Ok(Outcome::Ready);
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    if !(nix::unistd::geteuid().is_root() && Path::new("/etc/debian_version").exists()) {
        let command = format!("apt-get install --no-install-recommends {}", packages.join(" "));
        return Ok(Outcome::Skipped(format!("missing; on Debian: sudo {command}")));
    }
    live.line(&format!("installing Debian packages: {}", packages.join(" ")));
    // In seconds. Another process may be installing packages.
    let lock = "DPkg::Lock::Timeout=600";
    for words in [&["update"][..], &["install", "--yes", "--no-install-recommends"]] {
        let mut apt = workspace.command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", lock]).args(words);
        if words.len() > 1 {
            apt.args(&packages);
        }
        process::succeed(apt, LIMIT)?;
    }
    match missing.iter().find(|need| !is_there(need.program)) {
        None => Ok(Outcome::Ready),
        Some(still) => Ok(Outcome::Failed(format!("{} is missing after the installation", still.program))),
    }
}
