//! A bus and an unlocked GNOME Keyring of a story's own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A configuration without services that the bus would start.
const CONFIGURATION: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// A program that ends with the story.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug)]
pub(super) struct Keyring {
    socket: PathBuf,
    // Dropped in this order.
    _keyring: Running,
    _bus: Running,
}

impl Keyring {
    /// Returns whether the programs are there. In CI they have to be.
    pub(super) fn is_expected() -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).exists());
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        in_ci || ["dbus-daemon", "gnome-keyring-daemon"].iter().all(is_there)
    }

    /// Starts both programs in a directory. `None` if one is not installed.
    pub(super) fn start(above: &Path) -> Result<Option<Self>, String> {
        let home = above.join("keyring");
        let text = |error: std::io::Error| error.to_string();
        fs::create_dir_all(&home).map_err(text)?;
        let (socket, configuration) = (home.join("bus"), home.join("bus.conf"));
        fs::write(&configuration, CONFIGURATION.replace("SOCKET", &socket.display().to_string()))
            .map_err(text)?;
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--print-address=1", "--config-file"]).arg(configuration);
        let Ok(mut bus) = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map(Running) else {
            return Ok(None);
        };
        // It prints its address when it listens.
        let output = bus.0.stdout.take().ok_or("the bus has no output")?;
        BufReader::new(output).read_line(&mut String::new()).map_err(text)?;
        let password = home.join("password");
        fs::write(&password, "password").map_err(text)?;
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets", "--unlock"]).env_clear();
        for variable in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            keyring.env(variable, &home);
        }
        keyring.env("DBUS_SESSION_BUS_ADDRESS", address(&socket)).stdin(File::open(password).map_err(text)?);
        let keyring = keyring.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(keyring.ok().map(|keyring| Self { socket, _keyring: Running(keyring), _bus: bus }))
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS`.
    pub(super) fn address(&self) -> String {
        address(&self.socket)
    }
}

fn address(socket: &Path) -> String {
    format!("unix:path={}", socket.display())
}
