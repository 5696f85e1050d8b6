//! Runs the policy: reads, locks, sends and saves what its effects say.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::{
    core::Core,
    event::SessionEvent,
    form,
    gate::Lead,
    judgement::Ask,
    moment::Moment,
    policy::{Answer, Effect, Finished, Given, Held, Input, Saved, TokenFlow},
    record::Record,
    store::{Bytes, Locked, Locking, Recovery, Stamp},
};
use crate::{
    Error, ErrorKind, RefreshOptions, RetryReason, Secret,
    engine::drive_pool,
    flow::{Environment, Extent, Failure, Lease, Transport, no_resource, run},
    protocol::{
        identification::IdentifyFlow, jwt, metadata::Metadata, reply::Reply, request::Request,
        settings::Dialect, token::TokenResponse, verdict,
    },
};

/// How long a caller waits for a process that refreshes. Longer than a refresh may take.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(25);

/// The wait between two tries to take the lock grows up to this.
const LONGEST_TRY: Duration = Duration::from_millis(50);

/// The time limit for revoking tokens.
const REVOKE_WITHIN: Duration = Duration::from_secs(5);

/// How often a request whose time is over is looked at: for the head of a response and each piece of its body.
const LATE_LOOKS: u32 = 16;

/// How long the keys of a server may take that are needed because a response names another user.
const KEYS_WITHIN: Duration = Duration::from_secs(5);

/// One call that leads.
pub(super) struct Operation {
    pub(super) core: Arc<Core>,
    pub(super) environment: Arc<Environment>,
    pub(super) ask: Ask,
    /// The parameters of a refresh.
    pub(super) options: RefreshOptions,
    pub(super) phase: Arc<Phase>,
    pub(super) lead: Lead,
}

/// Whether an operation can be dropped. The operation and its caller decide that at the same time.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

/// Nothing was sent yet.
const IDLE: u8 = 0;
/// The refresh token was sent: dropping the operation could lose tokens.
const CRITICAL: u8 = 1;
/// The caller is gone.
const ABANDONED: u8 = 2;

impl Phase {
    /// Gives the operation up, unless that could lose tokens. Returns whether it may be dropped.
    pub(super) fn abandon(&self) -> bool {
        self.change(IDLE, ABANDONED)
    }

    fn begin_to_send(&self) -> bool {
        self.change(IDLE, CRITICAL)
    }

    /// Returns whether the phase is the new one now.
    fn change(&self, from: u8, to: u8) -> bool {
        let changed = self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        changed.is_ok() || changed == Err(to)
    }
}

/// What the operation has at hand.
#[derive(Default)]
struct State {
    lock: Option<Box<dyn Locked>>,
    /// The bytes that were loaded last under the lock.
    loaded: Option<Bytes>,
    transport: Option<Arc<dyn Transport>>,
    server: Option<Arc<Metadata>>,
    events: Vec<SessionEvent>,
}

impl Operation {
    /// Runs to the outcome, which all who follow share. Returns it with the events for the program.
    pub(super) async fn run(self) -> (Result<Given, Error>, Vec<SessionEvent>) {
        let _lease = Lease::new(&self.environment);
        let mut state = State::default();
        self.save_unsaved(&mut state);
        let finished = self.drive(&mut state).await;
        let State { lock, mut events, .. } = state;
        drop(lock);
        let Finished { result, events: more, unsaved, quiet } = finished;
        if let Some(record) = unsaved {
            self.core.keep(&record);
        }
        if result.as_ref().is_ok_and(|given| given.refreshed) || quiet.is_some() {
            self.core.be_quiet(self.core.now(), quiet);
        }
        events.extend(more);
        self.lead.finish(result.clone());
        (result, events)
    }

