//! A login that was put down, to be taken up by another process.
//!
//! It is stored like a session, in a file of its own with a lock of its own. The process that waits for the user's
//! decision holds that lock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Serialize;

use super::{
    change::{new_id, protect, remove_key},
    core::Core,
    event::SessionEvent,
    form::{self, FORMAT, Unreadable},
    moment::{Moment, StoredMoment, millis},
    record::{Owner, Protected},
    store::{Backing, Bytes, FileStore, Locked, Locking},
};
use crate::{
    Error, ErrorKind, ErrorReason, Login, Secret,
    process::lock,
    protocol::{device::PutDown, flow::Now, grant::Grant, json::Object},
};

/// How long a logout waits for a process that has taken the login up.
const LOGOUT_WAIT: Duration = Duration::from_secs(5);

/// The pause between two tries of a logout.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// The first line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Header {
    format: u64,
    login_id: String,
    owner: Owner,
    protection: Protected,
    /// When this was written. All times in the second line are relative to it.
    stored: StoredMoment,
    /// When the code expires.
    expires_in_ms: u64,
}

/// The second line.
#[derive(Serialize)]
struct Contents {
    device_code: String,
    code_verifier: Option<String>,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    lifetime_ms: u64,
    interval_ms: u64,
    slow_downs: u32,
    due_in_ms: u64,
}

impl Header {
    fn read(line: &[u8]) -> Option<Self> {
        let object = Object::parse(line)?;
        Some(Self {
            format: object.integer("format")?,
            login_id: object.text("login_id")?,
            owner: Owner::read(&object.object("owner")?)?,
            protection: Protected::of_name(&object.text("protection")?)?,
            stored: StoredMoment::read(&object.object("stored")?)?,
            expires_in_ms: object.integer("expires_in_ms")?,
        })
    }
}

impl Contents {
    fn read(text: &[u8]) -> Option<Self> {
        let object = Object::parse(text)?;
        Some(Self {
            device_code: object.text("device_code")?,
            code_verifier: object.string("code_verifier").ok()?,
            user_code: object.text("user_code")?,
            verification_uri: object.text("verification_uri")?,
            verification_uri_complete: object.string("verification_uri_complete").ok()?,
            lifetime_ms: object.integer("lifetime_ms")?,
            interval_ms: object.integer("interval_ms")?,
            slow_downs: object.integer("slow_downs")?.try_into().ok()?,
            due_in_ms: object.integer("due_in_ms")?,
        })
    }
}

/// The place of a login that is put down, or was taken up. Dropping it releases the lock.
pub(super) struct Place {
    core: Arc<Core>,
    files: FileStore,
    lock: Box<dyn Locked>,
}

impl Place {
    /// Takes the lock. Fails with `Busy` while another process has taken the login up.
    pub(super) fn new(core: &Arc<Core>, events: &mut Vec<SessionEvent>) -> Result<Self, Error> {
        let Some(files) = core.pending.clone() else {
            return Err(Error::misuse("a login is put down in a file: this session has none"));
        };
        match files.try_lock(events)? {
            Locking::Taken(mut lock) => {
                lock.recover(&|_, _| false)?;
                Ok(Self { core: Arc::clone(core), files, lock })
            }
            Locking::Busy(holder) => {
                Err(Error::new(ErrorKind::Busy, format!("{holder} is waiting for this login already")))
            }
        }
    }

    /// Stores a login that has begun, instead of one that was stored before.
    pub(super) fn store(
        mut self,
        login: Option<PutDown>,
        events: &mut Vec<SessionEvent>,
    ) -> Result<(), Error> {
        let login = login.ok_or_else(|| Error::misuse("this login has not begun, or has ended"))?;
        let before = self.load(events).ok().flatten();
        let login_id = new_id()?;
        let protection = protect(&self.core, &login_id, events)?;
        let written = self.write(login_id.clone(), protection, &login);
        // The key of the login that is no longer stored.
        match (&written, before) {
            (Ok(()), Some((header, _))) => remove_key(&self.core, &header.login_id, header.protection),
            (Ok(()), None) => {}
            (Err(_), _) => remove_key(&self.core, &login_id, protection),
        }
        written
    }

