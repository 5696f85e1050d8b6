//! A single login attempt: the public API.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
    time::Duration,
};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

#[cfg(feature = "__host")]
use crate::engine::Descriptor;
use crate::{
    Error, Event, Prompt, Tokens,
    claim::{Holder, busy},
    engine::Cancel,
    flow::{Driver, Environment, Lease, Progress, no_resource, run},
    process::{Local, forked},
    protocol::{
        device::{DeviceFlow, PutDown},
        flow::Notice,
        pkce::{Pkce, RANDOM_BYTES, Verifier},
        token::TokenResponse,
    },
    session::Keeper,
    shared::Shared,
};

/// Below this wait, requests in progress get no time to advance unless the engine is driven first.
const SHORT_WAIT: Duration = Duration::from_millis(5);

/// The time limit for revoking the tokens of a cancelled login.
const REVOKE_WITHIN: Duration = Duration::from_secs(2);

/// The result of one [`Login::step`].
///
/// Every other outcome is returned as the error of the step. Variants may be added: match with a `_` arm.
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
    /// The server issued a code. Show it to the user.
    Prompt(Prompt),
    /// Progress that the program may show to the user.
    Event(Event),
    /// Nothing happened yet.
    #[non_exhaustive]
    Waiting {
        /// How long nothing will happen. Zero while a request is in progress:
        /// call `step` again, with a wait that the program can afford.
        due_in: Duration,
    },
    /// The user approved the login. Every later step returns the tokens again.
    Authorized(Tokens),
}

/// A single login attempt.
///
/// Clones are handles to the same attempt. Any thread may use them, but only one call drives the login at a time: a
/// second one fails with [`Busy`](crate::ErrorKind::Busy).
///
/// Dropping the last handle ends the attempt. In a forked child, an inherited login fails with
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
    #[cfg(feature = "__host")]
    descriptor: Descriptor,
    holder: Holder,
    prompt: OnceLock<Prompt>,
    /// Keeps the stored form of a login that was put down and taken up.
    keeper: Option<Keeper>,
    attempt: Local<Mutex<Attempt>>,
}

/// State that only the driving call uses.
struct Attempt {
    driver: Driver<Arc<TokenResponse>>,
    has_begun: bool,
    /// Dropped after the driver, and at the outcome.
    lease: Option<Lease>,
    tokens: Delivery,
}

/// Returns a new verifier. `None` if the operating system has no random numbers.
fn verifier() -> Option<Verifier> {
    let mut random = Zeroizing::new([0; RANDOM_BYTES]);
    SystemRandom::new().fill(random.as_mut_slice()).ok()?;
    Some(Verifier::new(&random))
}

/// Whether the program has received the tokens of an approved login.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// Not returned yet, if there are any.
    Pending,
    /// Returned by a step whose call has not ended yet.
    Returned,
    /// Received by the program.
    Accepted,
}