    async fn drive(&self, state: &mut State) -> Finished {
        let core = &self.core;
        let mut flow = TokenFlow::new(self.ask.clone(), core.server(), core.quiet(core.now()));
        let mut input = Input::Tick;
        loop {
            input = match flow.advance(input, core.now()) {
                Effect::Load => Input::Loaded(self.load(state)),
                Effect::Lock { wait } => self.lock(state, wait).await,
                Effect::Reach { connect, within } => Input::Reached(self.reach(state, connect, within).await),
                Effect::Prepare => Input::Prepared(self.prepare(state)),
                Effect::Send { .. } if !self.phase.begin_to_send() => return Finished::of(Err(cancelled())),
                Effect::Send { token, record, within } => {
                    Input::Answered(self.send(state, token, record, within).await)
                }
                Effect::Pause(time) => {
                    sleep(time).await;
                    Input::Tick
                }
                Effect::Save(record) => Input::Saved(self.save(state, &record)),
                Effect::Unlock(note) => {
                    if let (Some(lock), Some(note)) = (&mut state.lock, note) {
                        lock.leave(note);
                    }
                    state.lock = None;
                    Input::Tick
                }
                Effect::Revoke(token) => {
                    revoke(core, &self.environment, &token).await;
                    Input::Tick
                }
                Effect::Finish(finished) => return *finished,
            };
        }
    }

    /// Tries once more to save what could not be saved before.
    fn save_unsaved(&self, state: &mut State) {
        let core = &self.core;
        let Some(unsaved) = core.unsaved() else { return };
        let Ok(Locking::Taken(mut lock)) = core.backing.try_lock(&mut state.events) else { return };
        let Ok(Some((bytes, _))) = lock.load(&mut state.events) else { return };
        let Ok(stored) = core.header(&bytes) else { return };
        if !unsaved.header.supersedes(&stored.header) {
            return core.drop_unsaved();
        }
        let record = Arc::new(unsaved.after(stored.header.generation));
        if let Ok(new) = core.bytes(&record)
            && let Ok(Some(stamp)) = lock.replace(Some(&bytes), &new)
        {
            let _ = core.remember(stamp, &record);
        }
    }

    fn load(&self, state: &mut State) -> Result<Option<Arc<Record>>, Error> {
        let Some(lock) = &state.lock else { return self.core.load(&mut state.events) };
        let loaded = lock.load(&mut state.events)?;
        let record = self.core.understand(loaded.as_ref());
        state.loaded = loaded.map(|(bytes, _)| bytes);
        record
    }

    async fn lock(&self, state: &mut State, wait: bool) -> Input {
        let limit = if wait { LOCK_WAIT } else { Duration::ZERO };
        let mut lock = match take_lock(&self.core, limit, &mut state.events).await {
            Ok(lock) => lock,
            Err(error) => return Input::NotLocked(error),
        };
        let interrupted = match lock.recover(&form::is_successor) {
            Ok(recovery) => recovery == Recovery::Removed,
            Err(error) => return Input::NotLocked(error),
        };
        let held = Held { note: lock.note(), interrupted };
        state.lock = Some(lock);
        Input::Locked(held)
    }

    /// Knows where to send the request.
    async fn reach(&self, state: &mut State, connect: Duration, within: Duration) -> Result<(), Error> {
        let environment = &self.environment;
        let transport = self.core.shared.open_ended_transport(environment, connect)?;
        let server = match environment.server.known(environment.clock.as_ref())? {
            Some(server) => server,
            None => {
                let (server, clock) = (Arc::clone(&environment.server), Arc::clone(&environment.clock));
                let sender = Arc::clone(&transport);
                let discovery = async move { server.discover(sender.as_ref(), clock.as_ref()).await };
                let request =
                    environment.engine.spawn(environment.patience, discovery).map_err(no_resource)?;
                match timeout(within, request).await {
                    Ok(Ok(Some(Ok(server)))) => server,
                    Ok(Ok(Some(Err(Failure::Lost(_, error, _) | Failure::Permanent(error))))) => {
                        return Err(error);
                    }
                    Ok(Ok(None)) => return Err(too_many()),
                    Ok(Err(_)) => return Err(ending()),
                    Err(_) => return Err(no_response()),
                }
            }
        };
        (state.transport, state.server) = (Some(transport), Some(server));
        Ok(())
    }

    fn prepare(&self, state: &mut State) -> Result<(), Error> {
        let size = state.loaded.as_ref().map_or(0, |bytes| bytes.len());
        match &mut state.lock {
            Some(lock) => lock.prepare(size),
            None => Err(Error::internal("a session prepares without its lock")),
        }
    }

