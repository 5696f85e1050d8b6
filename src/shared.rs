//! The state that a client shares with everything created from it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    Error, Secret,
    clock::{Clock, SystemClock},
    config::{self, Config},
    engine::Engine,
    flow::{Environment, Server, Transport, no_resource},
    http::{HttpTransport, Settings, Timeouts},
    process::{Local, lock},
    protocol::{
        refresh::{self, RefreshFlow},
        revoke::{self, Revocation},
        settings::{ClientSettings, RefreshOptions},
        single::SingleRequest,
        userinfo::UserinfoFlow,
    },
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Arc<ClientSettings>,
    /// The name of the program, shown in the prompt.
    pub(crate) product: Option<String>,
    pub(crate) login_timeout: Option<Duration>,
    /// What names the server, in a stored session.
    pub(crate) server_name: String,
    http: Settings,
    server: Arc<Server>,
    clock: Arc<dyn Clock>,
    environment: Mutex<Slot>,
}

/// The environment of this process, if there is one.
#[derive(Debug)]
enum Slot {
    Empty,
    Built(Arc<Environment>),
    /// The host program is ending. No environment is built any more.
    #[cfg(feature = "__host")]
    Closed,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        let Config { client, source, server_name, product, login_timeout, http } = config;
        Self {
            server: Arc::new(Server::new(source, client.loopback)),
            client,
            product,
            login_timeout,
            server_name,
            http,
            clock: Arc::new(SystemClock),
            environment: Mutex::new(Slot::Empty),
        }
    }

    /// Returns this process's environment. Builds one on first use and after a fork.
    pub(crate) fn environment(&self) -> Result<Arc<Environment>, Error> {
        if let Some(environment) = lock(&self.environment)?.ours()? {
            return Ok(environment);
        }
        // Built outside the lock, so that the lock is only held to copy a pointer.
        let transport: Arc<dyn Transport> =
            Arc::new(HttpTransport::new(self.http.clone(), Arc::clone(&self.clock))?);
        let built = Arc::new(Environment {
            engine: Engine::new().map_err(no_resource)?,
            transport: Local::new(transport),
            server: Arc::clone(&self.server),
            clock: Arc::clone(&self.clock),
            patience: self.http.timeouts.total,
            open_ended: Mutex::default(),
            leases: Mutex::default(),
        });
        let mut slot = lock(&self.environment)?;
        let environment = slot.ours()?.unwrap_or(built);
        *slot = Slot::Built(Arc::clone(&environment));
        Ok(environment)
    }
}

impl Shared {
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.http.timeouts
    }

    /// Returns a transport that limits only the time for establishing a connection: its user limits the requests.
    pub(crate) fn open_ended_transport(
        &self,
        environment: &Environment,
        connect: Duration,
    ) -> Result<Arc<dyn Transport>, Error> {
        let mut open_ended = lock(&environment.open_ended)?;
        let known = open_ended.iter().find(|(limit, _)| *limit == connect).and_then(|(_, known)| known.get());
        if let Some(known) = known {
            return Ok(Arc::clone(known));
        }
        let timeouts = Timeouts { connect, read: config::LONGEST, total: config::LONGEST };
        let http = Settings { timeouts, ..self.http.clone() };
        let made: Arc<dyn Transport> = Arc::new(HttpTransport::new(http, Arc::clone(&self.clock))?);
        open_ended.push((connect, Local::new(Arc::clone(&made))));
        Ok(made)
    }
}

#[cfg(feature = "__host")]
impl Shared {
    /// Ends the worker of the async calls permanently. Every later call fails with `Cancelled`.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let slot = std::mem::replace(&mut *lock(&self.environment)?, Slot::Closed);
        match slot {
            Slot::Built(environment) if environment.engine.is_ours() => {
                environment.engine.retire_worker().map_err(no_resource)
            }
            _ => Ok(()),
        }
    }
}

impl Slot {
    fn ours(&self) -> Result<Option<Arc<Environment>>, Error> {
        match self {
            Self::Built(environment) if environment.engine.is_ours() => Ok(Some(Arc::clone(environment))),
            Self::Built(_) | Self::Empty => Ok(None),
            #[cfg(feature = "__host")]
            Self::Closed => {
                Err(Error::new(crate::ErrorKind::Cancelled, "the program is ending: this client was closed"))
            }
        }
    }
}

impl Shared {
    /// Returns the flow of a refresh. Nothing has been sent yet.
    pub(crate) fn refresh(
        &self,
        refresh_token: &Secret,
        options: &RefreshOptions,
    ) -> Result<RefreshFlow, Error> {
        refuse_empty(
            refresh_token,
            "the refresh token is empty: the server issued none, or none was stored",
        )?;
        config::check_scopes(&options.scopes)?;
        config::check_params(&options.params)?;
        Ok(refresh::flow(Arc::clone(&self.client), refresh_token.clone(), options.clone()))
    }

    /// Returns the flow of a revocation. Nothing has been sent yet.
    pub(crate) fn revoke(&self, token: &Secret) -> Result<SingleRequest<Revocation>, Error> {
        refuse_empty(token, "the token is empty: there is nothing to revoke")?;
        Ok(revoke::flow(Arc::clone(&self.client), token.clone()))
    }

    /// Returns the flow of a userinfo request. Nothing has been sent yet.
    pub(crate) fn userinfo(
        &self,
        access_token: &Secret,
        subject: Option<&str>,
    ) -> Result<UserinfoFlow, Error> {
        if !is_bearer_token(access_token.expose()) {
            return Err(Error::config(
                "the access token is empty, or is not one that a header may have (RFC 6750 section 2.1)",
            ));
        }
        Ok(UserinfoFlow::new(Arc::clone(&self.client), access_token.clone(), subject.map(str::to_owned)))
    }
}

/// Whether a token may be sent in the `Authorization` header (RFC 6750 section 2.1).
fn is_bearer_token(token: &str) -> bool {
    let token = token.trim_end_matches('=');
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

/// Fails if a token is empty. No parameter is sent empty (RFC 6749
/// section 3.2), and a server's response to one would not say what is wrong.
fn refuse_empty(token: &Secret, message: &str) -> Result<(), Error> {
    if token.expose().is_empty() { Err(Error::config(message)) } else { Ok(()) }
}