impl Login {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let verifier = if shared.client.pkce == Pkce::Never { None } else { verifier() };
        let flow = DeviceFlow::new(Arc::clone(&shared.client), shared.login_timeout, verifier);
        Self::with(shared, flow, None)
    }

    /// Creates a login that was put down. The user has its prompt already.
    pub(crate) fn resumed(shared: Arc<Shared>, login: PutDown, keeper: Keeper) -> Self {
        let prompt = Prompt::new(&login.grant, shared.product.clone());
        let flow = DeviceFlow::resumed(Arc::clone(&shared.client), shared.login_timeout, login);
        let this = Self::with(shared, flow, Some(keeper));
        this.0.prompt.get_or_init(|| prompt);
        this
    }

    fn with(shared: Arc<Shared>, flow: DeviceFlow, keeper: Option<Keeper>) -> Self {
        let attempt = Attempt {
            driver: Driver::new(flow, "login"),
            has_begun: false,
            lease: None,
            tokens: Delivery::Pending,
        };
        Self(Arc::new(Inner {
            shared,
            cancel: Arc::new(Cancel::default()),
            #[cfg(feature = "__host")]
            descriptor: Descriptor::default(),
            holder: Holder::default(),
            prompt: OnceLock::new(),
            keeper,
            attempt: Local::new(Mutex::new(attempt)),
        }))
    }

    /// Requests a code from the server and returns the prompt. Sends one request, after discovery if the endpoints are
    /// not known yet, and blocks until the response arrives. With [`Pkce::Auto`](crate::Pkce::Auto), a second request
    /// without PKCE follows if the server refuses the first one.
    ///
    /// Later calls return the same prompt, unless the login has failed or was cancelled: then they return that error.
    ///
    /// # Errors
    ///
    /// Requests are not retried here, because the user is waiting. [`Network`](crate::ErrorKind::Network) means that
    /// the program may try again later.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let login = client.login();
    /// eprint!("{}", login.start()?.text());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn start(&self) -> Result<Prompt, Error> {
        let claim = Claim::of(self)?;
        loop {
            if let Some(prompt) = self.started(claim.number)? {
                return Ok(prompt);
            }
            claim.step(Duration::MAX)?;
        }
    }

    /// Async variant of [`start`](Login::start) for any executor.
    ///
    /// ```no_run
    /// # async fn f(login: cli_auth::Login) -> Result<(), cli_auth::Error> {
    /// eprint!("{}", login.start_async().await?.text());
    /// # Ok(()) }
    /// ```
    pub async fn start_async(&self) -> Result<Prompt, Error> {
        let claim = Claim::of(self)?;
        loop {
            if let Some(prompt) = self.started(claim.number)? {
                return Ok(prompt);
            }
            claim.step_async(Duration::MAX).await?;
        }
    }

    /// Waits for the user's decision and returns the tokens. `on_event` is called on the calling thread, between polls.
    ///
    /// The login is claimed by this call until it returns: a call from `on_event` that drives the login fails with
    /// [`Busy`](crate::ErrorKind::Busy).
    ///
    /// # Errors
    ///
    /// Every program should handle [`Denied`](crate::ErrorKind::Denied), [`Expired`](crate::ErrorKind::Expired),
    /// [`Cancelled`](crate::ErrorKind::Cancelled) and [`ActionRequired`](crate::ErrorKind::ActionRequired). Transport
    /// failures are not errors here: they are reported as [`Event::Retrying`], and the login continues. Fails with
    /// [`Misuse`](crate::ErrorKind::Misuse) before [`start`](Login::start), because the user has not seen the code.
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

    /// Async variant of [`poll`](Login::poll) for any executor.
    /// `on_event` is called on the thread that polls this future.
    ///
    /// Dropping the future stops polling and loses nothing: the login can be driven again.
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

    /// Drives the login for at most `max_wait`.
    ///
    /// [`start`](Login::start) and [`poll`](Login::poll) are loops over this method. Use it in programs that have their
    /// own event loop. A `max_wait` of zero does not wait for the network, except in the step that ends a cancelled
    /// login: revoking tokens that arrived too late may take two seconds. The step that sends the first request of a
    /// client also reads the trusted root certificates.
    ///
    /// A request that is in progress when the time is up is kept: a later step receives its response, and it is never
    /// sent again. After the outcome, every step returns that outcome again.
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

    /// Async variant of [`step`](Login::step) for any executor. Dropping the future loses nothing.
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

    /// Ends the login.
    ///
    /// The call that drives the login returns [`Cancelled`](crate::ErrorKind::Cancelled) at once, whatever it waits
    /// for, and so does every later call. If no call drives it, its connection is kept until the next one, or until the
    /// login is dropped. Cancelling has no effect after the outcome.
    ///
    /// Idempotent and wait-free: one atomic store and one write to a descriptor. May be called
    /// from any thread and from a signal handler. A request in progress is dropped. Tokens
    /// that were received but not returned yet are revoked if the server supports it.
    ///
    /// ```
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// login.cancel();
    /// assert_eq!(login.start().unwrap_err().kind(), cli_auth::ErrorKind::Cancelled);
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn cancel(&self) {
        self.0.cancel.set();
        #[cfg(feature = "__host")]
        self.0.descriptor.set();
    }

    /// Returns the prompt, or `None` before the server issued a code.
    ///
    /// ```
    /// # let login = cli_auth::Client::authkit("client_123").build()?.login();
    /// assert!(login.prompt().is_none());
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn prompt(&self) -> Option<&Prompt> {
        self.0.prompt.get()
    }
}

impl Login {
    /// Returns what is needed to take this login up in another process. `None` before the server issued a code, and
    /// after the outcome.
    pub(crate) fn pending(&self) -> Result<Option<PutDown>, Error> {
        let claim = Claim::of(self)?;
        Ok(self.attempt(claim.number)?.driver.put_down())
    }
}

