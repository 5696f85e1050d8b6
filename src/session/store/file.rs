//! A record in a file of its own, beside a lock file that is never removed.

use std::{
    fs::{self, File},
    io::{self, ErrorKind as Io, Read, Write},
    path::{Path, PathBuf},
};

use nix::errno::Errno;
use ring::digest;
use serde::Serialize;

use super::{
    Backing, Bytes, Locked, Locking, Recovery, Stamp,
    file_error::{self, damaged, not_replaceable, wrong_owner},
};
use crate::{
    Error, ErrorReason,
    platform::files::{self, FileLock, FileStamp, Mode, NotLocked},
    protocol::json::Object,
    session::{
        event::SessionEvent,
        form::{MAX_BYTES, hex},
        moment::{Moment, StoredMoment},
        policy::Note,
        record::Owner,
    },
};

/// The space that is reserved for a new record, at least.
const LEAST_RESERVED: u64 = 8 * 1024;

/// The size of the text in a lock file. It is written at once, and the file never shrinks.
const LOCK_BYTES: usize = 256;

/// What follows the name of a record that is being written.
const NEW: &str = ".new";

/// The files of one session.
#[derive(Clone, Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    names: Names,
}

/// The names of the files.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The name of the program.
    app: String,
    record: String,
    lock: String,
}

impl Names {
    /// Returns the names of a session. The hash tells sessions of different servers apart that have one profile.
    pub(crate) fn new(app: &str, owner: &Owner, kind: &str) -> Self {
        let text = format!("{}\n{}\n{}", owner.server, owner.client_id, owner.profile);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let hash = hex(hash.as_ref().get(..4).unwrap_or_default());
        let stem = format!("{}-{hash}{kind}", owner.profile);
        Self { app: app.to_owned(), record: format!("{stem}.json"), lock: format!("{stem}.lock") }
    }
}

/// What a lock file says. It contains nothing that anybody depends on.
#[derive(Serialize)]
struct LockText {
    pid: u32,
    failed_at: Option<StoredMoment>,
    spent: Option<u64>,
}

/// A lock file that can be locked.
enum Taken {
    Lock(FileLock),
    /// Another process has it.
    Busy(File),
}

impl FileStore {
    pub(crate) fn new(directory: PathBuf, names: Names) -> Self {
        Self { directory, names }
    }

    fn record(&self) -> PathBuf {
        self.directory.join(&self.names.record)
    }

    /// Returns the record's path, after one link.
    fn target(&self) -> PathBuf {
        let path = self.record();
        match fs::read_link(&path) {
            Ok(target) => self.directory.join(target),
            Err(_) => path,
        }
    }

    /// Creates the directory, and checks that it belongs to this user and to nobody else.
    fn check_directory(&self, create: bool, events: &mut Vec<SessionEvent>) -> Result<(), Error> {
        let path = &self.directory;
        let opened = match files::open_directory(path) {
            Err(error) if error.kind() == Io::NotFound && create => {
                if let Some((owner, me)) = files::foreign_home(path) {
                    let (reason, message) = wrong_owner(path, &owner, &me);
                    return Err(Error::store(reason, crate::sanitize(&message)));
                }
                files::create_directory(path).map_err(|error| self.trouble("create", path, error))?;
                files::open_directory(path)
            }
            opened => opened,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == Io::NotFound && !create => return Ok(()),
            Err(error) => return Err(self.trouble("open", path, error)),
        };
        check_owner(&opened, path)?;
        repair(&opened, path, events);
        Ok(())
    }

