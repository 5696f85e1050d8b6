//! How a session is made.

use std::{fmt, path::PathBuf, sync::Arc};

use ring::rand::{SecureRandom, SystemRandom};

use super::{
    Session, Store,
    core::{Core, OnEvent},
    event::SessionEvent,
    gate::Gate,
    judgement::Jitter,
    key::{self, KeyStore},
    record::Owner,
    status::{self, Status},
    store::{FileStore, MemoryStore, Names, Nowhere, ProgramStore, Shared as Backing},
};
use crate::{Client, Error, platform::files, shared::Shared};

/// The maximum length of the names of a program and of a profile.
const MAX_NAME: usize = 64;

/// The profile if the program names none.
const DEFAULT_PROFILE: &str = "default";

/// How the tokens of a session are protected on this machine. Chosen at a login, and kept until the next one.
///
/// ```
/// let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
/// let session = client.session().protection(cli_auth::Protection::File).build()?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Protection {
    /// The default: the key store of the operating system, if it responds within a second and is unlocked, and
    /// otherwise the permissions of the file. The latter is reported as
    /// [`SessionEvent::Unprotected`](crate::SessionEvent::Unprotected).
    #[default]
    Auto,
    /// The key store of the operating system: the tokens are in a file, encrypted with a key that the key store keeps.
    /// Without a key store, nothing is saved.
    Keyring,
    /// The permissions of the file: only the user and the administrator can read it.
    File,
    /// Nothing is written. The session ends with the last handle to it.
    Memory,
}

impl Protection {
    /// Returns the name in snake_case. The name is the same in every language.
    ///
    /// ```
    /// assert_eq!(cli_auth::Protection::Keyring.as_str(), "keyring");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::Memory => "memory",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Auto, Self::Keyring, Self::File, Self::Memory].into_iter().find(|one| one.as_str() == name)
    }
}

/// The settings of a [`Session`].
///
/// Created by [`Client::session`]. Settings are checked by [`build`](SessionBuilder::build).
///
/// ```
/// let client = cli_auth::Client::authkit("client_123").product("my-cli/1.0").build()?;
/// let session = client.session().profile("work").build()?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct SessionBuilder {
    shared: Arc<Shared>,
    app: Option<String>,
    profile: String,
    directory: Option<PathBuf>,
    protection: Protection,
    variable: Option<String>,
    store: Option<Arc<dyn Store>>,
    subject: Option<String>,
    on_event: Option<OnEvent>,
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a builder for a session: the tokens of one user, kept on this machine.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli/1.0").build()?;
    /// let session = client.session().build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn session(&self) -> SessionBuilder {
        SessionBuilder {
            shared: Arc::clone(&self.0),
            app: None,
            profile: DEFAULT_PROFILE.into(),
            directory: None,
            protection: Protection::Auto,
            variable: None,
            store: None,
            subject: None,
            on_event: None,
        }
    }
}