    /// Sends the refresh token. The request goes on if this operation is dropped: what it brings is kept in memory.
    async fn send(&self, state: &mut State, token: Secret, record: Arc<Record>, within: Duration) -> Answer {
        let (Some(transport), Some(server)) = (state.transport.clone(), state.server.clone()) else {
            return Answer::Refused(Error::internal("a session sends without knowing where"));
        };
        let exchange = Exchange {
            core: Arc::clone(&self.core),
            environment: Arc::clone(&self.environment),
            server,
            ask: self.ask.clone(),
            options: self.options.clone(),
            token,
            record,
            _lead: self.lead.clone(),
        };
        let patience = self.environment.patience.min(within);
        let request = exchange.answer(transport, within);
        match self.environment.engine.detach(patience, request).map_err(no_resource) {
            Ok(request) => match request.await {
                Ok(Some(answer)) => answer,
                Ok(None) => Answer::Later { error: too_many(), sent: false },
                Err(_) => Answer::Later { error: ending(), sent: true },
            },
            Err(error) => Answer::Later { error, sent: false },
        }
    }

    /// Replaces the record, if it still is what was loaded.
    fn save(&self, state: &mut State, record: &Arc<Record>) -> Saved {
        match self.try_save(state, record) {
            Ok(Some(stamp)) => match self.core.remember(stamp, record) {
                Ok(()) => Saved::Done,
                Err(error) => Saved::Failed(error),
            },
            Ok(None) => {
                self.core.drop_unsaved();
                Saved::Overtaken(self.load(state).ok().flatten())
            }
            Err(error) => Saved::Failed(error),
        }
    }

    fn try_save(&self, state: &mut State, record: &Record) -> Result<Option<Stamp>, Error> {
        let new = self.core.bytes(record)?;
        let (Some(lock), Some(expected)) = (&mut state.lock, &state.loaded) else {
            return Err(Error::internal("a session saves without its lock"));
        };
        let current = lock.load(&mut state.events)?;
        if current.is_none_or(|(bytes, _)| bytes != *expected) {
            return Ok(None);
        }
        lock.replace(Some(expected), &new)
    }
}

/// Takes the lock, waiting for other processes if there is a limit.
pub(super) async fn take_lock(
    core: &Core,
    limit: Duration,
    events: &mut Vec<SessionEvent>,
) -> Result<Box<dyn Locked>, Error> {
    let end = Instant::now().checked_add(limit);
    let mut pause = Duration::from_millis(10);
    loop {
        let holder = match core.backing.try_lock(events)? {
            Locking::Taken(lock) => return Ok(lock),
            Locking::Busy(holder) => holder,
        };
        if end.is_none_or(|end| Instant::now() >= end) {
            let message = format!("{holder} is using the session in {}: try again later", core.place());
            return Err(Error::new(ErrorKind::Busy, message));
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_TRY);
    }
}

/// Revokes a token that nobody will use. `None` if the server cannot revoke, otherwise whether it did.
pub(super) async fn revoke(core: &Core, environment: &Environment, token: &Secret) -> Option<bool> {
    let flow = core.shared.revoke(token).ok()?;
    match timeout(REVOKE_WITHIN, run(flow, environment)).await {
        Ok(Ok(())) => Some(true),
        Ok(Err(error)) if error.kind() == ErrorKind::Unsupported => None,
        Ok(Err(_)) | Err(_) => Some(false),
    }
}

/// One request, with what is needed to read its response.
struct Exchange {
    core: Arc<Core>,
    environment: Arc<Environment>,
    server: Arc<Metadata>,
    ask: Ask,
    options: RefreshOptions,
    token: Secret,
    record: Arc<Record>,
    /// Whatever becomes of the operation, nobody else sends this token meanwhile.
    _lead: Lead,
}

impl Exchange {
    async fn answer(self, transport: Arc<dyn Transport>, within: Duration) -> Answer {
        let client = &self.core.shared.client;
        let request = Request::refresh(client, &self.server, &self.token, &self.options());
        let mut sending = transport.send(request);
        let reply = match timeout(within, sending.as_mut()).await {
            Ok(reply) => Some(reply),
            Err(_) => late(sending.as_mut()).await,
        };
        match reply {
            Some(Ok(reply)) => self.read(&reply).await,
            Some(Err(Failure::Lost(RetryReason::Certificate, error, _) | Failure::Permanent(error))) => {
                Answer::Later { error, sent: false }
            }
            Some(Err(Failure::Lost(_, error, extent))) => {
                Answer::Later { error, sent: extent == Extent::MaybeSent }
            }
            None => Answer::Later { error: no_response(), sent: true },
        }
    }

