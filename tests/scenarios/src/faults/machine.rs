//! A home directory on which something is wrong. The mounts are in the private namespace of this program.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::bus::MuteBus;
use super::case::Fault;

/// The user and group `nobody`.
const NOBODY: u32 = 65534;

/// The size of the file system that becomes full.
const DISK: &str = "size=64k,mode=0700";

#[derive(Debug)]
pub(crate) struct Machine {
    fault: Fault,
    folder: TempDir,
    mounts: Vec<PathBuf>,
    bus: Option<MuteBus>,
}

/// Variables of a tool: set, or with `None` removed.
pub(crate) type Variables = Vec<(String, Option<String>)>;

/// Programs and libraries that all users can read.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) tool: String,
    pub(crate) no_locks: String,
    _folder: TempDir,
}

impl Programs {
    pub(crate) fn new(tool: &str) -> Result<Self, String> {
        let text = |error: io::Error| error.to_string();
        let folder = public_folder().map_err(text)?;
        let copy = folder.path().join("tool");
        fs::copy(tool, &copy).map_err(|error| format!("{tool}: {error}"))?;
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).map_err(text)?;
        let library = folder.path().join("flock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/flock.c");
        call(Command::new("cc").args(["-shared", "-fPIC", "-O1", source, "-ldl", "-o"]).arg(&library))?;
        let (tool, no_locks) = (copy.display().to_string(), library.display().to_string());
        Ok(Self { tool, no_locks, _folder: folder })
    }
}

impl Machine {
    pub(crate) fn new(fault: Fault) -> Result<Self, String> {
        let text = |error: io::Error| error.to_string();
        let mut machine =
            Self { fault, folder: public_folder().map_err(text)?, mounts: Vec::new(), bus: None };
        let above = machine.home().join(".local/state");
        DirBuilder::new().recursive(true).mode(0o755).create(&above).map_err(text)?;
        for directory in [machine.directory(), machine.runtime()] {
            DirBuilder::new().mode(0o700).create(directory).map_err(text)?;
        }
        if fault == Fault::FullDisk {
            let directory = machine.directory();
            machine.mount(&["-t", "tmpfs", "-o", DISK, "tmpfs"], &directory)?;
        }
        Ok(machine)
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Returns the directory of the record.
    pub(crate) fn directory(&self) -> PathBuf {
        self.home().join(".local/state/login-example")
    }

    /// Returns the directory for the user's runtime files.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.folder.path().join("runtime")
    }

    /// Makes the fault begin.
    pub(crate) fn begin(&mut self, record: &Path) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        let directory = self.directory();
        match self.fault {
            Fault::FullDisk => fill(&self.filler()).map_err(text),
            Fault::ReadOnly => {
                self.mount(&["--bind", &directory.display().to_string()], &directory)?;
                call(Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&directory))
            }
            Fault::MountedRecord => self.mount(&["--bind", &record.display().to_string()], record),
            Fault::ForeignDirectory => chown(&directory, Some(NOBODY), Some(NOBODY)).map_err(text),
            Fault::ForeignHome => self.give_to(NOBODY).map_err(text),
            Fault::MuteBus => {
                self.bus = Some(MuteBus::start(&self.bus_path()).map_err(text)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes the fault end.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        match self.fault {
            Fault::FullDisk => fs::remove_file(self.filler()).map_err(text),
            Fault::ReadOnly | Fault::MountedRecord => self.unmount(),
            Fault::ForeignDirectory | Fault::ForeignHome => self.give_to(0).map_err(text),
            _ => Ok(()),
        }
    }

    /// Returns the words before the tool, while the fault lasts.
    pub(crate) fn prefix(&self) -> Vec<String> {
        let words: &[&str] = match self.fault {
            Fault::OtherUser => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
            Fault::Umask000 => &["sh", "-c", "umask 000; exec \"$@\"", "sh"],
            Fault::Umask077 => &["sh", "-c", "umask 077; exec \"$@\"", "sh"],
            _ => &[],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Returns the variables of a tool that knows nothing of the user who runs this program.
    pub(crate) fn variables(&self, programs: &Programs, faulty: bool) -> Variables {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut all: Variables = names.filter(|name| name != "PATH").map(|name| (name, None)).collect();
        let mut set = |name: &str, value: String| all.push((name.to_owned(), Some(value)));
        set("HOME", self.home().display().to_string());
        if !faulty || self.fault != Fault::NoLocksAnywhere {
            set("XDG_RUNTIME_DIR", self.runtime().display().to_string());
        }
        match self.fault {
            Fault::NoLocks | Fault::NoLocksAnywhere | Fault::NoLocksAtAll if faulty => {
                set("LD_PRELOAD", programs.no_locks.clone());
                let everywhere = self.fault == Fault::NoLocksAtAll;
                let place = if everywhere { self.folder.path().to_owned() } else { self.home() };
                set("SCENARIO_NO_LOCKS", place.display().to_string());
            }
            Fault::MuteBus | Fault::AbsentBus if faulty => {
                set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.bus_path().display()));
            }
            _ => {}
        }
        all
    }

    /// Returns the number of connections to the session bus.
    pub(crate) fn bus_connections(&self) -> usize {
        self.bus.as_ref().map_or(0, MuteBus::accepted)
    }

    fn bus_path(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    fn filler(&self) -> PathBuf {
        self.directory().join("filler")
    }

    fn give_to(&self, user: u32) -> io::Result<()> {
        for entry in fs::read_dir(self.directory())? {
            chown(entry?.path(), Some(user), Some(user))?;
        }
        chown(self.directory(), Some(user), Some(user))
    }

    fn mount(&mut self, what: &[&str], place: &Path) -> Result<(), String> {
        call(Command::new("mount").args(what).arg(place))?;
        self.mounts.push(place.to_owned());
        Ok(())
    }

    fn unmount(&mut self) -> Result<(), String> {
        while let Some(place) = self.mounts.pop() {
            call(Command::new("umount").arg("--lazy").arg(&place))?;
        }
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Before the directory is removed.
        let _ = self.unmount();
    }
}

fn public_folder() -> io::Result<TempDir> {
    let folder = TempDir::new()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Writes until the file system is full.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    loop {
        match file.write_all(&[0; 4096]) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn call(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    let message = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {}", message.trim())) }
}
