//! A store of the program's own.

use std::{fmt, io, sync::Arc};

use super::{Backing, Bytes, Locked, Locking, Recovery, Stamp};
use crate::{
    Error, ErrorReason, Secret,
    session::{event::SessionEvent, policy::Note},
};

/// A place for one session that the program provides, for example a vault or a database.
///
/// The record is one text. It contains tokens in clear, so that the store must protect it. Its form may change with the
/// version of this library.
///
/// All methods are called on the thread of the call that needs them, and may block briefly. While a session refreshes,
/// it holds the lock for up to 20 seconds. A lock that does not exclude all users of the store, or a `replace` that
/// does not compare, lets two programs use one refresh token, and a server may then end the session.
///
/// ```
/// use std::{io, sync::Mutex};
/// use cli_auth::{Secret, Store, StoreLock};
///
/// struct Vault(Mutex<Option<Secret>>);
///
/// impl Store for Vault {
///     fn load(&self) -> io::Result<Option<Secret>> {
///         Ok(self.0.lock().unwrap().clone())
///     }
///     fn replace(&self, current: Option<&Secret>, new: &Secret) -> io::Result<bool> {
///         let mut kept = self.0.lock().unwrap();
///         if kept.as_ref() != current {
///             return Ok(false);
///         }
///         *kept = Some(new.clone());
///         Ok(true)
///     }
///     fn remove(&self) -> io::Result<bool> {
///         Ok(self.0.lock().unwrap().take().is_some())
///     }
///     fn try_lock(&self) -> io::Result<Option<StoreLock>> {
///         Ok(Some(StoreLock::new(()))) // only this process uses the vault
///     }
/// }
/// ```
pub trait Store: Send + Sync {
    /// Returns the record, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// A failure never ends the session.
    fn load(&self) -> io::Result<Option<Secret>>;

    /// Replaces the record atomically and durably, if it still is `current` (`None`: there is none). Returns whether it
    /// was.
    ///
    /// # Errors
    ///
    /// The new record is kept in memory, and the next call tries again.
    fn replace(&self, current: Option<&Secret>, new: &Secret) -> io::Result<bool>;

    /// Removes the record. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// The user is then still logged in on this machine, and the logout fails.
    fn remove(&self) -> io::Result<bool>;

    /// Takes the lock if it is free, without waiting. Dropping the guard releases it. `None` if another user of the
    /// store has it.
    ///
    /// # Errors
    ///
    /// No refresh is made without the lock.
    fn try_lock(&self) -> io::Result<Option<StoreLock>>;
}

/// The lock of a [`Store`]. It is released on drop.
///
/// ```
/// let file = std::sync::Arc::new(());
/// let lock = cli_auth::StoreLock::new(file.clone()); // anything whose drop releases the lock
/// # drop(lock);
/// # assert_eq!(std::sync::Arc::strong_count(&file), 1);
/// ```
pub struct StoreLock(#[expect(dead_code, reason = "it is only dropped")] Box<dyn std::any::Any + Send>);

impl StoreLock {
    /// Wraps a guard.
    ///
    /// ```
    /// let lock = cli_auth::StoreLock::new(());
    /// ```
    pub fn new(guard: impl Send + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLock").finish_non_exhaustive()
    }
}

pub(crate) struct ProgramStore(Arc<dyn Store>);

impl ProgramStore {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

impl fmt::Debug for ProgramStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramStore").finish_non_exhaustive()
    }
}

fn load(store: &dyn Store) -> Result<Option<(Bytes, Stamp)>, Error> {
    let record = store.load().map_err(|error| failed("read", error))?;
    Ok(record.map(|record| (Bytes::new(record.expose().as_bytes().to_vec()), Stamp::Unknown)))
}

fn failed(what: &str, error: io::Error) -> Error {
    Error::store(
        ErrorReason::Failed,
        format!("the program's store cannot {what} the session: try again later"),
    )
    .with_cause(error)
}

fn text(bytes: &[u8]) -> Result<Secret, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::internal("a record that is no text"))?;
    Ok(Secret::new(text))
}

impl Backing for ProgramStore {
    fn stamp(&self) -> Stamp {
        Stamp::Unknown
    }

    fn load(&self, _events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        load(self.0.as_ref())
    }

    fn try_lock(&self, _events: &mut Vec<SessionEvent>) -> Result<Locking, Error> {
        match self.0.try_lock().map_err(|error| failed("lock", error))? {
            Some(lock) => {
                Ok(Locking::Taken(Box::new(ProgramLock { store: Arc::clone(&self.0), _lock: lock })))
            }
            None => Ok(Locking::Busy("another user of the program's store".into())),
        }
    }

    fn check_writable(&self, _events: &mut Vec<SessionEvent>) -> Result<(), Error> {
        Ok(())
    }

    fn remove_unlocked(&self) -> Result<bool, Error> {
        self.0.remove().map_err(|error| failed("remove", error))
    }

    fn is_of_program(&self) -> bool {
        true
    }
}

struct ProgramLock {
    store: Arc<dyn Store>,
    _lock: StoreLock,
}

impl Locked for ProgramLock {
    fn note(&self) -> Option<Note> {
        None
    }

    fn leave(&mut self, _note: Note) {}

    fn recover(&mut self, _is_successor: &dyn Fn(&[u8], &[u8]) -> bool) -> Result<Recovery, Error> {
        Ok(Recovery::Nothing)
    }

    fn load(&self, _events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        load(self.store.as_ref())
    }

    fn prepare(&mut self, _size: usize) -> Result<(), Error> {
        Ok(())
    }

    fn replace(&mut self, expected: Option<&[u8]>, new: &[u8]) -> Result<Option<Stamp>, Error> {
        let expected = expected.map(text).transpose()?;
        let replaced = self.store.replace(expected.as_ref(), &text(new)?);
        Ok(replaced.map_err(|error| failed("save", error))?.then_some(Stamp::Unknown))
    }

    fn move_aside(&mut self) -> Result<Option<std::path::PathBuf>, Error> {
        self.remove().map(|_| None)
    }

    fn remove(&mut self) -> Result<bool, Error> {
        self.store.remove().map_err(|error| failed("remove", error))
    }
}
