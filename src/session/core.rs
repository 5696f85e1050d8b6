//! What the handles of one session share: where it is kept, what this process remembers of it, and its clock.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    builder::Protection,
    event::SessionEvent,
    form::{self, Sealed, Unreadable},
    gate::Gate,
    judgement::{Ask, Jitter, Judgement, judge},
    key::{Item, Key, KeyError, KeyStore},
    moment::{BootId, Moment},
    policy::{self, Given, not_logged_in},
    record::{Owner, Protected, Record},
    store::{Bytes, FileStore, Shared as Backing, Stamp},
};
use crate::{Error, ErrorReason, platform, process::lock, protocol::settings::Dialect, shared::Shared};

/// AuthKit answers a refresh token that comes again with the same successor for this long.
const AUTHKIT_REPLAY: Duration = Duration::from_secs(30);

/// The time for one attempt at AuthKit: three fit into its replay window.
const AUTHKIT_ATTEMPT: Duration = Duration::from_secs(6);

/// The time for establishing a connection to AuthKit: less than an attempt, so that it is known that nothing was sent.
const AUTHKIT_CONNECT: Duration = Duration::from_secs(5);

/// The time for one attempt at any other server.
const ATTEMPT: Duration = Duration::from_secs(15);

pub(super) type OnEvent = Arc<dyn Fn(&SessionEvent) + Send + Sync>;

pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) app: String,
    pub(super) owner: Owner,
    pub(super) protection: Protection,
    /// The subject of the user whose logins are saved. `None` for any.
    pub(super) subject: Option<String>,
    pub(super) backing: Backing,
    /// Where a login that was put down is kept. `None` without files.
    pub(super) pending: Option<FileStore>,
    pub(super) keys: Arc<dyn KeyStore>,
    pub(super) on_event: Option<OnEvent>,
    pub(super) jitter: Jitter,
    pub(super) gate: Arc<Gate>,
    pub(super) memory: Mutex<Memory>,
}

/// What this process remembers.
#[derive(Default)]
pub(super) struct Memory {
    /// The record as it was loaded or saved, and the state of the store.
    loaded: Option<(Stamp, Arc<Record>)>,
    /// A record that could not be saved.
    unsaved: Option<Arc<Record>>,
    /// The time until which this process does not refresh, by the clock that counts suspend, and why.
    quiet: Option<(Duration, Error)>,
    /// The key of the login with this id.
    key: Option<(String, Key)>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("app", &self.app).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn now(&self) -> Moment {
        let clock = self.shared.clock();
        Moment::new(clock.time_of_day(), clock.now().elapsed, platform::boot_id().map(BootId))
    }

    /// Returns how the server treats refresh tokens.
    pub(super) fn server(&self) -> policy::Server {
        let limits = self.shared.timeouts();
        let (replay_window, attempt, connect) = match self.shared.client.dialect {
            Dialect::AuthKit => (Some(AUTHKIT_REPLAY), AUTHKIT_ATTEMPT, AUTHKIT_CONNECT),
            Dialect::Standard => (None, ATTEMPT, limits.connect),
        };
        policy::Server {
            replay_window,
            attempt: attempt.min(limits.total).min(limits.read),
            connect: connect.min(limits.connect),
        }
    }

    pub(super) fn path(&self) -> Option<PathBuf> {
        self.backing.path()
    }

