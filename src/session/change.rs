//! A login is saved, and a logout removes it.

use std::{sync::Arc, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};

use super::{
    builder::Protection,
    core::Core,
    event::SessionEvent,
    form::{self, Unreadable, hex},
    key::{Key, KeyError},
    moment::Moment,
    pending,
    record::{Header, Protected, Record},
    refresh::{LOCK_WAIT, revoke, take_lock},
    store::{Backing, Bytes, Locked, Stamp},
};
use crate::{
    Error, ErrorKind, ErrorReason, Secret, Tokens,
    flow::{Environment, Lease},
};

/// How long a logout waits for a process that refreshes.
const LOGOUT_WAIT: Duration = Duration::from_secs(5);

/// The result of [`Session::log_out`](crate::Session::log_out).
///
/// ```no_run
/// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
/// let out = client.session().build()?.log_out()?;
/// if out.revoked() == Some(false) {
///     eprintln!("The server was not reached. The tokens there end with their lifetime.");
/// }
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    removed: bool,
    revoked: Option<bool>,
}

impl LoggedOut {
    /// Returns whether there was something to remove.
    ///
    /// ```
    /// # fn show(out: &cli_auth::LoggedOut) {
    /// let was_logged_in = out.removed();
    /// # }
    /// ```
    pub fn removed(&self) -> bool {
        self.removed
    }

    /// Returns whether the server has revoked the tokens. `None` if the server has no revocation (WorkOS AuthKit has
    /// none), or there was nothing to revoke.
    ///
    /// ```
    /// # fn show(out: &cli_auth::LoggedOut) {
    /// let still_valid_at_the_server = out.revoked() == Some(false);
    /// # }
    /// ```
    pub fn revoked(&self) -> Option<bool> {
        self.revoked
    }
}

/// What a store had before a login or a logout.
struct Before {
    header: Option<Header>,
    /// The token to revoke.
    token: Option<Secret>,
}

impl Before {
    /// Reads as much as can be read.
    fn of(core: &Core, bytes: &[u8]) -> Result<Self, Unreadable> {
        let sealed = form::read(bytes)?;
        let header = sealed.header.clone();
        // Without the key there is nothing to revoke, and the login or logout goes on.
        let record = core.header(bytes).ok().and_then(|sealed| core.open(sealed).ok());
        let token = record.map(|record| {
            let tokens = record.tokens;
            tokens.refresh_token.unwrap_or(tokens.access_token)
        });
        Ok(Self { header: Some(header), token })
    }

    fn remove_key(&self, core: &Core) {
        if let Some(header) = &self.header {
            remove_key(core, &header.login_id, header.protection);
        }
    }
}

/// Saves the tokens of a login. Returns how they are protected.
pub(super) async fn save(
    core: Arc<Core>,
    environment: Arc<Environment>,
    tokens: Tokens,
) -> (Result<Protected, Error>, Vec<SessionEvent>) {
    let _lease = Lease::new(&environment);
    let mut events = Vec::new();
    let result = try_save(&core, &environment, &tokens, &mut events).await;
    (result, events)
}

async fn try_save(
    core: &Arc<Core>,
    environment: &Environment,
    tokens: &Tokens,
    events: &mut Vec<SessionEvent>,
) -> Result<Protected, Error> {
    let response = tokens.response();
    let subject = response.identity.as_ref().map(|user| user.subject());
    if let Some(expected) = &core.subject
        && subject != Some(expected)
    {
        let message = "the login is not that of the user that this session is for: log in as that user";
        return Err(Error::new(ErrorKind::InvalidResponse, message));
    }
    let mut lock = take_lock(core, LOCK_WAIT, events).await?;
    // The server knows the token that a killed process has received, and that one is revoked.
    lock.recover(&form::is_successor)?;
    let (before, loaded) = read_before(core, lock.as_mut(), events)?;
    let login_id = new_id()?;
    let protection = protect(core, &login_id, events)?;
    let record =
        Record::of_login(core.owner.clone(), login_id, protection, response, Moment::of(response.sent));
    let record = replace(core, lock.as_mut(), loaded, record)?;
    drop(lock);
    core.be_quiet(core.now(), None);
    let previous = before.header.as_ref().and_then(|header| header.subject.clone());
    if let (Some(previous_subject), Some(subject)) = (previous, subject)
        && previous_subject != subject
    {
        events.push(SessionEvent::UserChanged { previous_subject });
    }
    before.remove_key(core);
    let is_another = |token: &Secret| {
        record.tokens.refresh_token.as_ref() != Some(token) && record.tokens.access_token != *token
    };
    if let Some(token) = before.token.filter(is_another) {
        revoke(core, environment, &token).await;
    }
    Ok(protection)
}