/// Operations on a claimed login. `number` identifies the call that claimed it.
impl Login {
    pub(crate) fn claim(&self, number: u64) -> Result<(), Error> {
        // Checked first: in a forked child, the driving call may be on a thread that exists only in the parent.
        if !self.0.attempt.is_ours() {
            return Err(inherited());
        }
        self.0.holder.claim(number)
    }

    /// Ends the claim, so that other calls may drive the login. Tokens
    /// that the call returned count as received by the program.
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

    /// Returns what [`start`](Login::start) returns. `None` if it must step first: to get a prompt, or because the
    /// login was cancelled, which the next step reports.
    pub(crate) fn started(&self, number: u64) -> Result<Option<Prompt>, Error> {
        let attempt = self.attempt(number)?;
        let is_over = match attempt.driver.outcome() {
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(_)) => attempt.tokens != Delivery::Pending,
            None => false,
        };
        Ok(self.prompt().filter(|_| is_over || !self.0.cancel.is_set()).cloned())
    }

    /// Fails with `Misuse` before [`start`](Login::start), when polling has no effect.
    pub(crate) fn must_be_started(&self, number: u64) -> Result<(), Error> {
        // If the login has ended, a step returns the outcome.
        if self.prompt().is_some() || self.0.cancel.is_set() || self.attempt(number)?.driver.has_ended() {
            return Ok(());
        }
        Err(Error::misuse("poll was called before start: the user has not seen the code yet"))
    }

    pub(crate) fn step_claimed(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        let mut attempt = self.attempt(number)?;
        let environment = self.0.shared.environment()?;
        #[cfg(feature = "__host")]
        attempt.driver.wake(self.0.descriptor.clear());
        // A cancelled login checks once more for tokens that have arrived, and revokes them.
        let turns = max_wait < SHORT_WAIT || self.0.cancel.is_set();
        let step = attempt.step(&self.0, &environment, max_wait);
        let step = environment.engine.block_on(turns, step).map_err(no_resource)?;
        // The next step says when it is due.
        #[cfg(feature = "__host")]
        if matches!(step, Ok(Step::Prompt(_) | Step::Event(_))) {
            self.0.descriptor.set();
        }
        step
    }

    pub(crate) async fn step_claimed_async(&self, number: u64, max_wait: Duration) -> Result<Step, Error> {
        let mut attempt = self.attempt(number)?;
        let environment = self.0.shared.environment()?;
        let step = attempt.step(&self.0, &environment, max_wait);
        environment.engine.inside(step).map_err(no_resource)?.await.map_err(|_| inherited())?
    }

    fn attempt(&self, number: u64) -> Result<Driven<'_>, Error> {
        if !self.0.holder.is(number) {
            return Err(busy());
        }
        // A call that forked holds the claim in the child as well.
        let attempt = self.0.attempt.get().ok_or_else(inherited)?;
        attempt.try_lock().map(Driven).map_err(|_| busy())
    }
}

/// Returns the error for a login that another process created.
fn inherited() -> Error {
    forked("this login was made: make a new login in the child")
}

#[cfg(feature = "__host")]
impl Login {
    /// Returns the descriptor that is readable while a step would have something to do. Starts the worker.
    pub(crate) fn open_descriptor(&self) -> Result<i32, Error> {
        if !self.0.attempt.is_ours() {
            return Err(inherited());
        }
        self.0.shared.environment()?.engine.start_worker().map_err(no_resource)?;
        self.0.descriptor.number().map_err(no_resource)
    }

    /// Cancels the login. If no other call drives it, also checks once more for tokens that have arrived, and revokes
    /// those that the program did not accept. Otherwise the driving call does this.
    pub(crate) fn abandon_claimed(&self, number: u64) {
        self.cancel();
        let Some(_claim) = self.claim_if_free(number) else { return };
        let Some((mut attempt, environment)) = self.abandonable(number) else { return };
        let _lease = Lease::new(&environment);
        let _ = environment.engine.block_on(true, attempt.abandon(&self.0, &environment));
    }

    pub(crate) async fn abandon_claimed_async(&self, number: u64) {
        self.cancel();
        let Some(_claim) = self.claim_if_free(number) else { return };
        let Some((mut attempt, environment)) = self.abandonable(number) else { return };
        let _lease = Lease::new(&environment);
        if let Ok(abandoned) = environment.engine.inside(attempt.abandon(&self.0, &environment)) {
            let _ = abandoned.await;
        }
    }