impl SessionBuilder {
    /// Sets the name of the program, which names the directory of its sessions. Defaults to the name in
    /// [`ClientBuilder::product`](crate::ClientBuilder::product).
    ///
    /// A name has 1 to 64 characters of `A-Z a-z 0-9 . _ -` and does not start with a dot. The same is true of
    /// profiles.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let session = client.session().app("my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// Sets the profile: one of several sessions of a client, for example for two users. Defaults to `default`.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().profile("work").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = name.into();
        self
    }

    /// Sets the directory of the sessions, an absolute path. Defaults to the program's directory in
    /// `$XDG_STATE_HOME` (`~/.local/state`), on macOS in `~/Library/Application Support`.
    ///
    /// It must be on a local disk of this machine. It is created for this user only.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().directory("/var/lib/my-daemon").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// Sets how the next login is protected. Defaults to [`Protection::Auto`].
    ///
    /// It matters to logins only, except that [`Protection::Memory`] ignores what is stored.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().protection(cli_auth::Protection::Keyring).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn protection(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// Names an environment variable with which users of the program choose the protection themselves: `auto`,
    /// `keyring`, `file` or `memory`, or an absolute path, which sets the directory. Defaults to none.
    ///
    /// A value takes precedence over the program's settings. Any other value is an error of
    /// [`build`](SessionBuilder::build); an empty one counts as unset.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().credentials_variable("MY_CLI_CREDENTIALS").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn credentials_variable(mut self, name: impl Into<String>) -> Self {
        self.variable = Some(name.into());
        self
    }

    /// Keeps the session in a store of the program's own.
    ///
    /// ```
    /// # fn build(vault: impl cli_auth::Store + 'static) -> Result<cli_auth::Session, cli_auth::Error> {
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().store(vault).build()?;
    /// # Ok(session) }
    /// ```
    pub fn store(mut self, store: impl Store + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the [`subject`](crate::Identity::subject) of the user whose logins are saved. A login of another user fails
    /// with [`InvalidResponse`](crate::ErrorKind::InvalidResponse) instead of being saved. Defaults to any user.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client.session().subject("user_01H").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets what receives the events of the session. Defaults to nothing.
    ///
    /// It is called on the thread of the call that caused an event, before that call returns, and may use the session.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let session = client
    ///     .session()
    ///     .on_event(|event| {
    ///         if let Some(warning) = event.warning() {
    ///             eprintln!("Warning: {warning}.");
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn on_event(mut self, on_event: impl Fn(&SessionEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(on_event));
        self
    }

    /// Checks the settings and creates the session. Reads no file and sends nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if a name cannot be used, if the program has none, or if the
    /// [variable](SessionBuilder::credentials_variable) has another value than those that it may have.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let error = client.session().profile("../x").build().unwrap_err();
    /// assert_eq!(error.kind(), cli_auth::ErrorKind::InvalidConfig);
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn build(mut self) -> Result<Session, Error> {
        self.read_variable()?;
        let (app, owner) = self.names()?;
        let directory = self.place(&app)?;
        let file = |kind| {
            let names = Names::new(&app, &owner, kind);
            directory.clone().map(|directory| FileStore::new(directory, names))
        };
        let backing: Backing = match (self.store, self.protection) {
            (Some(store), _) => Arc::new(ProgramStore::new(store)),
            (None, Protection::Memory) => Arc::new(MemoryStore::default()),
            (None, _) => match file("") {
                Some(file) => Arc::new(file),
                // Logins work without one. They are not saved.
                None => Arc::new(Nowhere),
            },
        };
        let pending = if backing.path().is_some() { file(".pending") } else { None };
        let keys: Arc<dyn KeyStore> = key::system();
        let mut random = [0];
        // Without random numbers there is no deviation, and everything else still works.
        let _ = SystemRandom::new().fill(&mut random);
        Ok(Session(Arc::new(Core {
            shared: self.shared,
            app,
            owner,
            protection: self.protection,
            subject: self.subject,
            backing,
            pending,
            keys,
            on_event: self.on_event,
            jitter: Jitter::new(u8::from_ne_bytes(random)),
            gate: Arc::new(Gate::new()),
            memory: std::sync::Mutex::default(),
        })))
    }

    /// Returns the sessions of this client on this machine in all profiles, sorted by profile. What cannot be read is
    /// left out. Reads one small file for each.
    ///
    /// # Errors
    ///
    /// Those of [`build`](SessionBuilder::build).
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// for status in client.session().list()? {
    ///     println!("{}: {:?}", status.profile(), status.state());
    /// }
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn list(mut self) -> Result<Vec<Status>, Error> {
        self.read_variable()?;
        let (app, owner) = self.names()?;
        Ok(self
            .place(&app)?
            .map(|directory| status::list(&directory, &owner, &self.shared))
            .unwrap_or_default())
    }

    fn read_variable(&mut self) -> Result<(), Error> {
        let Some(name) = &self.variable else { return Ok(()) };
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(()) };
        let path = PathBuf::from(&value);
        match value.to_str().and_then(Protection::of_name) {
            Some(protection) => self.protection = protection,
            None if path.is_absolute() => self.directory = Some(path),
            None => {
                let name = crate::sanitize(name);
                return Err(Error::config(format!(
                    "the variable {name} must be auto, keyring, file, memory or an absolute path"
                )));
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<(String, Owner), Error> {
        let app = self.app.clone().or_else(|| self.shared.product.clone()).ok_or_else(|| {
            Error::config(
                "the session needs the name of the program: set the app, or the product of the client",
            )
        })?;
        check_name("app", &app)?;
        check_name("profile", &self.profile)?;
        let owner = Owner {
            server: self.shared.server_name.clone(),
            client_id: self.shared.client.client_id.clone(),
            profile: self.profile.clone(),
        };
        Ok((app, owner))
    }

    /// Returns the directory of the sessions. `None` if there is none and none is needed.
    fn place(&self, app: &str) -> Result<Option<PathBuf>, Error> {
        match &self.directory {
            Some(path) if path.is_absolute() => Ok(Some(path.clone())),
            Some(_) => Err(Error::config("the directory of the session must be an absolute path")),
            None => Ok(files::state_directory().map(|state| state.join(app))),
        }
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || name.starts_with('.') || !name.chars().all(is_legal) {
        return Err(Error::config(format!(
            "the {what} must have 1 to 64 characters of A-Z, a-z, 0-9, dot, underscore and hyphen, and not start with a dot"
        )));
    }
    Ok(())
}
