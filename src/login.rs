//! One attempt to log in: drives the protocol, waits, and can be cancelled from anywhere.

use std::{
    fmt,
    future::pending,
    mem,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    Error, ErrorKind, Event, Prompt, Tokens,
    client::{Core, Shared, internal},
    engine::{Cancel, Engine, Task},
    protocol::{
        form,
        machine::{self, Effect, Input, Profile, State},
        metadata::Metadata,
        token::TokenAnswer,
    },
    transport::{Request, Transport},
};

/// Longest sleep in one piece. The sleeping clock stands still while the machine is suspended, so the pacing clock is
/// looked at this often.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// A wait that gives the exchanges under way no turn worth the name.
const SHORT_WAIT: Duration = Duration::from_millis(5);

/// How long a cancelled login may take to revoke a token that it had read already.
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

struct Inner {
    shared: Arc<Shared>,
    pid: u32,
    cancel: Arc<Cancel>,
    prompt: OnceLock<Prompt>,
    /// `None` only while it is dropped.
    drive: Option<Mutex<Drive>>,
}

/// What only the driver touches.
struct Drive {
    profile: Profile,
    state: State,
    begun: bool,
    metadata: Option<Arc<Metadata>>,
    request: Option<Task<Exchange>>,
    sent_at: SystemTime,
    give_up_at: Option<Duration>,
    outcome: Option<Result<Tokens, Error>>,
}

/// What came of a request, and the endpoints, where they were found on the way.
type Exchange = (Option<Arc<Metadata>>, Input);

