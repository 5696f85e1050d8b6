//! Files that only their owner may use, and their locks.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io,
    os::{
        fd::AsFd,
        unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg, OFlag},
    unistd::{User, geteuid},
};

use super::signals::with_signals_blocked;
use crate::process::Local;

/// The permissions of every file.
const FILE_MODE: u32 = 0o600;

/// The permissions of every directory.
const DIRECTORY_MODE: u32 = 0o700;

/// What others must not have.
const OTHERS: u32 = 0o077;

/// How long a network file system may take for a lock.
const NETWORK_LOCK: Duration = Duration::from_secs(2);

/// A state of a file. Two equal states have the same contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What was done about permissions that are too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Private,
    Repaired,
    /// The file system does not keep permissions.
    Unrepairable,
}

/// Returns the directory for the state of programs: that of the XDG Base Directory Specification, or Apple's. `None` if
/// the user has no home directory.
pub(crate) fn state_directory() -> Option<PathBuf> {
    if cfg!(target_vendor = "apple") {
        return Some(home()?.join("Library").join("Application Support"));
    }
    absolute("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local").join("state")))
}

/// Returns the directory for files that need not outlive the user's last session, where locks always work.
pub(crate) fn runtime_directory() -> Option<PathBuf> {
    absolute("XDG_RUNTIME_DIR")
}

fn home() -> Option<PathBuf> {
    let of_user = || User::from_uid(geteuid()).ok().flatten().map(|user| user.dir);
    absolute("HOME").or_else(of_user).filter(|home| home.is_absolute())
}

/// Returns the path in a variable. A relative one is ignored, as the XDG Base Directory Specification says.
fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns the names of the owner of a file and of the user who runs this program, if they differ.
pub(crate) fn foreign_owner(metadata: &Metadata) -> Option<(String, String)> {
    let me = geteuid().as_raw();
    (metadata.uid() != me).then(|| (user_name(metadata.uid()), user_name(me)))
}

fn user_name(id: u32) -> String {
    let user = User::from_uid(id.into()).ok().flatten();
    user.map_or_else(|| format!("number {id}"), |user| format!("\"{}\"", user.name))
}

/// Returns the names of the owner of the directory in which another one would be created, and of the administrator who
/// runs this program, if they differ. What the administrator creates there, its owner cannot use.
pub(crate) fn foreign_home(path: &Path) -> Option<(String, String)> {
    if !geteuid().is_root() {
        return None;
    }
    let existing = path.ancestors().find_map(|above| fs::metadata(above).ok())?;
    foreign_owner(&existing)
}

/// Creates a directory with those above it, for its owner only.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    // A umask can take away the owner's own permissions.
    if mode & DIRECTORY_MODE == DIRECTORY_MODE {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode((mode | DIRECTORY_MODE) & 0o7777))
}

/// Opens an existing file for reading. Follows no link, and waits for no other program.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Creates a file that does not exist yet, for its owner only.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .custom_flags(flags.bits())
        .open(path)?;
    // A umask can take away the owner's own permissions.
    file.set_permissions(fs::Permissions::from_mode(FILE_MODE)).or_else(ignore_unsupported)?;
    Ok(file)
}

fn ignore_unsupported(error: io::Error) -> io::Result<()> {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EPERM | Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(()),
        _ => Err(error),
    }
}

/// Reserves space on the disk for a file, without changing its size.
pub(crate) fn reserve(file: &File, size: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use nix::fcntl::{FallocateFlags, fallocate};
        let length = i64::try_from(size).map_err(io::Error::other)?;
        match fallocate(file.as_fd(), FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, length) {
            Ok(()) => return Ok(()),
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EINVAL) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    let _ = file.as_fd();
    // The file system cannot reserve space: use it.
    let zeros = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    file.write_all_at(&zeros, 0)?;
    file.set_len(0)
}

/// Makes what was created, replaced or removed in a directory outlast a power failure.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Not every file system can.
        Err(error) if error.raw_os_error().map(Errno::from_raw) == Some(Errno::EINVAL) => Ok(()),
        result => result,
    }
}

/// Takes permissions away that others have on an open file or directory.
pub(crate) fn make_private(file: &File) -> io::Result<Mode> {
    let mode = file.metadata()?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(Mode::Private);
    }
    let repaired = file.set_permissions(fs::Permissions::from_mode(mode & !OTHERS & 0o7777));
    let is_private = || file.metadata().is_ok_and(|now| now.permissions().mode() & OTHERS == 0);
    Ok(if repaired.is_ok() && is_private() { Mode::Repaired } else { Mode::Unrepairable })
}