    /// Returns the parameters of the request. After a refresh for another organization, AuthKit might stay with that
    /// one, so the one of the login is named.
    fn options(&self) -> RefreshOptions {
        let options = self.options.clone();
        let is_plain = options.params.is_empty() && !self.record.tokens.variants.is_empty();
        match &self.record.header.organization {
            Some(organization) if is_plain && self.core.shared.client.dialect == Dialect::AuthKit => {
                options.param("organization_id", organization)
            }
            _ => options,
        }
    }

    async fn read(&self, reply: &Reply) -> Answer {
        let client = &self.core.shared.client;
        let secrets = client.secrets_with(Some(&self.token));
        let response = match verdict::refresh::read(reply, client.dialect, &secrets) {
            Ok(response) => response.with_requested(&self.options.scopes),
            Err(error) => return refused(error),
        };
        let response = match self.other_user(response).await {
            Ok(response) => response,
            Err((response, error)) => return Answer::OtherUser { response, error },
        };
        let received = Moment::of(response.sent);
        let (variant, refused) = (&self.ask.variant, self.ask.refused.as_ref());
        let record = Arc::new(self.record.refreshed(variant, refused, &response, received));
        // Whatever happens to the caller, the tokens are not lost.
        self.core.keep(&record);
        Answer::Issued { response, record }
    }

    /// Checks that the tokens are for the user of the session. An ID token that names the same user is taken as it is:
    /// it came from the server itself, over TLS (OpenID Connect Core section 3.1.3.7). Another user counts only if the
    /// server's keys prove it (section 12.2).
    async fn other_user(
        &self,
        response: TokenResponse,
    ) -> Result<Arc<TokenResponse>, (Arc<TokenResponse>, Error)> {
        let Some(subject) = &self.record.header.subject else { return Ok(Arc::new(response)) };
        let differs = |identity: &Option<crate::Identity>| {
            identity.as_ref().is_some_and(|user| user.subject() != subject)
        };
        let named = response.id_token.as_ref().and_then(|token| jwt::subject(token.expose()));
        let response = if response.identity.is_none() && named.is_some_and(|named| named != *subject) {
            let plain = response.clone();
            let flow = IdentifyFlow::new(&self.core.shared.client, &self.server, response);
            match timeout(KEYS_WITHIN, run(flow, &self.environment)).await {
                Ok(Ok(identified)) => identified,
                Ok(Err(_)) | Err(_) => Arc::new(plain),
            }
        } else {
            Arc::new(response)
        };
        if differs(&response.identity) {
            let message =
                "the server's response is for another user, and the session has ended: log in again";
            return Err((response, Error::new(ErrorKind::InvalidResponse, message)));
        }
        Ok(response)
    }
}

/// Returns a response that arrived in time although the time is over: this process was stopped meanwhile, and its timer
/// ended before it looked at its sockets.
async fn late<T>(mut sending: Pin<&mut (dyn Future<Output = T> + Send)>) -> Option<T> {
    for _ in 0..LATE_LOOKS {
        drive_pool().await;
        if let Poll::Ready(reply) = poll_fn(|context| Poll::Ready(sending.as_mut().poll(context))).await {
            return Some(reply);
        }
    }
    None
}

fn refused(error: Error) -> Answer {
    match error.kind() {
        ErrorKind::LoginRequired => Answer::Dead(error),
        // The server, or a gateway on the way back, may have failed after the token was used.
        ErrorKind::Network => {
            let sent = error.http_status().is_some_and(|status| matches!(status, 200 | 408 | 429 | 500..));
            Answer::Later { error, sent }
        }
        _ => Answer::Refused(error),
    }
}

pub(super) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the call was cancelled")
}

fn no_response() -> Error {
    Error::new(ErrorKind::Network, "the server did not respond in time: try again later")
}

fn too_many() -> Error {
    Error::new(ErrorKind::Network, "too many requests of this client are under way: try again later")
}

pub(super) fn ending() -> Error {
    Error::new(ErrorKind::Cancelled, "the program is ending: this client was closed")
}