/// Reads what a login replaces. What cannot be used is moved aside, and a newer format is left.
fn read_before(
    core: &Core,
    lock: &mut dyn Locked,
    events: &mut Vec<SessionEvent>,
) -> Result<(Before, Option<Bytes>), Error> {
    let nothing = Before { header: None, token: None };
    let loaded = match lock.load(events) {
        Ok(loaded) => loaded.map(|(bytes, _)| bytes),
        Err(error) if error.reason() == Some(ErrorReason::RecordDamaged) => {
            move_aside(core, lock, events)?;
            None
        }
        Err(error) => return Err(error),
    };
    let Some(bytes) = loaded else { return Ok((nothing, None)) };
    match Before::of(core, &bytes) {
        Ok(before) if before.header.as_ref().is_some_and(|header| header.owner == core.owner) => {
            Ok((before, Some(bytes)))
        }
        Err(Unreadable::Newer) => Err(core.unreadable(Unreadable::Newer)),
        Ok(_) | Err(Unreadable::Damaged) => {
            move_aside(core, lock, events)?;
            Ok((nothing, None))
        }
    }
}

fn move_aside(core: &Core, lock: &mut dyn Locked, events: &mut Vec<SessionEvent>) -> Result<(), Error> {
    let place = core.place();
    if let Some(aside) = lock.move_aside()? {
        let aside = crate::sanitize(&aside.display().to_string());
        let message = format!("the session in {place} could not be used, and was moved to {aside}");
        events.push(SessionEvent::MovedAside { message });
    }
    Ok(())
}

/// Saves a record with a new key, which is removed again if that fails.
fn replace(
    core: &Core,
    lock: &mut dyn Locked,
    loaded: Option<Bytes>,
    record: Record,
) -> Result<Arc<Record>, Error> {
    let replaced = try_replace(core, lock, loaded, &record);
    match replaced {
        Ok(stamp) => {
            let record = Arc::new(record);
            core.remember(stamp, &record)?;
            Ok(record)
        }
        Err(error) => {
            remove_key(core, &record.header.login_id, record.header.protection);
            Err(error)
        }
    }
}

fn try_replace(
    core: &Core,
    lock: &mut dyn Locked,
    loaded: Option<Bytes>,
    record: &Record,
) -> Result<Stamp, Error> {
    let bytes = core.bytes(record)?;
    lock.prepare(bytes.len())?;
    let replaced = lock.replace(loaded.as_ref().map(|bytes| bytes.as_slice()), &bytes)?;
    replaced.ok_or_else(|| {
        Error::new(ErrorKind::Busy, format!("another login was just saved in {}: log in again", core.place()))
    })
}

/// Removes the key of a record that is gone. A key that stays behind opens nothing.
pub(super) fn remove_key(core: &Core, login_id: &str, protection: Protected) {
    if protection == Protected::Keyring {
        let _ = core.keys.remove(&core.item(login_id));
    }
}

/// Chooses the protection of a login. The key is written for it, so that nothing is guessed.
pub(super) fn protect(
    core: &Core,
    login_id: &str,
    events: &mut Vec<SessionEvent>,
) -> Result<Protected, Error> {
    if core.path().is_none() {
        return Ok(Protected::Program);
    }
    if core.protection == Protection::File {
        return Ok(Protected::File);
    }
    let key = Key::random().ok_or_else(|| Error::internal("the system has no random numbers for a key"))?;
    match core.keys.write(&core.item(login_id), &key) {
        Ok(()) => {
            core.remember_key(login_id, &key)?;
            Ok(Protected::Keyring)
        }
        Err(error) if core.protection == Protection::Keyring => Err(unprotected(&error)),
        Err(error) => {
            let message = format!(
                "the tokens are in {}, protected by its permissions only: {}",
                core.place(),
                unprotected(&error)
            );
            events.push(SessionEvent::Unprotected { message });
            Ok(Protected::File)
        }
    }
}