    fn write(&mut self, login_id: String, protection: Protected, login: &PutDown) -> Result<(), Error> {
        let now = self.core.shared.clock().now();
        let header = Header {
            format: FORMAT,
            login_id,
            owner: self.core.owner.clone(),
            protection,
            stored: self.core.now().into(),
            expires_in_ms: millis(login.expires_at.saturating_sub(now.elapsed)),
        };
        let contents = Contents {
            device_code: login.grant.device_code.expose().to_owned(),
            code_verifier: login.verifier.as_ref().map(|verifier| verifier.expose().to_owned()),
            user_code: login.grant.user_code.clone(),
            verification_uri: login.grant.verification_uri.clone(),
            verification_uri_complete: login.grant.verification_uri_complete.clone(),
            lifetime_ms: millis(login.grant.expires_in),
            interval_ms: millis(login.interval),
            slow_downs: login.slow_downs,
            due_in_ms: millis(login.due_at.saturating_sub(now.elapsed)),
        };
        let bytes = self.bytes(&header, &contents)?;
        self.lock.prepare(bytes.len())?;
        self.lock.replace(None, &bytes).map(drop)
    }

    fn bytes(&self, header: &Header, contents: &Contents) -> Result<Bytes, Error> {
        let unwritable = || Error::internal("a login could not be written");
        let first = serde_json::to_vec(header).map_err(|_| unwritable())?;
        let text = form::json(contents).ok_or_else(unwritable)?;
        let second = match self.core.key_of(&header.login_id, header.protection)? {
            Some(key) => form::seal(&first, text, &key).ok_or_else(unwritable)?,
            None => text,
        };
        Ok(form::with_trailer(&first, &second))
    }

    /// Reads the stored login.
    fn load(&self, events: &mut Vec<SessionEvent>) -> Result<Option<(Header, Contents)>, Error> {
        let Some((bytes, _)) = self.lock.load(events)? else { return Ok(None) };
        let unreadable = |why| self.unreadable(why);
        let (first, second) = form::lines(&bytes).map_err(unreadable)?;
        let header = Header::read(first).ok_or_else(|| unreadable(Unreadable::Damaged))?;
        if header.owner != self.core.owner {
            return Err(Error::store(
                ErrorReason::RecordForeign,
                format!("the login in {} belongs to another client: begin again", self.shown()),
            ));
        }
        let contents = match self.core.key_of(&header.login_id, header.protection)? {
            Some(key) => form::unseal(first, second, &key).and_then(|text| Contents::read(&text)),
            None => Contents::read(second),
        };
        let contents = contents.ok_or_else(|| unreadable(Unreadable::Damaged))?;
        Ok(Some((header, contents)))
    }

    fn unreadable(&self, why: Unreadable) -> Error {
        let path = self.shown();
        match why {
            Unreadable::Damaged => Error::store(
                ErrorReason::RecordDamaged,
                format!("the login in {path} is damaged: begin again"),
            ),
            Unreadable::Newer => Error::store(
                ErrorReason::RecordNewer,
                format!(
                    "the login in {path} was written by a newer version: update this program, or log out"
                ),
            ),
        }
    }

    fn shown(&self) -> String {
        self.files.path().map(|path| crate::sanitize(&path.display().to_string())).unwrap_or_default()
    }
}