    /// Returns `None` if there is nothing to check: nothing was sent, or
    /// the program has the tokens. In this case no engine is built.
    fn abandonable(&self, number: u64) -> Option<(Driven<'_>, Arc<Environment>)> {
        let attempt = self.attempt(number).ok()?;
        if !attempt.has_begun || attempt.tokens == Delivery::Accepted {
            return None;
        }
        Some((attempt, self.0.shared.environment().ok()?))
    }

    /// Claims the login unless this call has already claimed it. Returns `None` while another call drives it.
    fn claim_if_free(&self, number: u64) -> Option<Option<Claim<'_>>> {
        if self.0.holder.is(number) {
            return Some(None);
        }
        self.claim(number).ok().map(|()| Some(Claim { login: self, number }))
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

/// The state of a login while one call uses it. Ends the lease of a login that has ended, also if the future of an
/// async call is dropped. Must not be dropped in a future that the engine runs: the end of a lease drives the engine.
struct Driven<'a>(MutexGuard<'a, Attempt>);

impl Deref for Driven<'_> {
    type Target = Attempt;

    fn deref(&self) -> &Attempt {
        &self.0
    }
}

impl DerefMut for Driven<'_> {
    fn deref_mut(&mut self) -> &mut Attempt {
        &mut self.0
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        if self.0.driver.has_ended() {
            self.0.lease = None;
        }
    }
}

impl Attempt {
    async fn step(
        &mut self,
        login: &Inner,
        environment: &Arc<Environment>,
        max_wait: Duration,
    ) -> Result<Step, Error> {
        if !self.has_begun {
            environment.engine.watch(&login.cancel).map_err(no_resource)?;
            self.has_begun = true;
            self.lease = Some(Lease::new(environment));
        }
        let had_ended = self.driver.has_ended();
        let progress = self.driver.step(environment, &login.cancel, max_wait).await;
        if let Some(keeper) = login.keeper.as_ref().filter(|_| !had_ended)
            && let Err(error) = self.keep(keeper, &progress, environment)
        {
            return Err(self.withdraw_because(error, login, environment).await);
        }
        match progress {
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

    /// Keeps the stored form of this login. Fails if it is gone, so that tokens are not wanted.
    fn keep(
        &self,
        keeper: &Keeper,
        progress: &Progress<Arc<TokenResponse>>,
        environment: &Environment,
    ) -> Result<(), Error> {
        match progress {
            Progress::Outcome(outcome) => keeper.end(outcome.as_ref().err(), environment.clock.now()),
            Progress::Notice(_) | Progress::Waiting(_) => {
                if let Some(login) = self.driver.put_down() {
                    keeper.update(&login);
                }
                Ok(())
            }
        }
    }

    /// Ends a login with an error, and revokes the tokens that it received.
    async fn withdraw_because(&mut self, error: Error, login: &Inner, environment: &Environment) -> Error {
        let received = self.driver.outcome().and_then(|outcome| outcome.as_ref().ok()).map(Arc::clone);
        match received {
            Some(response) => {
                self.driver.end_with(error.clone());
                Self::revoke(login, environment, &response).await;
                error
            }
            None => {
                self.driver.outcome().and_then(|outcome| outcome.as_ref().err().cloned()).unwrap_or(error)
            }
        }
    }

    /// Revokes the tokens that a cancelled login received: the refresh token, or else
    /// the access token. Tokens that the server cannot revoke, or not in time, stay
    /// valid until they expire. Returns the outcome that replaces the tokens.
    async fn withdraw(
        &mut self,
        login: &Inner,
        environment: &Environment,
        response: &TokenResponse,
    ) -> Error {
        // Done first: if the caller drops this future during the
        // revocation, it must not find tokens that may be revoked.
        let outcome = self.driver.end_as_cancelled();
        Self::revoke(login, environment, response).await;
        outcome
    }

    async fn revoke(login: &Inner, environment: &Environment, response: &TokenResponse) {
        let token = response.refresh_token.as_ref().unwrap_or(&response.access_token);
        if let Ok(flow) = login.shared.revoke(token) {
            let _ = tokio::time::timeout(REVOKE_WITHIN, run(flow, environment)).await;
        }
    }

    /// Revokes tokens that have arrived and that the program did not accept.
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

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R7636-4.1-01
    #[test]
    fn every_login_has_its_own_verifier() {
        let (one, other) = (verifier().unwrap(), verifier().unwrap());
        assert_ne!(one.verifier, other.verifier);
    }
}
