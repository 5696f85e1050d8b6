//! A bus and an unlocked GNOME Keyring of the benchmark's own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

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

/// A program that ends with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) struct Keyring {
    socket: PathBuf,
    // Dropped in this order.
    _keyring: Running,
    _bus: Running,
}

impl Keyring {
    /// Starts both programs. `None` if one is not installed.
    pub(super) fn start(work: &Path) -> anyhow::Result<Option<Self>> {
        let home = work.join("keyring");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home)?;
        let (socket, configuration) = (home.join("bus"), home.join("bus.conf"));
        let text = CONFIGURATION.replace("SOCKET", socket.to_str().context("a path that is no text")?);
        fs::write(&configuration, text)?;
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--print-address=1", "--config-file"]).arg(configuration);
        let Ok(mut bus) = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map(Running) else {
            return Ok(None);
        };
        // It prints its address when it listens.
        let output = bus.0.stdout.take().context("the bus has no output")?;
        BufReader::new(output).read_line(&mut String::new())?;
        let password = home.join("password");
        fs::write(&password, "password")?;
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets", "--unlock"]).env_clear();
        for variable in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            keyring.env(variable, &home);
        }
        keyring.env("DBUS_SESSION_BUS_ADDRESS", address(&socket)).stdin(File::open(password)?);
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
