//! A single login attempt, as the program sees it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Error, Event, Prompt, Tokens,
    claim::{Holder, busy},
    engine::Cancel,
    flow::{Driver, Environment, Progress, no_resource},
    process::{Local, forked},
    protocol::{device::DeviceFlow, flow::Notice, token::TokenResponse},
    shared::Shared,
};

/// A wait that leaves the requests under way no time to make progress.
const SHORT_WAIT: Duration = Duration::from_millis(5);

/// How long the revocation of tokens may take that came for a cancelled login.
const REVOKE_WITHIN: Duration = Duration::from_secs(2);

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
/// drives it at a time: a second one gets [`Busy`](crate::ErrorKind::Busy).
///
/// Dropping the last handle ends the attempt. A login that was inherited through a fork answers
/// [`Forked`](crate::ErrorKind::Forked).
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

struct Inner {
    shared: Arc<Shared>,
    cancel: Arc<Cancel>,
    holder: Holder,
    prompt: OnceLock<Prompt>,
    attempt: Local<Mutex<Attempt>>,
}

/// What only the call that drives a login touches.
struct Attempt {
    driver: Driver<Arc<TokenResponse>>,
    has_begun: bool,
    tokens: Delivery,
}

/// Where the tokens of an approved login are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// Here, if there are any.
    Pending,
    /// A step returned them, and the call that made it has not ended yet.
    Returned,
    /// In the hands of the program.
    Accepted,
}

