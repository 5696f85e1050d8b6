//! What can be said about a session without its tokens.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    core::Core,
    form::{self, MAX_BYTES},
    moment::{BootId, Moment},
    record::{Header, Owner},
    store::list as files_in,
};
use crate::{Error, ErrorReason, platform, shared::Shared};

/// The state of a session on this machine. Only the server knows whether its tokens are still valid.
///
/// ```
/// assert_eq!(cli_auth::SessionState::Refreshable.as_str(), "refreshable");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// The access token has not expired.
    Valid,
    /// The access token has expired, and there is a refresh token.
    Refreshable,
    /// The user must log in again. [`Status::reason`] says why.
    Ended,
    /// The user is not logged in.
    None,
}

impl SessionState {
    /// Returns the name in snake_case. The name is the same in every language.
    ///
    /// ```
    /// assert_eq!(cli_auth::SessionState::Valid.as_str(), "valid");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Refreshable => "refreshable",
            Self::Ended => "ended",
            Self::None => "none",
        }
    }
}

/// What a session is like, read from its file without the key store and the network.
///
/// ```no_run
/// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
/// let status = client.session().build()?.status()?;
/// println!("{}: {}", status.profile(), status.state().as_str());
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Status {
    profile: String,
    path: Option<PathBuf>,
    now: Moment,
    header: Option<Arc<Header>>,
}

impl Status {
    pub(super) fn of(core: &Core) -> Result<Self, Error> {
        let mut events = Vec::new();
        let loaded = core.backing.load(&mut events);
        core.tell(events);
        let header = match loaded? {
            Some((bytes, _)) => Some(Arc::new(core.header(&bytes)?.header)),
            None => None,
        };
        // What could not be saved is the truth in this process.
        let unsaved = core.unsaved().map(|record| Arc::new(record.header.clone()));
        Ok(Self {
            profile: core.owner.profile.clone(),
            path: core.path(),
            now: core.now(),
            header: unsaved.filter(|_| header.is_some()).or(header),
        })
    }

    /// Returns the state.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let is_logged_in = matches!(
    ///     status.state(),
    ///     cli_auth::SessionState::Valid | cli_auth::SessionState::Refreshable
    /// );
    /// # }
    /// ```
    pub fn state(&self) -> SessionState {
        let Some(header) = &self.header else { return SessionState::None };
        let is_valid = header.times.left(self.now).is_none_or(|left| !left.is_zero());
        match (header.ended, is_valid, header.has_refresh_token) {
            (Some(_), _, _) | (None, false, false) => SessionState::Ended,
            (None, true, _) => SessionState::Valid,
            (None, false, true) => SessionState::Refreshable,
        }
    }

    /// Returns why the session has ended. `None` if it has not.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let why = status.reason().map(|reason| reason.as_str());
    /// # }
    /// ```
    pub fn reason(&self) -> Option<ErrorReason> {
        let header = self.header.as_ref().filter(|_| self.state() == SessionState::Ended)?;
        Some(header.ended.map_or(ErrorReason::TokenExpired, super::record::Ended::reason))
    }

    /// Returns the profile.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// println!("{}", status.profile());
    /// # }
    /// ```
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns the [`subject`](crate::Identity::subject) of the user, unsanitised. `None` if nobody is logged in, or
    /// the server did not say.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let user = status.subject().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn subject(&self) -> Option<&str> {
        self.header.as_ref()?.subject.as_deref()
    }

    /// Returns the id of the organization that the user logged in to, unsanitised. `None` if the server named none.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let organization = status.organization_id().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn organization_id(&self) -> Option<&str> {
        self.header.as_ref()?.organization.as_deref()
    }

    /// Returns the granted scopes. `None` if they are not known.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let scopes = status.scopes().unwrap_or_default();
    /// # }
    /// ```
    pub fn scopes(&self) -> Option<&[String]> {
        self.header.as_ref()?.scopes.as_deref()
    }

    /// Returns for how long the access token was still valid when the status was read. Zero if it has expired, `None`
    /// if that is unknown.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let seconds = status.expires_in().map(|left| left.as_secs());
    /// # }
    /// ```
    pub fn expires_in(&self) -> Option<Duration> {
        self.header.as_ref()?.times.left(self.now)
    }

    /// Returns when the access token expires, by this machine's clock. `None` if that is unknown.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let end = status.expires_at();
    /// # }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.header.as_ref()?.times.expires_at()
    }

    /// Returns how the tokens are protected: `keyring`, `file`, or `program` for memory and for a store of the
    /// program's own. `None` if nobody is logged in.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// let is_in_clear = status.protection() == Some("file");
    /// # }
    /// ```
    pub fn protection(&self) -> Option<&'static str> {
        Some(self.header.as_ref()?.protection.as_str())
    }

    /// Returns the path of the file, also if nobody is logged in. `None` without a file.
    ///
    /// ```
    /// # fn show(status: &cli_auth::Status) {
    /// if let Some(path) = status.path() {
    ///     println!("{}", path.display());
    /// }
    /// # }
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// Returns the sessions of one client in a directory.
pub(super) fn list(directory: &Path, owner: &Owner, shared: &Shared) -> Vec<Status> {
    let clock = shared.clock();
    let now = Moment::new(clock.time_of_day(), clock.now().elapsed, platform::boot_id().map(BootId));
    let read = |path: PathBuf| {
        let is_small = fs::metadata(&path).is_ok_and(|file| {
            file.is_file() && usize::try_from(file.len()).is_ok_and(|size| size <= MAX_BYTES)
        });
        let header =
            is_small.then(|| fs::read(&path).ok()).flatten().and_then(|file| form::read(&file).ok())?.header;
        let is_ours = header.owner.server == owner.server && header.owner.client_id == owner.client_id;
        is_ours.then(|| Status {
            profile: header.owner.profile.clone(),
            path: Some(path),
            now,
            header: Some(Arc::new(header)),
        })
    };
    let all = files_in(directory).into_iter().filter_map(read);
    let mut sorted = BTreeMap::new();
    for status in all {
        sorted.insert(status.profile.clone(), status);
    }
    sorted.into_values().collect()
}