/// Takes up the stored login.
pub(super) fn resume(core: &Arc<Core>, events: &mut Vec<SessionEvent>) -> Result<Login, Error> {
    let place = Place::new(core, events)?;
    let Some((header, contents)) = place.load(events)? else {
        return Err(Error::misuse("no login was begun: begin one first"));
    };
    let now = core.shared.clock().now();
    // If the clock says that the login was stored in the future, it was set. The server knows when the code expires.
    let age = core.now().since(Moment::from(header.stored)).unwrap_or_default();
    let later = |ms: u64| now.elapsed.saturating_add(Duration::from_millis(ms).saturating_sub(age));
    let login = PutDown {
        grant: Grant {
            device_code: Secret::new(contents.device_code),
            user_code: contents.user_code,
            verification_uri: contents.verification_uri,
            verification_uri_complete: contents.verification_uri_complete,
            expires_in: Duration::from_millis(contents.lifetime_ms),
            interval: Duration::from_millis(contents.interval_ms),
        },
        verifier: contents.code_verifier.map(Secret::new),
        interval: Duration::from_millis(contents.interval_ms),
        slow_downs: contents.slow_downs,
        expires_at: later(header.expires_in_ms),
        due_at: later(contents.due_in_ms),
    };
    let keeper = Keeper(Mutex::new(Some(Kept {
        interval: login.interval,
        expires_at: login.expires_at,
        header,
        place,
    })));
    Ok(Login::resumed(Arc::clone(&core.shared), login, keeper))
}

/// Removes a login that was put down. Returns whether there was one.
pub(super) async fn remove(core: &Core, events: &mut Vec<SessionEvent>) -> Result<bool, Error> {
    let Some(files) = &core.pending else { return Ok(false) };
    if files.is_empty() {
        return Ok(false);
    }
    let mut waited = Duration::ZERO;
    let lock = loop {
        match files.try_lock(events) {
            Ok(Locking::Taken(lock)) => break Some(lock),
            // The process that waits for the login finds it gone, and revokes what it receives.
            Ok(Locking::Busy(_)) if waited >= LOGOUT_WAIT => break None,
            Err(_) => break None,
            Ok(Locking::Busy(_)) => {
                tokio::time::sleep(TRY_AGAIN).await;
                waited = waited.saturating_add(TRY_AGAIN);
            }
        }
    };
    match lock {
        Some(mut lock) => {
            let loaded = lock.load(events).ok().flatten();
            let header = loaded.and_then(|(bytes, _)| {
                let (first, _) = form::lines(&bytes).ok()?;
                Header::read(first)
            });
            let removed = lock.remove()?;
            if let Some(header) = header {
                remove_key(core, &header.login_id, header.protection);
            }
            Ok(removed)
        }
        None => files.remove_unlocked(),
    }
}

/// Keeps the stored form of a login that was taken up as it is now.
pub(crate) struct Keeper(Mutex<Option<Kept>>);

struct Kept {
    interval: Duration,
    expires_at: Duration,
    header: Header,
    place: Place,
}

impl Keeper {
    /// Stores a longer interval at once, so that whoever takes the login up next keeps it.
    pub(crate) fn update(&self, login: &PutDown) {
        let Ok(mut kept) = lock(&self.0) else { return };
        let Some(kept) = kept.as_mut().filter(|kept| kept.interval < login.interval) else { return };
        let mut events = Vec::new();
        // A logout may have removed it.
        if matches!(kept.place.lock.load(&mut events), Ok(Some(_))) {
            let header = kept.header.clone();
            if kept.place.write(header.login_id, header.protection, login).is_ok() {
                kept.interval = login.interval;
            }
        }
    }

    /// Removes the stored login after its outcome, unless it can be taken up again. Fails if a logout has removed it:
    /// what the login brought is not wanted.
    pub(crate) fn end(&self, error: Option<&Error>, now: Now) -> Result<(), Error> {
        let Some(mut kept) = lock(&self.0)?.take() else { return Ok(()) };
        let stays = error.is_some_and(|error| match error.kind() {
            ErrorKind::Denied
            | ErrorKind::Rejected
            | ErrorKind::ActionRequired
            | ErrorKind::Unsupported
            | ErrorKind::InvalidResponse => false,
            // A time limit of the program does not end the code. The server may say that it has expired.
            ErrorKind::Expired => error.oauth_error().is_none() && now.elapsed < kept.expires_at,
            _ => true,
        });
        if stays {
            return Ok(());
        }
        let removed = kept.place.lock.remove();
        remove_key(&kept.place.core, &kept.header.login_id, kept.header.protection);
        if matches!(removed, Ok(false)) {
            let message = "you have logged out meanwhile: log in again";
            return Err(Error::login_required(ErrorReason::LoggedOut, message));
        }
        Ok(())
    }
}
