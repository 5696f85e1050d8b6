//! Drives one login through the protocol: waits, sends, and gives up.

use std::{
    future::pending,
    mem,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::{
    Error, ErrorKind, Prompt, Step, Tokens,
    client::{Core, internal},
    config::Config,
    engine::{Engine, Task, take_turns},
    login::Inner,
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

/// How long a cancelled login may take to revoke a token that it had read already.
const REVOKE_WITHIN: Duration = Duration::from_secs(2);

/// What only the call that drives a login touches.
pub(crate) struct Drive {
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

impl Drive {
    pub(crate) fn new(config: &Config) -> Self {
        let profile = Profile {
            strictness: config.strictness,
            loopback: config.loopback,
            secrets: config.secrets.clone(),
        };
        Self {
            profile,
            state: State::Ready,
            begun: false,
            metadata: None,
            request: None,
            sent_at: SystemTime::UNIX_EPOCH,
            give_up_at: None,
            outcome: None,
        }
    }

    /// Goes on for at most `max_wait`, to the next thing that somebody has to know.
    pub(crate) async fn step(
        &mut self,
        login: &Inner,
        engine: &Arc<Engine>,
        max_wait: Duration,
    ) -> Result<Step, Error> {
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
        // A blocking host may not come back for long: what was under way ends now, and not when it does.
        take_turns().await;
    }

    fn end(&mut self, outcome: Result<Tokens, Error>) {
        self.abandon();
        self.outcome = Some(outcome);
    }

    /// Whether there is an outcome, which every further step gives again.
    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Ends what is under way.
    pub(crate) fn abandon(&mut self) {
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
