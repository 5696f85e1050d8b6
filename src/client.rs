//! Who asks whom.

#[cfg(feature = "uniffi")]
use std::mem;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::{Duration, SystemTime},
};

#[cfg(feature = "capi")]
use crate::engine::take_turns;
#[cfg(any(feature = "uniffi", feature = "capi"))]
use crate::exchange::Exchange;
use crate::{
    ClientBuilder, Error, ErrorKind, Login, Secret, Tokens,
    clock::{Clock, SystemClock},
    config::{Config, Source},
    discovery,
    engine::{Engine, Task},
    protocol::{form, metadata::Metadata, verdict},
    transport::{Failure, HttpTransport, Request, Transport},
};

/// Metadata is asked for again after this time.
const METADATA_MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Longest wait for a lock that another thread held while this process was forked: it will never be released.
const LOST_LOCK: Duration = Duration::from_secs(1);

/// A client of one authorization server. Cloning is cheap and shares everything; all threads may use it at once.
///
/// Its connections, and the worker thread of the async calls, end with the last client and login that share them. In a
/// forked child it works on, with connections of the child's own.
///
/// ```no_run
/// let client = cli_auth::Client::authkit("client_123").build()?;
/// let login = client.login();
/// eprint!("{}", login.start()?.text());
/// let tokens = login.poll(|event| eprintln!("{event:?}"))?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) core: Arc<Core>,
    engine: Mutex<Slot>,
}

/// Where the engine of this process is kept.
#[derive(Debug)]
enum Slot {
    Empty,
    Built(Arc<Engine>),
    /// The host program ends: no engine is made any more.
    #[cfg_attr(
        not(feature = "uniffi"),
        expect(dead_code, reason = "only hosts with an exit of their own close")
    )]
    Closed,
}

/// What an exchange needs. The engine that runs it is not in here: it would keep itself alive.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    metadata: Mutex<Option<(Arc<Metadata>, Duration)>>,
}

impl Client {
    /// WorkOS AuthKit, by the client id of the environment.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn authkit(client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::authkit(client_id)
    }

    /// WorkOS Connect, by the AuthKit domain (`acme.authkit.app`, or with `https://`) and the application's client id.
    ///
    /// ```
    /// let client = cli_auth::Client::connect("acme.authkit.app", "client_123").scope("openid").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn connect(domain: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::connect(domain, client_id)
    }

    /// Any server that publishes its metadata, by its issuer: RFC 8414, then OpenID Connect Discovery. The issuer has to be
    /// written exactly as the server writes it.
    ///
    /// ```
    /// let client = cli_auth::Client::discover("https://id.example.com/realms/main", "my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn discover(issuer: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::discover(issuer, client_id)
    }

    /// Any server, by its device authorization endpoint and its token endpoint.
    ///
    /// ```
    /// let client = cli_auth::Client::endpoints("https://h/device", "https://h/token", "my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn endpoints(
        device_authorization: impl Into<String>,
        token: impl Into<String>,
        client_id: impl Into<String>,
    ) -> ClientBuilder {
        ClientBuilder::endpoints(device_authorization, token, client_id)
    }

    pub(crate) fn new(config: Config) -> Self {
        let core = Core { config, clock: Arc::new(SystemClock), metadata: Mutex::new(None) };
        Self(Arc::new(Shared { core: Arc::new(core), engine: Mutex::new(Slot::Empty) }))
    }

    /// One attempt to log in. No I/O.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let login = client.login();
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn login(&self) -> Login {
        Login::new(Arc::clone(&self.0))
    }

    /// Trades a refresh token for new tokens (RFC 6749 section 6): one request (after discovery, where needed), never
    /// repeated by itself.
    ///
    /// Many servers, WorkOS among them, retire the token that was sent: store the new
    /// [`refresh_token`](Tokens::refresh_token) before anything else. Never refresh one token from two processes at once.
    ///
    /// # Errors
    ///
    /// [`Rejected`](ErrorKind::Rejected): the token is dead, log in again. [`Network`](ErrorKind::Network): keep the token
    /// and try again; it may have been used if the answer was lost. [`ActionRequired`](ErrorKind::ActionRequired): log in
    /// again, in the browser. [`InvalidConfig`](ErrorKind::InvalidConfig): it is empty; nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// # let stored = String::new();
    /// let tokens = client.refresh(&cli_auth::Secret::new(stored))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refresh(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        let engine = self.0.engine()?;
        engine
            .block_on(false, self.0.core.refresh(&engine, refresh_token)?)
            .map_err(internal)?
            .unwrap_or_else(ended)
    }

    /// As [`refresh`](Client::refresh), for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// let tokens = client.refresh_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn refresh_async(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        let engine = self.0.engine()?;
        engine
            .inside(self.0.core.refresh(&engine, refresh_token)?)
            .map_err(internal)?
            .await
            .unwrap_or_else(ended)
    }

    /// Ends a token's life (RFC 7009): one request (after discovery, where needed). Revoke the refresh token: servers then drop its
    /// access tokens too. A token that the server does not know counts as revoked.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported): the server has no revocation endpoint (WorkOS has none), or cannot revoke
    /// this kind of token. [`Network`](ErrorKind::Network): the token still lives.
    /// [`InvalidConfig`](ErrorKind::InvalidConfig): it is empty; nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::discover("https://id.example.com", "my-cli").build()?;
    /// # let stored = String::new();
    /// client.revoke(&cli_auth::Secret::new(stored))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn revoke(&self, token: &Secret) -> Result<(), Error> {
        let engine = self.0.engine()?;
        engine.block_on(false, self.0.core.revoke(&engine, token)?).map_err(internal)?.unwrap_or_else(ended)
    }

    /// As [`revoke`](Client::revoke), for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// client.revoke_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn revoke_async(&self, token: &Secret) -> Result<(), Error> {
        let engine = self.0.engine()?;
        engine.inside(self.0.core.revoke(&engine, token)?).map_err(internal)?.await.unwrap_or_else(ended)
    }
}

