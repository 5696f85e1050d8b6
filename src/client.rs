//! A client of one authorization server.

use std::sync::Arc;

use crate::{
    Error, Login, Secret, Tokens,
    config::Config,
    engine::Cancel,
    flow::{Driver, no_resource},
    protocol::single::SingleRequest,
    shared::Shared,
};

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
pub struct Client(pub(crate) Arc<Shared>);

impl Client {
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(Shared::new(config)))
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
    /// [`Rejected`](crate::ErrorKind::Rejected): the token is dead, log in again. [`Network`](crate::ErrorKind::Network): keep the token
    /// and try again; it may have been used if the answer was lost. [`ActionRequired`](crate::ErrorKind::ActionRequired): log in
    /// again, in the browser. [`InvalidConfig`](crate::ErrorKind::InvalidConfig): it is empty; nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// # let stored = String::new();
    /// let tokens = client.refresh(&cli_auth::Secret::new(stored))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refresh(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        self.run(self.0.refresh(refresh_token)?).map(Tokens::new)
    }

    /// As [`refresh`](Client::refresh), for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// let tokens = client.refresh_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn refresh_async(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        self.run_async(self.0.refresh(refresh_token)?).await.map(Tokens::new)
    }

    /// Ends a token's life (RFC 7009): one request (after discovery, where needed). Revoke the refresh token: servers then drop its
    /// access tokens too. A token that the server does not know counts as revoked.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported): the server has no revocation endpoint (WorkOS has none), or cannot revoke
    /// this kind of token. [`Network`](crate::ErrorKind::Network): the token still lives.
    /// [`InvalidConfig`](crate::ErrorKind::InvalidConfig): it is empty; nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli").build()?;
    /// # let stored = String::new();
    /// client.revoke(&cli_auth::Secret::new(stored))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn revoke(&self, token: &Secret) -> Result<(), Error> {
        self.run(self.0.revoke(token)?)
    }

    /// As [`revoke`](Client::revoke), for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// client.revoke_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn revoke_async(&self, token: &Secret) -> Result<(), Error> {
        self.run_async(self.0.revoke(token)?).await
    }

    fn run<T: Clone + 'static>(&self, flow: SingleRequest<T>) -> Result<T, Error> {
        let environment = self.0.environment()?;
        let (mut driver, cancel) = (Driver::new(flow, "request"), Cancel::default());
        environment.engine.block_on(false, driver.run(&environment, &cancel)).map_err(no_resource)?
    }

    async fn run_async<T: Clone + 'static>(&self, flow: SingleRequest<T>) -> Result<T, Error> {
        let environment = self.0.environment()?;
        let (mut driver, cancel) = (Driver::new(flow, "request"), Cancel::default());
        environment.engine.inside(driver.run(&environment, &cancel)).map_err(no_resource)?.await
    }
}