/// Opens a directory, to look at its owner and permissions.
pub(crate) fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Whether a file cannot be replaced by renaming another one, because something is mounted on it.
pub(crate) fn is_mounted(path: &Path) -> bool {
    let (Ok(file), Some(parent)) = (fs::metadata(path), path.parent()) else { return false };
    if fs::metadata(parent).is_ok_and(|parent| parent.dev() != file.dev()) {
        return true;
    }
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return false;
    }
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return false };
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|point| Path::new(&unescaped(point)) == path)
}

/// Decodes the octal escapes of a mount point: `\040` is a space.
fn unescaped(text: &str) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let byte = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = byte.and(after.get(3..)).unwrap_or(after);
    }
    OsString::from_vec(bytes)
}

/// A lock on a file, which excludes every other descriptor of the file, also in this process. It is released on drop,
/// but not in a forked child: the lock is the parent's.
#[derive(Debug)]
pub(crate) struct FileLock(Local<Flock<File>>);

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Another descriptor has it. The file, to read who that is.
    Busy(File),
    /// Locks do not work on this file system.
    Unsupported,
    Failed(io::Error),
}

impl FileLock {
    /// Opens the file, which is created if it does not exist, and locks it if it is free.
    pub(crate) fn take(path: &Path) -> Result<Self, NotLocked> {
        loop {
            let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(FILE_MODE)
                .custom_flags(flags.bits())
                .open(path)
                .map_err(NotLocked::Failed)?;
            // A umask can take away the owner's own permissions, and an older file may have wider ones.
            let is_right = |file: &Metadata| file.permissions().mode() & 0o7777 == FILE_MODE;
            if !file.metadata().is_ok_and(|file| is_right(&file)) {
                let _ = file.set_permissions(fs::Permissions::from_mode(FILE_MODE));
            }
            let lock = if is_on_network(&file) { lock_with_limit(file)? } else { lock(file)? };
            // Somebody may have removed the file before it was locked: then the lock excludes nobody.
            let is_current = match (lock.metadata(), fs::symlink_metadata(path)) {
                (Ok(locked), Ok(current)) => (locked.dev(), locked.ino()) == (current.dev(), current.ino()),
                _ => false,
            };
            if is_current {
                return Ok(Self(Local::new(lock)));
            }
            release(lock);
        }
    }

    pub(crate) fn file(&self) -> Option<&File> {
        self.0.get().map(|lock| &**lock)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Some(lock) = self.0.take() {
            release(lock);
        }
    }
}

/// Releases a lock. Closing the file is not enough: a forked child may have it open.
fn release(lock: Flock<File>) {
    if let Err((lock, _)) = lock.unlock() {
        // On drop it would try again, and panic.
        std::mem::forget(lock);
    }
}

fn lock(file: File) -> Result<Flock<File>, NotLocked> {
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(file, errno)| match errno {
        Errno::EWOULDBLOCK => NotLocked::Busy(file),
        Errno::ENOLCK | Errno::EOPNOTSUPP | Errno::EBADF | Errno::ENOSYS | Errno::EINVAL => {
            NotLocked::Unsupported
        }
        errno => NotLocked::Failed(errno.into()),
    })
}

/// Locks a file from a thread of its own, which is left behind if the file system does not respond.
fn lock_with_limit(file: File) -> Result<Flock<File>, NotLocked> {
    let (sender, receiver) = mpsc::channel();
    let start = || {
        thread::Builder::new().name("cli-auth-lock".into()).spawn(move || {
            let _ = sender.send(lock(file));
        })
    };
    with_signals_blocked(start).map_err(NotLocked::Failed)?;
    receiver.recv_timeout(NETWORK_LOCK).unwrap_or(Err(NotLocked::Unsupported))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_on_network(file: &File) -> bool {
    use nix::sys::statfs::{FUSE_SUPER_MAGIC, FsType, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, fstatfs};
    const CIFS: u32 = 0xff53_4d42;
    const SMB2: u32 = 0xfe53_4d42;
    const PLAN9: u32 = 0x0102_1997;
    let Ok(found) = fstatfs(file) else { return false };
    let FsType(kind) = found.filesystem_type();
    let named = [NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, FUSE_SUPER_MAGIC].contains(&FsType(kind));
    named || [CIFS, SMB2, PLAN9].iter().any(|magic| i128::from(*magic) == i128::from(kind))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_on_network(_file: &File) -> bool {
    // The lock may block where a server does not respond. Nothing tells this apart without unsafe code.
    false
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