impl Login {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let config = &shared.core.config;
        let profile = Profile {
            strictness: config.strictness,
            loopback: config.loopback,
            secrets: config.secrets.clone(),
        };
        let drive = Drive {
            profile,
            state: State::Ready,
            begun: false,
            metadata: None,
            request: None,
            sent_at: SystemTime::UNIX_EPOCH,
            give_up_at: None,
            outcome: None,
        };
        Self(Arc::new(Inner {
            pid: std::process::id(),
            cancel: Arc::new(Cancel::default()),
            prompt: OnceLock::new(),
            drive: Some(Mutex::new(drive)),
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

    fn must_be_started(&self) -> Result<(), Error> {
        if self.prompt().is_some() || self.0.cancel.is_set() {
            return Ok(());
        }
        Err(Error::config("poll was called before start: nobody has seen the code yet"))
    }

    fn engine(&self) -> Result<Arc<Engine>, Error> {
        if self.0.pid != std::process::id() {
            return Err(Error::new(
                ErrorKind::Forked,
                "the process was forked after this login was made: make a new login in the child",
            ));
        }
        self.0.shared.engine()
    }

    async fn drive(&self, engine: &Arc<Engine>, max_wait: Duration) -> Result<Step, Error> {
        let drive = self.0.drive.as_ref().and_then(|drive| drive.try_lock().ok());
        let Some(mut drive) = drive else {
            return Err(Error::new(ErrorKind::Busy, "this login is driven by another call already"));
        };
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

impl Drive {
    async fn step(&mut self, login: &Inner, engine: &Arc<Engine>, max_wait: Duration) -> Result<Step, Error> {
        self.begin(login, engine)?;
        let until = Instant::now().checked_add(max_wait);
        loop {
            if let Some(outcome) = &self.outcome {
                return outcome.clone().map(Step::Authorized);
            }
            if login.cancel.is_set() {
                self.end_cancelled(login, engine).await;
                continue;
            }
            let now = login.shared.core.clock.now();
            if self.give_up_at.is_some_and(|end| now.elapsed >= end) {
                self.end(Err(Error::new(
                    ErrorKind::Expired,
                    "the login was not approved in the time that was set for it",
                )));
                continue;
            }
            let input = if self.request.is_none() {
                Input::Tick
            } else {
                match self.nap(login, until, None).await {
                    Nap::Answered(input) => input,
                    Nap::LookAgain => continue,
                    Nap::TimeIsUp => return Ok(Step::Waiting { due_in: Duration::ZERO }),
                }
            };
            // A request takes time: look at the clock again.
            let now = login.shared.core.clock.now();
            let state = mem::replace(&mut self.state, State::Ended);
            let (state, effect) = machine::advance(state, input, now, &self.profile);
            self.state = state;
            match effect {
                Effect::SendAuthorization => self.ask(login, engine),
                Effect::SendPoll => self.poll(login, engine),
                Effect::Await => {
                    self.end(Err(Error::internal("a login waits for no request: please report this")))
                }
                Effect::Show(grant) => {
                    let prompt = Prompt::new(&grant, login.shared.core.config.asker.clone());
                    return Ok(Step::Prompt(login.prompt.get_or_init(|| prompt).clone()));
                }
                Effect::Tell(event) => return Ok(Step::Event(event)),
                Effect::Sleep(due) => {
                    if matches!(self.nap(login, until, Some(due)).await, Nap::TimeIsUp) {
                        let due = self.give_up_at.map_or(due, |end| end.min(due));
                        let due_in = due.saturating_sub(login.shared.core.clock.now().elapsed);
                        return Ok(Step::Waiting { due_in });
                    }
                }
                Effect::Finish(outcome) => self.finish(login, engine, outcome).await,
            }
        }
    }

    fn begin(&mut self, login: &Inner, engine: &Engine) -> Result<(), Error> {
        if !self.begun {
            engine.watch(&login.cancel).map_err(internal)?;
            self.begun = true;
            let now = login.shared.core.clock.now().elapsed;
            self.give_up_at = login.shared.core.config.login_timeout.map(|limit| now.saturating_add(limit));
        }
        Ok(())
    }

    /// Sleeps until the request under way is answered, the next poll is due, the login is cancelled, or time is up.
    async fn nap(&mut self, login: &Inner, until: Option<Instant>, due: Option<Duration>) -> Nap {
        let now = Instant::now();
        let answered = self.request.as_ref().is_some_and(Task::is_finished);
        if !answered && until.is_some_and(|until| until <= now) {
            return Nap::TimeIsUp;
        }
        let elapsed = login.shared.core.clock.now().elapsed;
        let next = [due, self.give_up_at].into_iter().flatten().map(|end| end.saturating_sub(elapsed)).min();
        let nap = next.unwrap_or(LONGEST_NAP).min(LONGEST_NAP);
        let wake_at = now.checked_add(nap).into_iter().chain(until).min().unwrap_or(now);
        let exchange = tokio::select! {
            biased;
            () = login.cancel.cancelled() => return Nap::LookAgain,
            exchange = answer(&mut self.request) => exchange,
            () = tokio::time::sleep_until(wake_at) => return Nap::LookAgain,
        };
        self.request = None;
        let (metadata, input) = exchange;
        self.metadata = metadata.or_else(|| self.metadata.take());
        Nap::Answered(input)
    }

    fn ask(&mut self, login: &Inner, engine: &Engine) {
        let sent = self.send(login, engine, None);
        self.end_if_failed(sent);
    }

    fn poll(&mut self, login: &Inner, engine: &Engine) {
        let (State::Polling(session), Some(metadata)) = (&self.state, &self.metadata) else {
            return self.end(Err(Error::internal("a poll was due without a session: please report this")));
        };
        let config = &login.shared.core.config;
        let form = form::poll(&config.client_id, &config.auth(metadata), &session.grant.device_code);
        let request = Request { url: metadata.token_endpoint.clone(), form: Some(form) };
        let not_after = session.expires_at;
        self.sent_at = login.shared.core.wall();
        let sent = self.send(login, engine, Some((request, not_after)));
        self.end_if_failed(sent);
    }

    /// A request that cannot even be made will not be answered either.
    fn end_if_failed(&mut self, sent: Result<(), Error>) {
        if let Err(error) = sent {
            self.end(Err(error));
        }
    }

    /// Starts the exchange: a poll, or the first request. It waits for one of the client's connections; a poll that
    /// would leave after the code's expiry is not sent.
    fn send(
        &mut self,
        login: &Inner,
        engine: &Engine,
        poll: Option<(Request, Duration)>,
    ) -> Result<(), Error> {
        let core = Arc::clone(&login.shared.core);
        let transport = engine.transport().map_err(internal)?;
        let patience = match &poll {
            None => core.config.transport.timeouts.total,
            Some((_, not_after)) => not_after.saturating_sub(core.clock.now().elapsed),
        };
        let exchange = async move {
            match poll {
                None => authorize(&core, transport.as_ref()).await,
                Some((_, not_after)) if core.clock.now().elapsed >= not_after => (None, Input::NotSent),
                Some((request, _)) => {
                    (None, transport.send(request).await.map_or_else(Input::from, Input::Answer))
                }
            }
        };
        self.request = Some(engine.spawn(patience, exchange).map_err(internal)?);
        Ok(())
    }

    async fn finish(&mut self, login: &Inner, engine: &Engine, outcome: Result<Box<TokenAnswer>, Error>) {
        match outcome {
            Err(error) => self.end(Err(error)),
            Ok(answer) if login.cancel.is_set() => {
                revoke(login, engine, &answer).await;
                self.end(Err(Error::cancelled()));
            }
            Ok(answer) => {
                let requested = &login.shared.core.config.scopes;
                self.end(Ok(Tokens::new(*answer, self.sent_at, Some(requested), None)));
            }
        }
    }

    /// Drops a request under way. One that was answered already may have brought a token, which must not live on.
    async fn end_cancelled(&mut self, login: &Inner, engine: &Engine) {
        if let Some(request) = self.request.take_if(|request| request.is_finished())
            && let Some((_, input @ Input::Answer(_))) = request.await
            && matches!(self.state, State::Polling(_))
        {
            let state = mem::replace(&mut self.state, State::Ended);
            let (_, effect) = machine::advance(state, input, login.shared.core.clock.now(), &self.profile);
            if let Effect::Finish(Ok(answer)) = effect {
                revoke(login, engine, &answer).await;
            }
        }
        self.end(Err(Error::cancelled()));
    }

    fn end(&mut self, outcome: Result<Tokens, Error>) {
        self.abandon();
        self.outcome = Some(outcome);
    }

    fn abandon(&mut self) {
        self.state = State::Ended;
        self.request = None;
    }
}

/// How a [`Drive::nap`] ended.
enum Nap {
    Answered(Input),
    LookAgain,
    TimeIsUp,
}

/// The first request of a login, after discovery where that is needed.
async fn authorize(core: &Core, transport: &dyn Transport) -> Exchange {
    let metadata = match core.metadata(transport).await {
        Ok(metadata) => metadata,
        Err(failure) => return (None, failure.into()),
    };
    let config = &core.config;
    let form = form::device_authorization(
        &config.client_id,
        &config.auth(&metadata),
        &config.scopes,
        &config.params,
    );
    let request = Request { url: metadata.device_authorization_endpoint.clone(), form: Some(form) };
    let input = transport.send(request).await.map_or_else(Input::from, Input::Answer);
    (Some(metadata), input)
}

/// Resolves with what the request brought, if there is one.
async fn answer(request: &mut Option<Task<Exchange>>) -> Exchange {
    match request {
        Some(request) => request.await.unwrap_or((None, Input::NotSent)),
        None => pending().await,
    }
}

/// Revokes what a cancelled login was granted: the refresh token, or else the access token. What the server cannot
/// revoke, or not in time, ends with its lifetime.
async fn revoke(login: &Inner, engine: &Engine, answer: &TokenAnswer) {
    let token = answer.refresh_token.as_ref().unwrap_or(&answer.access_token);
    if let Ok(request) = login.shared.core.revoke(engine, token) {
        let _ = tokio::time::timeout(REVOKE_WITHIN, request).await;
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("prompt", &self.prompt()).finish_non_exhaustive()
    }
}