/// What the foreign surfaces need beside it.
#[cfg(any(feature = "uniffi", feature = "capi"))]
impl Client {
    pub(crate) fn begin_refresh(&self, refresh_token: &Secret) -> Result<Exchange<Tokens>, Error> {
        let engine = self.0.engine()?;
        let task = self.0.core.refresh(&engine, refresh_token)?;
        Exchange::new(engine, task)
    }

    pub(crate) fn begin_revoke(&self, token: &Secret) -> Result<Exchange<()>, Error> {
        let engine = self.0.engine()?;
        let task = self.0.core.revoke(&engine, token)?;
        Exchange::new(engine, task)
    }

    /// Ends the worker of the async calls for good: every later call answers [`Cancelled`](ErrorKind::Cancelled). For hosts
    /// that must not be entered while they exit.
    #[cfg(feature = "uniffi")]
    pub(crate) fn close(&self) -> Result<(), Error> {
        let slot = mem::replace(&mut *lock(&self.0.engine)?, Slot::Closed);
        if let Slot::Built(engine) = slot
            && engine.is_ours()
        {
            engine.retire_worker().map_err(internal)?;
        }
        Ok(())
    }
}

impl Shared {
    /// This process's engine: the one that is there, or a new one at the first use and after a fork.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Error> {
        if let Some(engine) = lock(&self.engine)?.ours()? {
            return Ok(engine);
        }
        // Built outside the lock, which is thus never held for longer than it takes to copy a pointer.
        let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(self.core.config.transport.clone())?);
        let built = Arc::new(Engine::new(transport).map_err(internal)?);
        let mut slot = lock(&self.engine)?;
        let engine = slot.ours()?.unwrap_or(built);
        *slot = Slot::Built(Arc::clone(&engine));
        Ok(engine)
    }
}

#[cfg(feature = "capi")]
impl Shared {
    /// Lets the connections close of what was dropped a moment ago. Without it they wait for the next call.
    pub(crate) fn settle(&self) {
        let slot = lock(&self.engine).ok();
        if let Some(engine) = slot.and_then(|slot| slot.ours().ok().flatten()) {
            let _ = engine.block_on(false, take_turns());
        }
    }
}

impl Slot {
    fn ours(&self) -> Result<Option<Arc<Engine>>, Error> {
        match self {
            Self::Built(engine) if engine.is_ours() => Ok(Some(Arc::clone(engine))),
            Self::Built(_) | Self::Empty => Ok(None),
            Self::Closed => {
                Err(Error::new(ErrorKind::Cancelled, "the program is ending: this client was closed"))
            }
        }
    }
}

