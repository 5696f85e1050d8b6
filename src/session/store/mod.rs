//! Where a record is kept: a file, this process's memory, or a store of the program's own.

mod file;
mod file_error;
mod memory;
mod nowhere;
mod program;

use std::{fmt, path::PathBuf, sync::Arc};

use zeroize::Zeroizing;

pub(crate) use file::{FileStore, Names, list};
pub(crate) use memory::MemoryStore;
pub(crate) use nowhere::Nowhere;
pub(crate) use program::ProgramStore;
pub use program::{Store, StoreLock};

use super::{event::SessionEvent, policy::Note};
use crate::{Error, platform::files::FileStamp};

/// The bytes of a record.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Reads and locks one record. Every call blocks briefly.
pub(crate) trait Backing: Send + Sync + fmt::Debug {
    /// Returns something that changes whenever the record does. Much cheaper than [`load`](Backing::load).
    fn stamp(&self) -> Stamp;

    /// Whether there is certainly nothing to remove.
    fn is_empty(&self) -> bool {
        self.stamp() == Stamp::Absent
    }

    /// Reads the record. `None` if there is none.
    fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error>;

    /// Takes the lock, if it is free.
    fn try_lock(&self, events: &mut Vec<SessionEvent>) -> Result<Locking, Error>;

    /// Proves, without the lock, that a record could be written.
    fn check_writable(&self, events: &mut Vec<SessionEvent>) -> Result<(), Error>;

    /// Removes the record without the lock, which another process does not release.
    fn remove_unlocked(&self) -> Result<bool, Error>;

    /// Returns where the record is, for the user.
    fn path(&self) -> Option<PathBuf> {
        None
    }

    /// Whether the host's code implements this store. It must then run on the caller's thread only.
    fn is_of_program(&self) -> bool {
        false
    }
}

/// The result of trying to take a lock.
pub(crate) enum Locking {
    Taken(Box<dyn Locked>),
    /// Who has it, for the user.
    Busy(String),
}

/// A record whose lock this process has. Dropping it releases the lock.
pub(crate) trait Locked: Send {
    /// Returns what the previous holders left.
    fn note(&self) -> Option<Note>;

    /// Leaves a note for the next holders. Failures are ignored: it only saves requests.
    fn leave(&mut self, note: Note);

    /// Completes what a killed process left, if it is a complete successor of the record, or removes it.
    fn recover(&mut self, is_successor: &dyn Fn(&[u8], &[u8]) -> bool) -> Result<Recovery, Error>;

    fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error>;

    /// Proves that a record of this size can be written.
    fn prepare(&mut self, size: usize) -> Result<(), Error>;

    /// Replaces the record atomically. `expected` is what was loaded before. Returns `None` if the record is another
    /// one by now.
    fn replace(&mut self, expected: Option<&[u8]>, new: &[u8]) -> Result<Option<Stamp>, Error>;

    /// Moves a record that cannot be read aside. Returns where it is now.
    fn move_aside(&mut self) -> Result<Option<PathBuf>, Error>;

    /// Removes the record. Returns whether there was one.
    fn remove(&mut self) -> Result<bool, Error>;
}

/// What was found of a process that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    Nothing,
    /// A complete record was adopted.
    Adopted,
    /// Something unusable was removed.
    Removed,
}

/// A state of the record. Two equal states have the same contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Absent,
    File(FileStamp),
    Count(u64),
    /// Nothing is known without loading it.
    Unknown,
}

impl Stamp {
    /// Whether a record that had this stamp when it was loaded is still the same.
    pub(crate) fn is_still(self, now: Self) -> bool {
        self != Self::Unknown && self == now
    }
}

pub(crate) type Shared = Arc<dyn Backing>;