impl Login {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let flow = DeviceFlow::new(Arc::clone(&shared.client), shared.login_timeout);
        let attempt =
            Attempt { driver: Driver::new(flow, "login"), has_begun: false, tokens: Delivery::Pending };
        Self(Arc::new(Inner {
            shared,
            cancel: Arc::new(Cancel::default()),
            holder: Holder::default(),
            prompt: OnceLock::new(),
            attempt: Local::new(Mutex::new(attempt)),
        }))
    }

    /// Asks the server for a code: discovery where needed, then one request. Blocks until there is an answer.
    ///
    /// Called again, it gives the same prompt.
    ///
    /// # Errors
    ///
    /// Nothing is tried twice here, since a user is waiting: [`Network`](crate::ErrorKind::Network) means "try again later".
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let login = client.login();
    /// eprint!("{}", login.start()?.text());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn start(&self) -> Result<Prompt, Error> {
        let claim = Claim::of(self)?;
        while self.prompt().is_none() {
            claim.step(Duration::MAX)?;
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
        let claim = Claim::of(self)?;
        while self.prompt().is_none() {
            claim.step_async(Duration::MAX).await?;
        }
        self.started()
    }

    /// Waits for the user's decision. `on_event` is called on this thread, between the polls.
    ///
    /// The login belongs to this call until it returns: a call from `on_event` that would drive it fails with
    /// [`Busy`](crate::ErrorKind::Busy).
    ///
    /// # Errors
    ///
    /// [`Denied`](crate::ErrorKind::Denied), [`Expired`](crate::ErrorKind::Expired), [`Cancelled`](crate::ErrorKind::Cancelled) and
    /// [`ActionRequired`](crate::ErrorKind::ActionRequired) are the ends that every program meets. Transport trouble is not an
    /// error here: it is told as [`Event::Retrying`], and the login goes on. Before [`start`](Login::start) the answer is
    /// [`Misuse`](crate::ErrorKind::Misuse): the user has not seen the code.
    ///
    /// ```no_run
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// # login.start()?;
    /// let tokens = login.poll(|event| eprintln!("{event:?}"))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn poll(&self, mut on_event: impl FnMut(Event)) -> Result<Tokens, Error> {
        let claim = Claim::of(self)?;
        claim.must_be_started()?;
        loop {
            match claim.step(Duration::MAX)? {
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
        let claim = Claim::of(self)?;
        claim.must_be_started()?;
        loop {
            match claim.step_async(Duration::MAX).await? {
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
        Claim::of(self)?.step(max_wait)
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
        Claim::of(self)?.step_async(max_wait).await
    }

    /// Ends the login: the call that drives it returns [`Cancelled`](crate::ErrorKind::Cancelled) at once, whatever it waits
    /// for, and so does every later one (but [`start`](Login::start) still returns a prompt that there is). After the outcome it changes nothing.
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
}

/// What claims need. `number` is the one that the claim was made with.
impl Login {
    pub(crate) fn claim(&self, number: u64) -> Result<(), Error> {
        // First: in a forked child the call that drives it may be on a thread that stayed in the parent.
        if !self.0.attempt.is_ours() {
            return Err(inherited());
        }
        self.0.holder.claim(number)
    }

    /// Lets other calls drive it. Tokens that the call had returned are in the hands of the program now.
    pub(crate) fn release(&self, number: u64) {
        if !self.0.holder.is(number) {
            return;
        }
        if let Ok(mut attempt) = self.attempt(number)
            && attempt.tokens == Delivery::Returned
        {
            attempt.tokens = Delivery::Accepted;
        }
        self.0.holder.release(number);
    }

    /// Fails before [`start`](Login::start), where polling would be pointless.
    pub(crate) fn must_be_started(&self, number: u64) -> Result<(), Error> {
        // Where it has ended, a step says how.
        if self.prompt().is_some() || self.0.cancel.is_set() || self.attempt(number)?.driver.has_ended() {
            return Ok(());
        }
        Err(Error::misuse("poll was called before start: the user has not seen the code yet"))
    }

    pub(crate) fn step_claimed(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        let mut attempt = self.attempt(number)?;
        let environment = self.0.shared.environment()?;
        // A cancelled login looks once more for tokens that have arrived, to revoke them.
        let turns = max_wait < SHORT_WAIT || self.0.cancel.is_set();
        let step = attempt.step(&self.0, &environment, max_wait);
        environment.engine.block_on(turns, step).map_err(no_resource)?
    }

    pub(crate) async fn step_claimed_async(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        let mut attempt = self.attempt(number)?;
        let environment = self.0.shared.environment()?;
        let step = attempt.step(&self.0, &environment, max_wait);
        environment.engine.inside(step).map_err(no_resource)?.await
    }

    fn attempt(&self, number: u64) -> Result<MutexGuard<'_, Attempt>, Error> {
        if !self.0.holder.is(number) {
            return Err(busy());
        }
        // A call that forked holds the claim in the child as well.
        let attempt = self.0.attempt.get().ok_or_else(inherited)?;
        attempt.try_lock().map_err(|_| busy())
    }
}

/// The error for a login that another process made.
fn inherited() -> Error {
    forked("this login was made: make a new login in the child")
}

#[cfg(feature = "__host")]
impl Login {
    /// Cancels it. Where no other call drives it, looks once more for tokens that have come, and has those revoked that
    /// the program did not accept; the other call does the same.
    pub(crate) fn abandon_claimed(&self, number: u64) {
        self.cancel();
        let Some(_claim) = self.claim_if_free(number) else { return };
        let Some((mut attempt, environment)) = self.abandonable(number) else { return };
        let _ = environment.engine.block_on(true, attempt.abandon(&self.0, &environment));
    }

    pub(crate) async fn abandon_claimed_async(&self, number: u64) {
        self.cancel();
        let Some(_claim) = self.claim_if_free(number) else { return };
        let Some((mut attempt, environment)) = self.abandonable(number) else { return };
        if let Ok(abandoned) = environment.engine.inside(attempt.abandon(&self.0, &environment)) {
            abandoned.await;
        }
    }

    /// `None` where there is nothing to look for: nothing was sent, or the program has the tokens. No engine is built then.
    fn abandonable(&self, number: u64) -> Option<(MutexGuard<'_, Attempt>, Arc<Environment>)> {
        let attempt = self.attempt(number).ok()?;
        if !attempt.has_begun || attempt.tokens == Delivery::Accepted {
            return None;
        }
        Some((attempt, self.0.shared.environment().ok()?))
    }

    /// The claim of a call that may have it already. `None` while another call drives.
    fn claim_if_free(&self, number: u64) -> Option<Option<Claim<'_>>> {
        if self.0.holder.is(number) {
            return Some(None);
        }
        self.claim(number).ok().map(|()| Some(Claim { login: self, number }))
    }

    /// Lets go of it, where this is the last handle: also of the connection that a request under way has.
    pub(crate) fn close(self) {
        let shared = Arc::clone(&self.0.shared);
        drop(self);
        shared.close_dropped_connections();
    }
}

