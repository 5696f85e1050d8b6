//! One attempt to log in, as the program sees it.

use std::{
    fmt, mem,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Error, ErrorKind, Event, Prompt, Tokens,
    client::{Shared, internal},
    drive::Drive,
    engine::{Cancel, Engine},
};

/// A wait that gives the exchanges under way no turn worth the name.
const SHORT_WAIT: Duration = Duration::from_millis(5);

/// What one [`Login::step`] found.
///
/// Every other outcome is the error of the step. The set may grow: match with a `_` arm.
///
/// ```no_run
/// # use std::time::Duration;
/// # let login = cli_auth::Client::authkit("client_123").build()?.login();
/// let tokens = loop {
///     match login.step(Duration::from_secs(1))? {
///         cli_auth::Step::Prompt(prompt) => eprint!("{}", prompt.text()),
///         cli_auth::Step::Event(event) => eprintln!("{event:?}"),
///         cli_auth::Step::Authorized(tokens) => break tokens,
///         _ => {} // a second went by
///     }
/// };
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// The server granted a code: show it to the person.
    Prompt(Prompt),
    /// Something to tell the person.
    Event(Event),
    /// Nothing yet.
    #[non_exhaustive]
    Waiting {
        /// How long nothing will happen. Zero while a request is under way: step again, with a wait that you can afford.
        due_in: Duration,
    },
    /// The person approved. Every later step says so again.
    Authorized(Tokens),
}

/// One attempt to log in. Cloning gives another handle to the same attempt; all threads may use it, but only one call
/// drives it at a time: a second one gets [`Busy`](ErrorKind::Busy).
///
/// Dropping the last handle ends the attempt. A login that was inherited through a fork answers
/// [`Forked`](ErrorKind::Forked).
///
/// ```no_run
/// let login = cli_auth::Client::authkit("client_123").build()?.login();
/// let handle = login.clone();
/// std::thread::spawn(move || handle.cancel()); // on Ctrl-C, say
/// let outcome = login.start(); // the prompt, or Cancelled
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Login(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pid: u32,
    pub(crate) cancel: Arc<Cancel>,
    pub(crate) prompt: OnceLock<Prompt>,
    /// `None` only while it is dropped.
    drive: Option<Mutex<Drive>>,
}