impl Core {
    /// The server's endpoints, discovered where they are not known.
    pub(crate) async fn metadata(&self, transport: &dyn Transport) -> Result<Arc<Metadata>, Failure> {
        let issuer = match &self.config.source {
            Source::Known(metadata) => return Ok(Arc::new(metadata.clone())),
            Source::Discover(issuer) => issuer,
        };
        let now = self.clock.now().elapsed;
        if let Some((metadata, fetched_at)) = lock(&self.metadata).map_err(Failure::Broken)?.as_ref()
            && now.saturating_sub(*fetched_at) < METADATA_MAX_AGE
        {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(discovery::discover(issuer, self.config.loopback, transport).await?);
        *lock(&self.metadata).map_err(Failure::Broken)? = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    fn refresh(
        self: &Arc<Self>,
        engine: &Engine,
        token: &Secret,
    ) -> Result<Task<Result<Tokens, Error>>, Error> {
        must_be_there(token, "the refresh token is empty: the server gave none, or none was stored")?;
        let (core, token) = (Arc::clone(self), token.clone());
        let transport = engine.transport().map_err(internal)?;
        let exchange = async move {
            let metadata = core.metadata(transport.as_ref()).await.map_err(Failure::into_error)?;
            let form = form::refresh(&core.config.client_id, &core.config.auth(&metadata), &token);
            let request = Request { url: metadata.token_endpoint.clone(), form: Some(form) };
            let sent_at = core.wall();
            let reply = transport.send(request).await.map_err(Failure::into_error)?;
            let answer = verdict::of_refresh(&reply, core.config.strictness, &core.secrets(&token))?;
            Ok(Tokens::new(*answer, sent_at, None, Some(&token)))
        };
        engine.spawn(self.config.transport.timeouts.total, exchange).map_err(internal)
    }

    pub(crate) fn revoke(
        self: &Arc<Self>,
        engine: &Engine,
        token: &Secret,
    ) -> Result<Task<Result<(), Error>>, Error> {
        must_be_there(token, "the token is empty: there is nothing to revoke")?;
        let (core, token) = (Arc::clone(self), token.clone());
        let transport = engine.transport().map_err(internal)?;
        let exchange = async move {
            let metadata = core.metadata(transport.as_ref()).await.map_err(Failure::into_error)?;
            let url = metadata.revocation_endpoint.clone().ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    "the server has no revocation endpoint: the token ends with its lifetime",
                )
            })?;
            let form = form::revocation(&core.config.client_id, &core.config.auth(&metadata), &token);
            let reply =
                transport.send(Request { url, form: Some(form) }).await.map_err(Failure::into_error)?;
            verdict::of_revocation(&reply, &core.secrets(&token))
        };
        engine.spawn(self.config.transport.timeouts.total, exchange).map_err(internal)
    }

    fn secrets<'a>(&'a self, sent: &'a Secret) -> Vec<&'a str> {
        [sent].into_iter().chain(&self.config.secrets).map(Secret::expose).collect()
    }

    /// The time of day at which a request leaves.
    pub(crate) fn wall(&self) -> SystemTime {
        self.clock.wall()
    }
}

/// Takes a lock that is only ever held for moments. In a forked child it may be held for ever by a thread that is not
/// there: then this gives up instead of hanging.
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Error> {
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) if waited >= LOST_LOCK => {
                return Err(Error::new(
                    ErrorKind::Forked,
                    "the process was forked while this client was busy: make a new client",
                ));
            }
            Err(TryLockError::WouldBlock) => {
                let pause = Duration::from_millis(1);
                thread::sleep(pause);
                waited = waited.saturating_add(pause);
            }
        }
    }
}

/// The answer of an exchange that did not come to its turn.
pub(crate) fn ended<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Network, "too many requests of this client are under way: try again later"))
}

/// No parameter is sent empty (RFC 6749 section 3.2), and a server's answer to one would not say what is wrong.
fn must_be_there(token: &Secret, otherwise: &str) -> Result<(), Error> {
    if token.expose().is_empty() { Err(Error::config(otherwise)) } else { Ok(()) }
}

pub(crate) fn internal(error: io::Error) -> Error {
    Error::internal(format!("the operating system refused a resource: {error}"))
}