/// The claim of one call of this crate. Dropping it releases the login.
pub(crate) struct Claim<'a> {
    login: &'a Login,
    number: u64,
}

impl<'a> Claim<'a> {
    pub(crate) fn of(login: &'a Login) -> Result<Self, Error> {
        let number = Holder::unique_number();
        login.claim(number)?;
        Ok(Self { login, number })
    }

    pub(crate) fn must_be_started(&self) -> Result<(), Error> {
        self.login.must_be_started(self.number)
    }

    pub(crate) fn step(&self, max_wait: Duration) -> Result<Step, Error> {
        self.login.step_claimed(self.number, max_wait)
    }

    async fn step_async(&self, max_wait: Duration) -> Result<Step, Error> {
        self.login.step_claimed_async(self.number, max_wait).await
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.login.release(self.number);
    }
}

impl Attempt {
    async fn step(
        &mut self,
        login: &Inner,
        environment: &Environment,
        max_wait: Duration,
    ) -> Result<Step, Error> {
        if !self.has_begun {
            environment.engine.watch(&login.cancel).map_err(no_resource)?;
            self.has_begun = true;
        }
        match self.driver.step(environment, &login.cancel, max_wait).await {
            Progress::Notice(Notice::Prompt(grant)) => {
                let prompt = Prompt::new(&grant, login.shared.product.clone());
                Ok(Step::Prompt(login.prompt.get_or_init(|| prompt).clone()))
            }
            Progress::Notice(Notice::Event(event)) => Ok(Step::Event(event)),
            Progress::Waiting(due_in) => Ok(Step::Waiting { due_in }),
            Progress::Outcome(Ok(response)) => {
                if login.cancel.is_set() && self.tokens == Delivery::Pending {
                    return Err(self.withdraw(login, environment, &response).await);
                }
                if self.tokens == Delivery::Pending {
                    self.tokens = Delivery::Returned;
                }
                Ok(Step::Authorized(Tokens::new(response)))
            }
            Progress::Outcome(Err(error)) => Err(error),
        }
    }

    /// Revokes the tokens that a cancelled login was granted: the refresh token, or else the access token. What the
    /// server cannot revoke, or not in time, ends with its lifetime. Returns the outcome that takes their place.
    async fn withdraw(
        &mut self,
        login: &Inner,
        environment: &Environment,
        response: &TokenResponse,
    ) -> Error {
        // First: a caller that leaves during the revocation must not find tokens that may be dead.
        let outcome = self.driver.end_as_cancelled();
        let token = response.refresh_token.as_ref().unwrap_or(&response.access_token);
        if let Ok(flow) = login.shared.revoke(token) {
            let (mut driver, never) = (Driver::new(flow, "request"), Cancel::default());
            let _ = tokio::time::timeout(REVOKE_WITHIN, driver.run(environment, &never)).await;
        }
        outcome
    }

    /// Has tokens revoked that came, and that the program did not accept.
    #[cfg(feature = "__host")]
    async fn abandon(&mut self, login: &Inner, environment: &Environment) {
        let last = self.driver.step(environment, &login.cancel, Duration::ZERO).await;
        if let Progress::Outcome(Ok(response)) = last {
            self.withdraw(login, environment, &response).await;
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("prompt", &self.prompt()).finish_non_exhaustive()
    }
}