impl Login {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Inner {
            pid: std::process::id(),
            cancel: Arc::new(Cancel::default()),
            prompt: OnceLock::new(),
            drive: Some(Mutex::new(Drive::new(&shared.core.config))),
            shared,
        }))
    }

    /// Asks the server for a code: discovery where needed, then one request. Blocks until there is an answer.
    ///
    /// Called again, it gives the same prompt.
    ///
    /// # Errors
    ///
    /// Nothing is tried twice here, since a person is waiting: [`Network`](ErrorKind::Network) means "try again later".
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let login = client.login();
    /// eprint!("{}", login.start()?.text());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn start(&self) -> Result<Prompt, Error> {
        while self.prompt().is_none() {
            self.step(Duration::MAX)?;
        }
        self.started()
    }

    /// As [`start`](Login::start), for any executor.
    ///
    /// ```no_run
    /// # async fn f(login: cli_auth::Login) -> Result<(), cli_auth::Error> {
    /// eprint!("{}", login.start_async().await?.text());
    /// # Ok(()) }
    /// ```
    pub async fn start_async(&self) -> Result<Prompt, Error> {
        while self.prompt().is_none() {
            self.step_async(Duration::MAX).await?;
        }
        self.started()
    }

    /// Waits for the person's decision. `on_event` is called on this thread, between the polls.
    ///
    /// # Errors
    ///
    /// [`Denied`](ErrorKind::Denied), [`Expired`](ErrorKind::Expired), [`Cancelled`](ErrorKind::Cancelled) and
    /// [`ActionRequired`](ErrorKind::ActionRequired) are the ends that every program meets. Transport trouble is not an
    /// error here: it is told as [`Event::Retrying`], and the login goes on. Before [`start`](Login::start) the answer is
    /// [`InvalidConfig`](ErrorKind::InvalidConfig): nobody has seen the code.
    ///
    /// ```no_run
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// # login.start()?;
    /// let tokens = login.poll(|event| eprintln!("{event:?}"))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn poll(&self, mut on_event: impl FnMut(Event)) -> Result<Tokens, Error> {
        self.must_be_started()?;
        loop {
            match self.step(Duration::MAX)? {
                Step::Authorized(tokens) => return Ok(tokens),
                Step::Event(event) => on_event(event),
                Step::Prompt(_) | Step::Waiting { .. } => {}
            }
        }
    }

    /// As [`poll`](Login::poll), for any executor. `on_event` is called where this future is polled.
    ///
    /// Dropping the future stops the polling and loses nothing: the login can be driven again.
    ///
    /// ```no_run
    /// # async fn f(login: cli_auth::Login) -> Result<(), cli_auth::Error> {
    /// let tokens = login.poll_async(|event| eprintln!("{event:?}")).await?;
    /// # Ok(()) }
    /// ```
    pub async fn poll_async(&self, mut on_event: impl FnMut(Event)) -> Result<Tokens, Error> {
        self.must_be_started()?;
        loop {
            match self.step_async(Duration::MAX).await? {
                Step::Authorized(tokens) => return Ok(tokens),
                Step::Event(event) => on_event(event),
                Step::Prompt(_) | Step::Waiting { .. } => {}
            }
        }
    }

    /// Drives the login for at most `max_wait`: the primitive under [`start`](Login::start) and [`poll`](Login::poll), for
    /// programs with an event loop of their own. Zero never blocks,
    /// but for the step that ends a cancelled login: revoking a token that came too late may take it two seconds.
    ///
    /// A request that is under way when the time is up goes on: the next step finds its answer, and it is never sent again.
    /// After the outcome, every step gives that outcome again.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// match login.step(Duration::from_millis(50))? {
    ///     cli_auth::Step::Waiting { due_in, .. } => println!("nothing for {due_in:?}"),
    ///     step => println!("{step:?}"),
    /// }
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn step(&self, max_wait: Duration) -> Result<Step, Error> {
        let engine = self.engine()?;
        // A cancelled login looks once more for a token that has arrived, to revoke it.
        let turns = max_wait < SHORT_WAIT || self.0.cancel.is_set();
        engine.block_on(turns, self.drive(&engine, max_wait)).map_err(internal)?
    }

    /// As [`step`](Login::step), for any executor. Dropping the future loses nothing.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn f(login: cli_auth::Login) -> Result<(), cli_auth::Error> {
    /// let step = login.step_async(Duration::from_secs(1)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn step_async(&self, max_wait: Duration) -> Result<Step, Error> {
        let engine = self.engine()?;
        engine.inside(self.drive(&engine, max_wait)).map_err(internal)?.await
    }

    /// Ends the login: the call that drives it returns [`Cancelled`](ErrorKind::Cancelled) at once, whatever it waits
    /// for, and so does every later one. After the outcome it changes nothing.
    ///
    /// Idempotent and wait-free: one atomic store and one write to a descriptor, callable from any thread and from a
    /// signal handler. A request that is under way is dropped. A token that was read but not given out yet is revoked
    /// where the server can.
    ///
    /// ```
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// login.cancel();
    /// assert_eq!(login.start().unwrap_err().kind(), cli_auth::ErrorKind::Cancelled);
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn cancel(&self) {
        self.0.cancel.set();
    }

    /// The prompt, once there is one.
    ///
    /// ```
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// assert!(login.prompt().is_none());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn prompt(&self) -> Option<&Prompt> {
        self.0.prompt.get()
    }

    fn started(&self) -> Result<Prompt, Error> {
        self.prompt()
            .cloned()
            .ok_or_else(|| Error::internal("a login went on without a prompt: please report this"))
    }

    pub(crate) fn must_be_started(&self) -> Result<(), Error> {
        // A step says what came of it, or that another call drives it.
        let says_more = || self.drive_lock().is_none_or(|drive| drive.has_ended());
        if self.prompt().is_some() || self.0.cancel.is_set() || says_more() {
            return Ok(());
        }
        Err(Error::config("poll was called before start: nobody has seen the code yet"))
    }

    /// Whether this process made the login, and did not inherit it.
    pub(crate) fn must_be_ours(&self) -> Result<(), Error> {
        if self.0.pid == std::process::id() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            "the process was forked after this login was made: make a new login in the child",
        ))
    }

    /// The answer to a call while another one drives the login.
    pub(crate) fn busy() -> Error {
        Error::new(ErrorKind::Busy, "this login is driven by another call already")
    }

    fn engine(&self) -> Result<Arc<Engine>, Error> {
        self.must_be_ours()?;
        self.0.shared.engine()
    }

    /// `None` while another call drives it.
    fn drive_lock(&self) -> Option<MutexGuard<'_, Drive>> {
        self.0.drive.as_ref().and_then(|drive| drive.try_lock().ok())
    }

    /// Lets go of it, where this is the last handle: also of the connection that a request under way has.
    #[cfg(feature = "capi")]
    pub(crate) fn end(self) {
        let shared = Arc::clone(&self.0.shared);
        drop(self);
        shared.settle();
    }

    async fn drive(&self, engine: &Arc<Engine>, max_wait: Duration) -> Result<Step, Error> {
        let Some(mut drive) = self.drive_lock() else { return Err(Self::busy()) };
        drive.step(&self.0, engine, max_wait).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(mut drive) = self.drive.take() else { return };
        if self.pid == std::process::id() {
            drive.get_mut().abandon();
        } else {
            // It holds a task of the parent's engine.
            mem::forget(drive);
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("prompt", &self.prompt()).finish_non_exhaustive()
    }
}