    fn read(&self, path: &Path, events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        let file = match files::open_to_read(path) {
            Ok(file) => file,
            Err(error) if error.kind() == Io::NotFound => return Ok(None),
            // A socket.
            Err(error) if error.raw_os_error().map(Errno::from_raw) == Some(Errno::ENXIO) => {
                return Err(damaged(path, "it is not a file"));
            }
            Err(error) => return Err(self.trouble("read", path, error)),
        };
        let metadata = file.metadata().map_err(|error| self.trouble("read", path, error))?;
        if !metadata.is_file() {
            return Err(damaged(path, "it is not a file"));
        }
        check_owner(&file, path)?;
        repair(&file, path, events);
        if metadata.len() > bytes(MAX_BYTES) {
            return Err(damaged(path, "it is too large"));
        }
        // A little more than the file has, so that the memory does not grow.
        let size = usize::try_from(metadata.len()).unwrap_or(MAX_BYTES).saturating_add(64);
        let mut text = Bytes::new(Vec::with_capacity(size));
        let limit = bytes(MAX_BYTES).saturating_add(1);
        (&file).take(limit).read_to_end(&mut text).map_err(|error| self.trouble("read", path, error))?;
        if text.len() > MAX_BYTES {
            return Err(damaged(path, "it is too large"));
        }
        // Of the file that was read, not of one that has replaced it; after the repair, which changes the stamp.
        let stamp = file.metadata().map_or(Stamp::Unknown, |now| Stamp::File(FileStamp::of(&now)));
        Ok(Some((text, stamp)))
    }

    /// Returns the directory in which the lock is if locks do not work where the record is.
    fn other_directory(&self) -> Option<PathBuf> {
        Some(files::runtime_directory()?.join(&self.names.app))
    }

    /// Takes the lock in a directory. `None` if locks do not work there.
    fn lock_in(&self, directory: &Path) -> Result<Option<Taken>, Error> {
        let path = directory.join(&self.names.lock);
        match FileLock::take(&path) {
            Ok(lock) => Ok(Some(Taken::Lock(lock))),
            Err(NotLocked::Busy(file)) => Ok(Some(Taken::Busy(file))),
            Err(NotLocked::Unsupported) => Ok(None),
            Err(NotLocked::Failed(error)) => Err(self.trouble("lock", &path, error)),
        }
    }

    /// Takes the lock where the user's runtime files are, because the directory of the record does not have locks.
    fn lock_elsewhere(&self, events: &mut Vec<SessionEvent>) -> Result<Option<Taken>, Error> {
        let Some(directory) = self.other_directory() else { return Ok(None) };
        files::create_directory(&directory).map_err(|error| self.trouble("create", &directory, error))?;
        let Some(taken) = self.lock_in(&directory)? else { return Ok(None) };
        let message = format!(
            "locks do not work in {}, so the lock is in {}: other machines that use the same files are not excluded",
            self.directory.display(),
            directory.display()
        );
        events.push(SessionEvent::LockMoved { message: crate::sanitize(&message) });
        Ok(Some(taken))
    }

    /// Says that locks work nowhere.
    fn no_lock(&self) -> String {
        let directory = self.directory.display();
        let message = match self.other_directory() {
            Some(other) => format!("locks do not work in {directory}, nor in {}", other.display()),
            None => format!("locks do not work in {directory}, and there is no XDG_RUNTIME_DIR for them"),
        };
        crate::sanitize(&format!("{message}: keep the session on a local disk"))
    }

    fn trouble(&self, what: &str, path: &Path, error: io::Error) -> Error {
        file_error::trouble(&self.directory, what, path, error)
    }
}

impl Backing for FileStore {
    fn stamp(&self) -> Stamp {
        let path = self.record();
        let mut metadata = fs::symlink_metadata(&path);
        if metadata.as_ref().is_ok_and(fs::Metadata::is_symlink) {
            metadata = fs::metadata(&path);
        }
        match metadata {
            Ok(metadata) => Stamp::File(FileStamp::of(&metadata)),
            Err(error) if error.kind() == Io::NotFound => Stamp::Absent,
            Err(_) => Stamp::Unknown,
        }
    }

    fn is_empty(&self) -> bool {
        // A process that was killed may have left tokens beside the record.
        let left = beside(&self.target(), NEW);
        let is_absent = |error: io::Error| error.kind() == Io::NotFound;
        self.stamp() == Stamp::Absent && fs::symlink_metadata(left).is_err_and(is_absent)
    }

    fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        let loaded = self.read(&self.target(), events)?;
        if loaded.is_some() {
            // A directory of another user is only refused where something would be written.
            let _ = self.check_directory(false, events);
        }
        Ok(loaded)
    }

    fn try_lock(&self, events: &mut Vec<SessionEvent>) -> Result<Locking, Error> {
        self.check_directory(true, events)?;
        let taken = match self.lock_in(&self.directory)? {
            None => self.lock_elsewhere(events)?,
            taken => taken,
        };
        match taken {
            Some(Taken::Lock(lock)) => Ok(Locking::Taken(Box::new(FileLocked::new(self.clone(), lock)))),
            Some(Taken::Busy(file)) => Ok(Locking::Busy(match read_text(&file) {
                Some(text) => format!("process {}", text.pid),
                None => "another process".into(),
            })),
            None => Err(Error::store(ErrorReason::NoLock, self.no_lock())),
        }
    }

    fn check_writable(&self, events: &mut Vec<SessionEvent>) -> Result<(), Error> {
        self.check_directory(true, events)?;
        let target = self.target();
        let probe = beside(&target, &format!(".probe-{}", std::process::id()));
        let _ = fs::remove_file(&probe);
        let file = files::create_file(&probe).map_err(|error| self.trouble("write to", &probe, error))?;
        let reserved = files::reserve(&file, LEAST_RESERVED);
        let removed = fs::remove_file(&probe);
        reserved.and(removed).map_err(|error| self.trouble("write to", &probe, error))?;
        refuse_mounted(&target)
    }

    fn remove_unlocked(&self) -> Result<bool, Error> {
        remove(self)
    }

    fn path(&self) -> Option<PathBuf> {
        Some(self.record())
    }
}

/// The files while this process has the lock.
struct FileLocked {
    store: FileStore,
    /// The path that the record has after one link.
    target: PathBuf,
    /// The new file, once it is prepared.
    new: Option<File>,
    lock: FileLock,
    text: Option<LockText>,
}

impl FileLocked {
    fn new(store: FileStore, lock: FileLock) -> Self {
        let text = lock.file().and_then(read_text);
        let mut this = Self { target: store.target(), store, new: None, lock, text };
        this.write_text(None);
        this
    }

    fn new_path(&self) -> PathBuf {
        beside(&self.target, NEW)
    }

    /// Names this process, and the failure that the next holders should know of.
    fn write_text(&mut self, note: Option<Note>) {
        let kept = self.note();
        let note = note.or(kept);
        let text = LockText {
            pid: std::process::id(),
            failed_at: note.map(|note| note.failed_at.into()),
            spent: note.and_then(|note| note.spent),
        };
        if let (Some(file), Ok(mut line)) = (self.lock.file(), serde_json::to_vec(&text)) {
            line.resize(LOCK_BYTES.saturating_sub(1), b' ');
            line.push(b'\n');
            use std::os::unix::fs::FileExt;
            let _ = file.write_all_at(&line, 0);
        }
        self.text = Some(text);
    }
}

impl Drop for FileLocked {
    fn drop(&mut self) {
        if self.new.is_some() {
            let _ = fs::remove_file(self.new_path());
        }
    }
}

impl Locked for FileLocked {
    fn note(&self) -> Option<Note> {
        let text = self.text.as_ref()?;
        Some(Note { failed_at: Moment::from(text.failed_at?), spent: text.spent })
    }

    fn leave(&mut self, note: Note) {
        self.write_text(Some(note));
    }

    fn recover(&mut self, is_successor: &dyn Fn(&[u8], &[u8]) -> bool) -> Result<Recovery, Error> {
        let path = self.new_path();
        let mut events = Vec::new();
        // A file of another user, or one that is no file, is not adopted.
        let left = match self.store.read(&path, &mut events) {
            Ok(None) => return Ok(Recovery::Nothing),
            Ok(left) => left,
            Err(_) => None,
        };
        let current = self.store.read(&self.target, &mut events).ok().flatten();
        if let (Some((left, _)), Some((current, _))) = (left, current)
            && is_successor(&current, &left)
        {
            fs::rename(&path, &self.target)
                .map_err(|error| self.store.trouble("replace", &self.target, error))?;
            self.sync()?;
            return Ok(Recovery::Adopted);
        }
        fs::remove_file(&path).map_err(|error| self.store.trouble("remove", &path, error))?;
        Ok(Recovery::Removed)
    }

    fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        self.store.read(&self.target, events)
    }

    fn prepare(&mut self, size: usize) -> Result<(), Error> {
        if self.new.is_some() {
            return Ok(());
        }
        refuse_mounted(&self.target)?;
        let path = self.new_path();
        let file = files::create_file(&path).map_err(|error| self.store.trouble("write to", &path, error))?;
        let reserved = files::reserve(&file, LEAST_RESERVED.max(bytes(size).saturating_mul(2)));
        if let Err(error) = reserved {
            let _ = fs::remove_file(&path);
            return Err(self.store.trouble("write to", &path, error));
        }
        self.new = Some(file);
        Ok(())
    }

    fn replace(&mut self, _expected: Option<&[u8]>, new: &[u8]) -> Result<Option<Stamp>, Error> {
        self.prepare(new.len())?;
        let path = self.new_path();
        // Taken, so that whatever fails, the next record begins with a new file.
        let Some(mut file) = self.new.take() else { return Err(Error::internal("no prepared file")) };
        let written = file.write_all(new).and_then(|()| file.sync_all());
        let written = written.map_err(|error| self.store.trouble("write to", &path, error));
        let replaced = written.and_then(|()| {
            let renamed = fs::rename(&path, &self.target);
            renamed.map_err(|error| self.store.trouble("replace", &self.target, error))
        });
        if let Err(error) = replaced {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let stamp = file.metadata().map_or(Stamp::Unknown, |metadata| Stamp::File(FileStamp::of(&metadata)));
        // The record is there. Whether it outlasts a power failure is all that is open.
        let _ = self.sync();
        Ok(Some(stamp))
    }

    fn move_aside(&mut self) -> Result<Option<PathBuf>, Error> {
        let aside = beside(&self.target, ".damaged");
        fs::rename(&self.target, &aside).map_err(|error| self.store.trouble("move", &self.target, error))?;
        Ok(Some(aside))
    }

    fn remove(&mut self) -> Result<bool, Error> {
        self.new = None;
        remove(&self.store)
    }
}

impl FileLocked {
    fn sync(&self) -> Result<(), Error> {
        let directory = self.target.parent().unwrap_or(&self.store.directory);
        files::sync_directory(directory).map_err(|error| self.store.trouble("write to", directory, error))
    }
}

/// Removes a record and what a killed process left beside it. A link stays, for the next login.
fn remove(store: &FileStore) -> Result<bool, Error> {
    let mut events = Vec::new();
    store.check_directory(false, &mut events)?;
    let target = store.target();
    if target.exists() {
        refuse_mounted(&target)?;
    }
    let gone = |path: &Path| match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == Io::NotFound => Ok(false),
        Err(error) => Err(store.trouble("remove", path, error)),
    };
    let new = gone(&beside(&target, NEW))?;
    let removed = gone(&target)?;
    if removed || new {
        let directory = target.parent().unwrap_or(&store.directory);
        let _ = files::sync_directory(directory);
    }
    Ok(removed)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn bytes(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

fn check_owner(file: &File, path: &Path) -> Result<(), Error> {
    match file.metadata().ok().as_ref().and_then(files::foreign_owner) {
        None => Ok(()),
        Some((owner, me)) => {
            let (reason, message) = wrong_owner(path, &owner, &me);
            Err(Error::store(reason, crate::sanitize(&message)))
        }
    }
}

fn repair(file: &File, path: &Path, events: &mut Vec<SessionEvent>) {
    let message = match files::make_private(file) {
        Ok(Mode::Repaired) => {
            format!("other users could read {}: its permissions are now private", path.display())
        }
        Ok(Mode::Unrepairable) => {
            format!("other users can read {}: its file system does not keep permissions", path.display())
        }
        Ok(Mode::Private) | Err(_) => return,
    };
    events.push(SessionEvent::ModeRepaired { message: crate::sanitize(&message) });
}

fn refuse_mounted(path: &Path) -> Result<(), Error> {
    if files::is_mounted(path) {
        let (reason, message) = not_replaceable(path);
        return Err(Error::store(reason, crate::sanitize(&message)));
    }
    Ok(())
}

fn read_text(file: &File) -> Option<LockText> {
    use std::os::unix::fs::FileExt;
    let mut text = [0; LOCK_BYTES];
    let length = file.read_at(&mut text, 0).ok()?;
    let object = Object::parse(text.get(..length)?)?;
    Some(LockText {
        pid: object.integer("pid")?.try_into().ok()?,
        failed_at: object.object("failed_at").and_then(|moment| StoredMoment::read(&moment)),
        spent: object.integer("spent"),
    })
}

/// Returns the paths of the records in a directory.
pub(crate) fn list(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect()
}