fn unprotected(error: &KeyError) -> Error {
    let (reason, message) = match error {
        KeyError::Unavailable(why) => (ErrorReason::KeyStoreUnavailable, why.clone()),
        KeyError::Locked(why) => (ErrorReason::KeyStoreLocked, why.clone()),
        KeyError::TimedOut(why) | KeyError::Failed(why) => (ErrorReason::KeyStoreFailed, why.clone()),
        KeyError::Missing => (ErrorReason::KeyStoreFailed, "the key store refused the key".into()),
    };
    Error::store(reason, crate::sanitize(&message))
}

pub(super) fn new_id() -> Result<String, Error> {
    let mut id = [0; 16];
    let filled = SystemRandom::new().fill(&mut id);
    filled.map_err(|_| Error::internal("the system has no random numbers for a session"))?;
    Ok(hex(&id))
}

/// Revokes the tokens of a login that is not wanted.
pub(super) async fn revoke_login(
    core: Arc<Core>,
    environment: Arc<Environment>,
    tokens: Tokens,
) -> (Result<(), Error>, Vec<SessionEvent>) {
    let response = tokens.response();
    let token = response.refresh_token.as_ref().unwrap_or(&response.access_token);
    revoke(&core, &environment, token).await;
    (Ok(()), Vec::new())
}

/// Saves a session that was exported.
pub(super) async fn import(
    core: Arc<Core>,
    environment: Arc<Environment>,
    record: Record,
) -> (Result<(), Error>, Vec<SessionEvent>) {
    let _lease = Lease::new(&environment);
    let mut events = Vec::new();
    let result = try_import(&core, record, &mut events).await;
    (result, events)
}

async fn try_import(core: &Core, mut record: Record, events: &mut Vec<SessionEvent>) -> Result<(), Error> {
    let mut lock = take_lock(core, LOCK_WAIT, events).await?;
    lock.recover(&form::is_successor)?;
    let (before, loaded) = read_before(core, lock.as_mut(), events)?;
    record.header.login_id = new_id()?;
    record.header.protection = protect(core, &record.header.login_id, events)?;
    replace(core, lock.as_mut(), loaded, record)?;
    drop(lock);
    before.remove_key(core);
    Ok(())
}

/// Removes the session from this machine, then from the server.
pub(super) async fn log_out(
    core: Arc<Core>,
    environment: Arc<Environment>,
) -> (Result<LoggedOut, Error>, Vec<SessionEvent>) {
    let _lease = Lease::new(&environment);
    let mut events = Vec::new();
    let result = try_log_out(&core, &environment, &mut events).await;
    if result.as_ref().is_ok_and(|out| out.removed) {
        events.push(SessionEvent::LoggedOut);
    }
    (result, events)
}

async fn try_log_out(
    core: &Core,
    environment: &Environment,
    events: &mut Vec<SessionEvent>,
) -> Result<LoggedOut, Error> {
    if core.backing.is_empty() && core.pending.as_ref().is_none_or(Backing::is_empty) {
        core.forget();
        return Ok(LoggedOut { removed: false, revoked: None });
    }
    // Neither a process that hangs nor a lock that does not work keeps the user logged in.
    let mut lock = take_lock(core, LOGOUT_WAIT, events).await.ok();
    if let Some(lock) = &mut lock {
        // If that fails, the removal says so.
        let _ = lock.recover(&form::is_successor);
    }
    let loaded = core.backing.load(events).ok().flatten();
    let mut before = loaded.and_then(|(bytes, _)| Before::of(core, &bytes).ok());
    if let (Some(before), Some(unsaved)) = (&mut before, core.unsaved()) {
        // The server knows the token that was received last.
        before.token = unsaved.tokens.refresh_token.clone().or(before.token.take());
    }
    let removed = match lock {
        Some(mut lock) => lock.remove()?,
        None => core.backing.remove_unlocked()?,
    };
    core.forget();
    if let Some(before) = &before {
        before.remove_key(core);
    }
    // The tokens are revoked even if a login that was put down cannot be removed.
    let pending = pending::remove(core, events).await;
    let revoked = match before {
        Some(Before { token: Some(token), .. }) => revoke(core, environment, &token).await,
        // There were tokens, but they could not be read.
        Some(Before { header: Some(_), token: None }) if may_revoke(environment) => Some(false),
        _ => None,
    };
    Ok(LoggedOut { removed: pending? || removed, revoked })
}

/// Whether the server may have a revocation endpoint. False only if it is known to have none.
fn may_revoke(environment: &Environment) -> bool {
    let known = environment.server.known(environment.clock.as_ref());
    !known.is_ok_and(|server| server.is_some_and(|server| server.revocation_endpoint.is_none()))
}
