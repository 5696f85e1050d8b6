//! The handle of a session: the public API.

use std::{fmt, future::Future, sync::Arc};

use super::{
    AccessToken, CancelToken, LoggedOut, SessionEvent, Status, TokenOptions, call::Call, change, core::Core,
    form, pending, record::Protected, refresh::ending,
};
use crate::{
    Error, ErrorKind, Login, Prompt, Secret, Tokens,
    engine::Cancel,
    flow::{Environment, Lease, no_resource},
    process::forked,
};

/// The tokens of one user at one server, kept on this machine: a profile.
///
/// [`token`](Session::token) returns an access token that is valid for long enough. It refreshes when it has to, and
/// never twice at the same time, whatever number of threads and processes use the session.
///
/// Clones are handles to the same session. Any number of threads may use them. Creating a session performs no I/O.
///
/// ```no_run
/// let client = cli_auth::Client::authkit("client_123").product("my-cli/1.0").build()?;
/// let session = client.session().build()?;
/// session.log_in()?; // prompts on standard error
/// let token = session.token()?; // from now on, in any process
/// println!("Authorization: Bearer {}", token.expose());
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Session(pub(super) Arc<Core>);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("profile", &self.0.owner.profile).finish_non_exhaustive()
    }
}

impl Session {
    /// Returns an access token that is valid for at least 15 seconds.
    ///
    /// If the current one is, this reads no more than the state of one file. In the last fifth of its lifetime, one
    /// caller refreshes it early, and everybody else goes on with the current one. If it has expired, this call
    /// refreshes it, or waits up to 25 seconds for another thread or process that does.
    ///
    /// # Errors
    ///
    /// - [`LoginRequired`](crate::ErrorKind::LoginRequired) if there is no session, or the server has ended it. Start a
    ///   new login. [`Error::reason`] says which.
    /// - [`Network`](crate::ErrorKind::Network) if the server cannot be reached or cannot refresh the token now, and
    ///   [`Busy`](crate::ErrorKind::Busy) if another process takes too long. Try again later: the session is intact.
    /// - [`ActionRequired`](crate::ErrorKind::ActionRequired) if the user must do something in a browser. Start a new
    ///   login.
    /// - [`Store`](crate::ErrorKind::Store) if the session cannot be read, or a new one could not be saved. The message
    ///   says what to do.
    /// - [`Rejected`](crate::ErrorKind::Rejected) if the server refuses the client or the request.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let token = session.token()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn token(&self) -> Result<AccessToken, Error> {
        self.token_with(&TokenOptions::new())
    }

    /// Async variant of [`token`](Session::token) for any executor. Dropping the future does not cancel a refresh that
    /// was sent: its tokens are saved.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session) -> Result<(), cli_auth::Error> {
    /// let token = session.token_async().await?;
    /// # Ok(()) }
    /// ```
    pub async fn token_async(&self) -> Result<AccessToken, Error> {
        self.token_with_async(&TokenOptions::new()).await
    }

    /// Returns another access token than the one that an API has refused with status 401. At most one refresh is made
    /// for it, whoever asks.
    ///
    /// # Errors
    ///
    /// Those of [`token`](Session::token). [`Rejected`](crate::ErrorKind::Rejected) also if the server issues the same
    /// token again.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let token = session.token()?;
    /// // The API responded with 401:
    /// let token = session.refused(token.secret())?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refused(&self, token: &Secret) -> Result<AccessToken, Error> {
        self.token_with(&TokenOptions::new().refused(token))
    }

    /// Async variant of [`refused`](Session::refused) for any executor.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session, token: cli_auth::AccessToken) -> Result<(), cli_auth::Error> {
    /// let token = session.refused_async(token.secret()).await?;
    /// # Ok(()) }
    /// ```
    pub async fn refused_async(&self, token: &Secret) -> Result<AccessToken, Error> {
        self.token_with_async(&TokenOptions::new().refused(token)).await
    }

    /// Variant of [`token`](Session::token) with options.
    ///
    /// # Errors
    ///
    /// Those of [`token`](Session::token), [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if an option cannot be
    /// used, and [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let options = cli_auth::TokenOptions::new().param("organization_id", "org_123");
    /// let token = session.token_with(&options)?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn token_with(&self, options: &TokenOptions) -> Result<AccessToken, Error> {
        let core = &self.0;
        let (ask, refresh) = options.ask(core.jitter)?;
        let mut events = Vec::new();
        let given = match core.without_network(&ask, true, &mut events) {
            Some(given) => given,
            None => {
                let environment = core.shared.environment()?;
                let _lease = Lease::new(&environment);
                let cancel = watched(options.cancel.as_ref(), &environment)?;
                let call =
                    Call { core, environment: &environment, ask: &ask, refresh: &refresh, cancel: &cancel };
                environment.engine.block_on(true, call.run(false, &mut events)).map_err(no_resource)?
            }
        };
        core.tell(events);
        given.map(|given| AccessToken::new(given, core.now()))
    }

    /// Async variant of [`token_with`](Session::token_with) for any executor.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session) -> Result<(), cli_auth::Error> {
    /// let options = cli_auth::TokenOptions::new().force_refresh(true);
    /// let token = session.token_with_async(&options).await?;
    /// # Ok(()) }
    /// ```
    pub async fn token_with_async(&self, options: &TokenOptions) -> Result<AccessToken, Error> {
        let core = &self.0;
        let (ask, refresh) = options.ask(core.jitter)?;
        let mut events = Vec::new();
        let given = match core.without_network(&ask, false, &mut events) {
            Some(given) => given,
            None => {
                let environment = core.shared.environment()?;
                let _lease = Lease::new(&environment);
                let cancel = watched(options.cancel.as_ref(), &environment)?;
                let call =
                    Call { core, environment: &environment, ask: &ask, refresh: &refresh, cancel: &cancel };
                let run = call.run(true, &mut events);
                environment.engine.inside(run).map_err(no_resource)?.await.map_err(|_| inherited())?
            }
        };
        core.tell(events);
        given.map(|given| AccessToken::new(given, core.now()))
    }

    /// Returns what the session is like. Reads one small file: no key store, no network.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the file cannot be read, is damaged, or belongs to another client.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// println!("{}", session.status()?.state().as_str());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn status(&self) -> Result<Status, Error> {
        Status::of(&self.0)
    }

    /// Checks that a login could be saved. Call it before a login shows its prompt, so that no user approves a login
    /// that is then lost. A later [`save`](Session::save) can still fail.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) says why not.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// session.check_writable()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn check_writable(&self) -> Result<(), Error> {
        let mut events = Vec::new();
        let result = self.0.backing.check_writable(&mut events);
        self.0.tell(events);
        result
    }

    /// Saves the tokens of a login. Returns how they are protected: `keyring`, `file`, or `program` for memory and for
    /// a store of the program's own.
    ///
    /// They replace those of an earlier login, whose tokens are then revoked if the server supports it. Waits up to 25
    /// seconds for a process that refreshes.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) or [`Busy`](crate::ErrorKind::Busy) if they could not be saved: use them
    /// in this process, and tell the user. [`InvalidResponse`](crate::ErrorKind::InvalidResponse) if they are of
    /// another user than [`SessionBuilder::subject`](crate::SessionBuilder::subject).
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let login = client.login();
    /// eprint!("{}", login.start()?.text());
    /// let tokens = login.poll(|_event| ())?;
    /// session.save(&tokens)?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn save(&self, tokens: &Tokens) -> Result<&'static str, Error> {
        let tokens = tokens.clone();
        self.run(|core, environment| change::save(core, environment, tokens)).map(Protected::as_str)
    }

    /// Async variant of [`save`](Session::save) for any executor.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session, tokens: cli_auth::Tokens) -> Result<(), cli_auth::Error> {
    /// session.save_async(&tokens).await?;
    /// # Ok(()) }
    /// ```
    pub async fn save_async(&self, tokens: &Tokens) -> Result<&'static str, Error> {
        let tokens = tokens.clone();
        self.run_async(|core, environment| change::save(core, environment, tokens))
            .await
            .map(Protected::as_str)
    }

    /// Logs the user out: removes the session and a login that was put down from this machine, then revokes the tokens
    /// if the server supports it, in at most 5 seconds.
    ///
    /// Waits at most 5 seconds for a process that refreshes. What that process receives is then not saved.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the session could not be removed. Nothing was sent. A server that is not
    /// reached is no error: see [`LoggedOut::revoked`].
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// session.log_out()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn log_out(&self) -> Result<LoggedOut, Error> {
        self.run(change::log_out)
    }

    /// Async variant of [`log_out`](Session::log_out) for any executor.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session) -> Result<(), cli_auth::Error> {
    /// session.log_out_async().await?;
    /// # Ok(()) }
    /// ```
    pub async fn log_out_async(&self) -> Result<LoggedOut, Error> {
        self.run_async(change::log_out).await
    }

    /// Logs the user in from a terminal: prints the prompt to standard error, opens a browser if that is possible,
    /// waits for the user's decision and saves the tokens.
    ///
    /// Tokens that could not be saved are still returned, after [`SessionEvent::NotSaved`].
    ///
    /// # Errors
    ///
    /// Those of [`Login::start`] and [`Login::poll`]; [`InvalidResponse`](crate::ErrorKind::InvalidResponse) if another
    /// user logged in than the session is [for](crate::SessionBuilder::subject). The tokens are then revoked.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// let tokens = client.session().build()?.log_in()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn log_in(&self) -> Result<Tokens, Error> {
        let login = Login::new(Arc::clone(&self.0.shared));
        if let Err(error) = self.check_writable() {
            self.0.tell(vec![SessionEvent::NotSaved { error }]);
        }
        show(&login.start()?);
        let tokens = login.poll(|_event| ())?;
        match self.save(&tokens) {
            Err(error) if error.kind() == ErrorKind::InvalidResponse => {
                self.run(|core, environment| change::revoke_login(core, environment, tokens))?;
                return Err(error);
            }
            Err(error) => self.0.tell(vec![SessionEvent::NotSaved { error }]),
            Ok(_) => {}
        }
        Ok(tokens)
    }

    /// Async variant of [`log_in`](Session::log_in) for any executor.
    ///
    /// ```no_run
    /// # async fn f(session: cli_auth::Session) -> Result<(), cli_auth::Error> {
    /// let tokens = session.log_in_async().await?;
    /// # Ok(()) }
    /// ```
    pub async fn log_in_async(&self) -> Result<Tokens, Error> {
        let login = Login::new(Arc::clone(&self.0.shared));
        if let Err(error) = self.check_writable() {
            self.0.tell(vec![SessionEvent::NotSaved { error }]);
        }
        show(&login.start_async().await?);
        let tokens = login.poll_async(|_event| ()).await?;
        match self.save_async(&tokens).await {
            Err(error) if error.kind() == ErrorKind::InvalidResponse => {
                self.run_async(|core, environment| change::revoke_login(core, environment, tokens)).await?;
                return Err(error);
            }
            Err(error) => self.0.tell(vec![SessionEvent::NotSaved { error }]),
            Ok(_) => {}
        }
        Ok(tokens)
    }

    /// Begins a login and puts it down: another call of [`resume`](Session::resume), also in another process, takes it
    /// up. For programs that do not wait, such as agents and scripts.
    ///
    /// Returns the prompt. The login is stored like a session, and replaces one that was put down before.
    ///
    /// # Errors
    ///
    /// Those of [`Login::start`]; [`Store`](crate::ErrorKind::Store) if the login could not be stored;
    /// [`Busy`](crate::ErrorKind::Busy) while another process waits for one;
    /// [`Misuse`](crate::ErrorKind::Misuse) for a session without files.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// eprint!("{}", session.begin()?.text());
    /// // later:
    /// let login = session.resume()?;
    /// session.save(&login.poll(|_event| ())?)?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn begin(&self) -> Result<Prompt, Error> {
        let login = Login::new(Arc::clone(&self.0.shared));
        self.begin_with(&login)
    }

    /// Variant of [`begin`](Session::begin) with a new login of the same client, so that it can be cancelled. The login
    /// must not be polled.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Session::begin).
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let login = client.login();
    /// eprint!("{}", session.begin_with(&login)?.text());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn begin_with(&self, login: &Login) -> Result<Prompt, Error> {
        let mut events = Vec::new();
        let place = pending::Place::new(&self.0, &mut events)?;
        let prompt = login.start()?;
        let stored = place.store(login.pending()?, &mut events);
        self.0.tell(events);
        stored.map(|()| prompt)
    }

    /// Takes up a login that was put down. [`poll`](Login::poll) waits for the user's decision with the pacing and the
    /// deadline that it had; [`save`](Session::save) the tokens then.
    ///
    /// The stored login is removed when it ends. It stays if this process ends, is cancelled, or reaches the
    /// [`login_timeout`](crate::ClientBuilder::login_timeout).
    ///
    /// # Errors
    ///
    /// - [`Misuse`](crate::ErrorKind::Misuse) if no login was put down.
    /// - [`Busy`](crate::ErrorKind::Busy) if another process has taken it up.
    /// - [`Store`](crate::ErrorKind::Store) if it cannot be read.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().build()?;
    /// let login = session.resume()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn resume(&self) -> Result<Login, Error> {
        let mut events = Vec::new();
        let resumed = pending::resume(&self.0, &mut events);
        self.0.tell(events);
        resumed
    }

    /// Returns the session as a text with which [`import`](Session::import) restores it: for programs that keep it in a
    /// place of their own. `None` if the user is not logged in.
    ///
    /// Two copies of a session must not both be used: a refresh of one makes the other invalid.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the session cannot be read.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().protection(cli_auth::Protection::Memory).build()?;
    /// let record = session.export()?; // a secret
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn export(&self) -> Result<Option<Secret>, Error> {
        let mut events = Vec::new();
        let record = self.0.load(&mut events);
        self.0.tell(events);
        let Some(record) = record? else { return Ok(None) };
        let mut record = (*record).clone();
        record.header.protection = Protected::Program;
        let bytes = form::write(&record, None).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        bytes
            .map(|text| Some(Secret::new(text)))
            .ok_or_else(|| Error::internal("a record could not be written"))
    }

    /// Replaces the session with one that [`export`](Session::export) returned.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the text is no session of this server, client and profile, or it could not
    /// be saved.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # let session = client.session().protection(cli_auth::Protection::Memory).build()?;
    /// # let record = cli_auth::Secret::new("");
    /// session.import(&record)?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn import(&self, record: &Secret) -> Result<(), Error> {
        let sealed = self.0.header(record.expose().as_bytes())?;
        let record = sealed.open(None).map_err(|why| self.0.unreadable(why))?;
        self.run(|core, environment| change::import(core, environment, record))
    }

    /// Runs an operation on this thread, and passes its events on.
    fn run<T, F>(&self, operation: impl FnOnce(Arc<Core>, Arc<Environment>) -> F) -> Result<T, Error>
    where
        F: Future<Output = (Result<T, Error>, Vec<SessionEvent>)>,
    {
        let environment = self.0.shared.environment()?;
        let _lease = Lease::new(&environment);
        let operation = operation(Arc::clone(&self.0), Arc::clone(&environment));
        let (result, events) = environment.engine.block_on(true, operation).map_err(no_resource)?;
        self.0.tell(events);
        result
    }

    /// Runs an operation on the worker, or for a store of the program's own on this thread.
    async fn run_async<T, F>(
        &self,
        operation: impl FnOnce(Arc<Core>, Arc<Environment>) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = (Result<T, Error>, Vec<SessionEvent>)> + Send + 'static,
    {
        let environment = self.0.shared.environment()?;
        let _lease = Lease::new(&environment);
        let operation = operation(Arc::clone(&self.0), Arc::clone(&environment));
        let (result, events) = if self.0.backing.is_of_program() {
            environment.engine.inside(operation).map_err(no_resource)?.await.map_err(|_| inherited())?
        } else {
            let task = environment.engine.hand_over(operation).map_err(no_resource)?;
            let task =
                environment.engine.inside(task).map_err(no_resource)?.await.map_err(|_| inherited())?;
            task.map_err(|_| ending())?
        };
        self.0.tell(events);
        result
    }
}

/// Shows a prompt on the terminal.
fn show(prompt: &Prompt) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(prompt.text_for_stderr().as_bytes());
    prompt.open_browser();
}

/// Connects what cancels a call to the engine, which it wakes.
fn watched(cancel: Option<&CancelToken>, environment: &Environment) -> Result<Arc<Cancel>, Error> {
    let cancel = cancel.map(|token| Arc::clone(&token.0)).unwrap_or_default();
    environment.engine.watch(&cancel).map_err(no_resource)?;
    Ok(cancel)
}

fn inherited() -> Error {
    forked("this call began: call again in the child")
}