    pub(super) fn memory(&self) -> Result<std::sync::MutexGuard<'_, Memory>, Error> {
        lock(&self.memory)
    }

    /// Returns what can be returned without the network. `None` if the access token is due. With `read`, the record is
    /// read if it is not in memory.
    pub(super) fn without_network(
        &self,
        ask: &Ask,
        read: bool,
        events: &mut Vec<SessionEvent>,
    ) -> Option<Result<Given, Error>> {
        // What could not be saved is tried again first.
        if self.unsaved().is_some() {
            return None;
        }
        let record = match self.remembered() {
            Ok(Some(record)) => record,
            Ok(None) if read => match self.load(events) {
                Ok(Some(record)) => record,
                Ok(None) => return Some(Err(not_logged_in())),
                Err(error) => return Some(Err(error)),
            },
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        match judge(&record, ask, self.now()) {
            Judgement::Fresh => {}
            Judgement::Early if self.gate.is_taken() => {}
            Judgement::Over(error) => return Some(Err(error)),
            Judgement::Early | Judgement::Urgent => return None,
        }
        let access = record.access(&ask.variant)?;
        Some(Ok(Given { access, refreshed: false }))
    }

    /// Returns the record in memory, if the store has not changed.
    fn remembered(&self) -> Result<Option<Arc<Record>>, Error> {
        // The store is not asked while others wait for the memory.
        let Some((stamp, record)) = self.memory()?.loaded.clone() else { return Ok(None) };
        Ok(stamp.is_still(self.backing.stamp()).then_some(record))
    }

    /// Reads the record without the lock. If the store fails, what it could not save before counts.
    pub(super) fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<Arc<Record>>, Error> {
        let loaded = self.backing.load(events).and_then(|loaded| self.understand(loaded.as_ref()));
        loaded.or_else(|error| self.unsaved().map(Some).ok_or(error))
    }

    /// Turns what a store has into a record, which is remembered. What could not be saved before counts, if it replaces
    /// what the store has.
    pub(super) fn understand(&self, loaded: Option<&(Bytes, Stamp)>) -> Result<Option<Arc<Record>>, Error> {
        let Some((bytes, stamp)) = loaded else {
            let mut memory = self.memory()?;
            memory.loaded = None;
            memory.unsaved = None;
            return Ok(None);
        };
        let sealed = self.header(bytes)?;
        let record = self.open(sealed)?;
        let mut memory = self.memory()?;
        let record = match memory.unsaved.take().filter(|unsaved| unsaved.header.supersedes(&record.header)) {
            Some(unsaved) => {
                memory.unsaved = Some(Arc::clone(&unsaved));
                unsaved
            }
            None => Arc::new(record),
        };
        memory.loaded = Some((*stamp, Arc::clone(&record)));
        Ok(Some(record))
    }

    /// Reads the header and checks that the record belongs to this client.
    pub(super) fn header(&self, bytes: &[u8]) -> Result<Sealed, Error> {
        let sealed = form::read(bytes).map_err(|why| self.unreadable(why))?;
        if sealed.header.owner != self.owner {
            let place = self.place();
            return Err(Error::store(
                ErrorReason::RecordForeign,
                format!("the session in {place} belongs to another server, client or profile: log in again"),
            ));
        }
        Ok(sealed)
    }

    pub(super) fn open(&self, sealed: Sealed) -> Result<Record, Error> {
        let key = self.key_of(&sealed.header.login_id, sealed.header.protection)?;
        sealed.open(key.as_ref()).map_err(|why| self.unreadable(why))
    }

    /// Returns the key for a record, from memory or from the key store. `None` if it needs none.
    pub(super) fn key_of(&self, login_id: &str, protection: Protected) -> Result<Option<Key>, Error> {
        if protection != Protected::Keyring {
            return Ok(None);
        }
        let remembered = |memory: &Memory| {
            let key = memory.key.as_ref().filter(|(id, _)| id == login_id);
            key.map(|(_, key)| key.clone())
        };
        if let Some(key) = remembered(&*self.memory()?) {
            return Ok(Some(key));
        }
        let key = self.keys.read(&self.item(login_id)).map_err(|error| self.no_key(&error))?;
        self.remember_key(login_id, &key)?;
        Ok(Some(key))
    }

    pub(super) fn remember_key(&self, login_id: &str, key: &Key) -> Result<(), Error> {
        self.memory()?.key = Some((login_id.to_owned(), key.clone()));
        Ok(())
    }

    pub(super) fn item(&self, login_id: &str) -> Item {
        Item {
            app: self.app.clone(),
            profile: self.owner.profile.clone(),
            server: self.owner.server.clone(),
            login_id: login_id.to_owned(),
        }
    }

    /// Returns the bytes of a record that is to be saved.
    pub(super) fn bytes(&self, record: &Record) -> Result<Bytes, Error> {
        let key = self.key_of(&record.header.login_id, record.header.protection)?;
        form::write(record, key.as_ref()).ok_or_else(|| {
            Error::store(ErrorReason::Failed, "the tokens of the server are too large to be stored")
        })
    }

    pub(super) fn remember(&self, stamp: Stamp, record: &Arc<Record>) -> Result<(), Error> {
        let mut memory = self.memory()?;
        memory.unsaved = None;
        memory.loaded = Some((stamp, Arc::clone(record)));
        Ok(())
    }

    /// Keeps a record that was received and is not saved yet.
    pub(super) fn keep(&self, record: &Arc<Record>) {
        if let Ok(mut memory) = self.memory() {
            memory.unsaved = Some(Arc::clone(record));
        }
    }

    pub(super) fn drop_unsaved(&self) {
        if let Ok(mut memory) = self.memory() {
            memory.unsaved = None;
        }
    }

    pub(super) fn forget(&self) {
        if let Ok(mut memory) = self.memory() {
            *memory = Memory::default();
        }
    }

    pub(super) fn unsaved(&self) -> Option<Arc<Record>> {
        self.memory().ok()?.unsaved.clone()
    }

    /// Returns why this process does not refresh now.
    pub(super) fn quiet(&self, now: Moment) -> Option<Error> {
        let memory = self.memory().ok()?;
        memory.quiet.as_ref().filter(|(until, _)| now.elapsed < *until).map(|(_, error)| error.clone())
    }

    pub(super) fn be_quiet(&self, now: Moment, quiet: Option<(Duration, Error)>) {
        if let Ok(mut memory) = self.memory() {
            memory.quiet = quiet.map(|(time, error)| (now.elapsed.saturating_add(time), error));
        }
    }

    /// Passes events to the program, on this thread.
    pub(super) fn tell(&self, events: Vec<SessionEvent>) {
        if let Some(on_event) = &self.on_event {
            events.iter().for_each(|event| on_event(event));
        }
    }

    /// Returns where the session is kept, for messages.
    pub(super) fn place(&self) -> String {
        match self.path() {
            Some(path) => crate::sanitize(&path.display().to_string()),
            None => "the program's store".into(),
        }
    }

    pub(super) fn unreadable(&self, why: Unreadable) -> Error {
        let place = self.place();
        match why {
            Unreadable::Damaged => Error::store(
                ErrorReason::RecordDamaged,
                format!("the session in {place} is damaged: log in again"),
            ),
            Unreadable::Newer => Error::store(
                ErrorReason::RecordNewer,
                format!(
                    "the session in {place} was written by a newer version: update this program, or log out"
                ),
            ),
        }
    }

    fn no_key(&self, error: &KeyError) -> Error {
        let place = self.place();
        let (reason, message) = match error {
            KeyError::Locked(why) => (
                ErrorReason::KeyStoreLocked,
                format!("{why}: unlock it, or log in again with another protection"),
            ),
            KeyError::Unavailable(why) => (
                ErrorReason::KeyStoreUnavailable,
                format!(
                    "{why}, and it has the key of the session in {place}: use the desktop session of the login, or log in again"
                ),
            ),
            KeyError::Missing => (
                ErrorReason::KeyMissing,
                format!("the key store no longer has the key of the session in {place}: log in again"),
            ),
            KeyError::TimedOut(why) | KeyError::Failed(why) => {
                (ErrorReason::KeyStoreFailed, format!("{why}: try again later, or log in again"))
            }
        };
        Error::store(reason, crate::sanitize(&message))
    }
}
