//! The client against GNOME Keyring, on a bus that each test starts for itself.

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    Item, Key, KeyError, KeyStore as _,
    dbus::{Writer, session_bus},
    secret_service::{SERVICE_INTERFACE, SERVICE_PATH, SecretService},
};

/// The limit for the daemon to start, and for a call. The tests are not about the limits.
const PATIENCE: Duration = Duration::from_secs(60);

const BUS: &str = "dbus-daemon";
const KEYRING: &str = "gnome-keyring-daemon";

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

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A bus, and perhaps a keyring, with a home directory of their own.
struct Desktop {
    // Dropped in this order.
    keyring: Option<Running>,
    _bus: Running,
    home: tempfile::TempDir,
}

impl Desktop {
    /// Starts a bus. `None` if the programs are not installed. In CI they have to be.
    fn new() -> Option<Self> {
        let path = env::var_os("PATH").unwrap();
        let is_installed =
            |program: &&str| env::split_paths(&path).any(|folder| folder.join(program).exists());
        if ![BUS, KEYRING].iter().all(is_installed) {
            let in_ci = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
            assert!(!in_ci, "{BUS} and {KEYRING} are not installed");
            eprintln!("skipped: {BUS} and {KEYRING} are not installed");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let configuration = home.path().join("bus.conf");
        let socket = home.path().join("bus");
        fs::write(&configuration, CONFIGURATION.replace("SOCKET", socket.to_str().unwrap())).unwrap();
        let mut bus = Command::new(BUS)
            .args(["--nofork", "--print-address=1", "--config-file"])
            .arg(configuration)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It prints its address when it listens.
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        Some(Self { keyring: None, _bus: Running(bus), home })
    }

    fn key_store(&self) -> SecretService {
        let bus = session_bus(&|name| (name == "XDG_RUNTIME_DIR").then(|| self.home.path().into()));
        SecretService::with_limits(bus, PATIENCE, PATIENCE)
    }

    /// Starts the keyring, with the password that unlocks it.
    fn start_keyring(&mut self, password: Option<&str>) {
        let mut command = Command::new(KEYRING);
        command.args(["--foreground", "--components=secrets"]).env_clear();
        for (variable, directory) in
            [("HOME", ""), ("XDG_RUNTIME_DIR", ""), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")]
        {
            command.env(variable, self.home.path().join(directory));
        }
        command
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.home.path().join("bus").display()));
        let input = self.home.path().join("password");
        fs::write(&input, password.unwrap_or_default()).unwrap();
        if password.is_some() {
            command.arg("--unlock");
        }
        let log = File::create(self.home.path().join("log")).unwrap();
        let output = log.try_clone().unwrap();
        let child = command.stdin(File::open(input).unwrap()).stdout(output).stderr(log).spawn().unwrap();
        self.keyring = Some(Running(child));
        let started = Instant::now();
        while matches!(self.key_store().read(&item("none")), Err(KeyError::Unavailable(_))) {
            assert!(started.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// Locks every collection, as the user can in the password manager.
    fn lock(&self) {
        let mut client = self.key_store().connect(PATIENCE).unwrap();
        let collection = client.default_collection().unwrap();
        let paths = |body: &mut Writer| body.array(4, |paths| paths.string(&collection));
        client.call((SERVICE_PATH, SERVICE_INTERFACE, "Lock"), "ao", paths).unwrap();
    }
}

fn item(login_id: &str) -> Item {
    Item {
        app: "my-cli".to_owned(),
        profile: "work".to_owned(),
        server: "https://login.example/\u{e4}?a=b&c=\"d\"".to_owned(),
        login_id: login_id.to_owned(),
    }
}

fn read(key_store: &SecretService, login_id: &str) -> Result<[u8; 32], KeyError> {
    key_store.read(&item(login_id)).map(|key| *key.bytes())
}

fn is_in_a_file(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let found = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if path.is_dir() { is_in_a_file(&path, text) } else { fs::read(path).is_ok_and(found) }
    })
}

#[test]
fn gnome_keyring_keeps_replaces_and_removes_keys_and_keeps_them_over_a_restart() {
    let Some(mut desktop) = Desktop::new() else { return };
    let key_store = desktop.key_store();
    assert!(matches!(read(&key_store, "1"), Err(KeyError::Unavailable(_))));
    desktop.start_keyring(Some("password"));
    let [first, second, other] = [(); 3].map(|()| Key::random().unwrap());

    assert_eq!(read(&key_store, "1"), Err(KeyError::Missing));
    key_store.write(&item("1"), &first).unwrap();
    key_store.write(&item("2"), &other).unwrap();
    assert_eq!(read(&key_store, "1"), Ok(*first.bytes()));
    key_store.write(&item("1"), &second).unwrap();
    assert_eq!(read(&key_store, "1"), Ok(*second.bytes()));
    assert_eq!(read(&key_store, "2"), Ok(*other.bytes()));
    assert!(!is_in_a_file(&desktop.home.path().join("data"), &second.to_text()));

    drop(desktop.keyring.take());
    assert!(matches!(read(&key_store, "1"), Err(KeyError::Unavailable(_))));
    desktop.start_keyring(Some("password"));
    assert_eq!(read(&key_store, "1"), Ok(*second.bytes()));

    key_store.remove(&item("1")).unwrap();
    assert_eq!(read(&key_store, "1"), Err(KeyError::Missing));
    key_store.remove(&item("1")).unwrap();
    assert_eq!(read(&key_store, "2"), Ok(*other.bytes()));
}

#[test]
fn a_locked_gnome_keyring_is_reported_as_locked_and_never_prompts() {
    let Some(mut desktop) = Desktop::new() else { return };
    let key_store = desktop.key_store();
    desktop.start_keyring(Some("password"));
    key_store.write(&item("1"), &Key::random().unwrap()).unwrap();
    desktop.lock();
    let expect_locked = || {
        assert!(matches!(read(&key_store, "1"), Err(KeyError::Locked(_))));
        assert!(matches!(read(&key_store, "2"), Err(KeyError::Locked(_))));
        assert!(matches!(key_store.write(&item("1"), &Key::random().unwrap()), Err(KeyError::Locked(_))));
        assert!(matches!(key_store.remove(&item("1")), Err(KeyError::Locked(_))));
    };
    expect_locked();
    // As over SSH: started without the password.
    drop(desktop.keyring.take());
    desktop.start_keyring(None);
    expect_locked();
    assert!(!desktop.log().contains("prompt"), "{}", desktop.log());
}
