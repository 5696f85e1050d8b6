//! The client of one authorization server.

use std::sync::Arc;

use crate::{
    Error, Identity, Login, RefreshOptions, Secret, Tokens,
    config::Config,
    flow::{Lease, no_resource, run},
    process::forked,
    protocol::flow::Flow,
    shared::Shared,
};

/// A client of one authorization server.
///
/// Cloning is cheap: clones share all state. Any number of threads may use a client at the same time.
///
/// Connections are kept while a login or a request is in progress, and closed after the last one. The worker thread of
/// the async calls ends when the last client and login that share it are dropped. A client may be used in a forked
/// child, where it opens its own connections.
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

    /// Creates a login attempt. Performs no I/O.
    ///
    /// ```
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// let login = client.login();
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn login(&self) -> Login {
        Login::new(Arc::clone(&self.0))
    }

    /// Exchanges a refresh token for new tokens (RFC 6749 section 6).
    ///
    /// Sends one request, after discovery if the endpoints are not known yet. The request is never repeated. If the
    /// response has an ID token, it is verified, for which the keys of the server may have to be fetched.
    ///
    /// Many servers, including WorkOS, invalidate the refresh token that was sent.
    /// Store the new [`refresh_token`](Tokens::refresh_token) before doing anything
    /// else. Two processes must not refresh the same token at the same time.
    ///
    /// # Errors
    ///
    /// - [`LoginRequired`](crate::ErrorKind::LoginRequired) if the refresh token is no longer valid. Start a new login.
    /// - [`Rejected`](crate::ErrorKind::Rejected) if the server refuses this client or this request.
    /// - [`Network`](crate::ErrorKind::Network) if the request failed or the server cannot handle it now. Keep the
    ///   token and try again later. If the response was lost, the server may have used the token.
    /// - [`ActionRequired`](crate::ErrorKind::ActionRequired) if the
    ///   user must do something in a browser. Start a new login.
    /// - [`InvalidResponse`](crate::ErrorKind::InvalidResponse) if the ID token is refused. The refresh token that was
    ///   sent has probably been used.
    /// - [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if the refresh token is empty. Nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// # let stored = String::new();
    /// let tokens = client.refresh(&cli_auth::Secret::new(stored))?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refresh(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        self.refresh_with(refresh_token, &RefreshOptions::new())
    }

    /// Async variant of [`refresh`](Client::refresh) for any executor. Dropping the future ends the request. Tokens
    /// that have arrived, and whose ID token is being verified, are then lost.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// let tokens = client.refresh_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn refresh_async(&self, refresh_token: &Secret) -> Result<Tokens, Error> {
        self.refresh_with_async(refresh_token, &RefreshOptions::new()).await
    }

    /// Variant of [`refresh`](Client::refresh) that asks for more than new tokens: other scopes, an organization, a
    /// resource.
    ///
    /// # Errors
    ///
    /// Those of [`refresh`](Client::refresh), and [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if an option
    /// cannot be used. Then nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::authkit("client_123").build()?;
    /// # let stored = cli_auth::Secret::new("");
    /// let options = cli_auth::RefreshOptions::new().scopes(["read"]);
    /// let tokens = client.refresh_with(&stored, &options)?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refresh_with(&self, refresh_token: &Secret, options: &RefreshOptions) -> Result<Tokens, Error> {
        self.run(self.0.refresh(refresh_token, options)?).map(Tokens::new)
    }

    /// Async variant of [`refresh_with`](Client::refresh_with) for any executor. Dropping the future has the effect
    /// that it has in [`refresh_async`](Client::refresh_async).
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// let options = cli_auth::RefreshOptions::new().param("organization_id", "org_123");
    /// let tokens = client.refresh_with_async(&stored, &options).await?;
    /// # Ok(()) }
    /// ```
    pub async fn refresh_with_async(
        &self,
        refresh_token: &Secret,
        options: &RefreshOptions,
    ) -> Result<Tokens, Error> {
        self.run_async(self.0.refresh(refresh_token, options)?).await.map(Tokens::new)
    }

    /// Asks the server who the user of an access token is (OpenID Connect Core section 5.3).
    ///
    /// Sends one request, after discovery if the endpoints are not known yet. If the metadata lacks the endpoint, the
    /// document of OpenID Connect is read first. `subject` is the [`subject`](Identity::subject) of the login, if it is
    /// known: a response about another user is refused. The
    /// access token must have been issued for the scope `openid`.
    ///
    /// # Errors
    ///
    /// - [`Rejected`](crate::ErrorKind::Rejected) if the server does not accept the access token.
    /// - [`InvalidResponse`](crate::ErrorKind::InvalidResponse) if the response is about another user.
    /// - [`Unsupported`](crate::ErrorKind::Unsupported) if the server has no userinfo endpoint, or it is not known, as
    ///   with AuthKit and with [`Client::with_endpoints`].
    /// - [`Network`](crate::ErrorKind::Network) if the request failed or the server cannot handle it now.
    /// - [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if the access token is empty or cannot be sent in a header.
    ///   Nothing was sent.
    ///
    /// ```no_run
    /// # let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli").build()?;
    /// # fn show(client: cli_auth::Client, tokens: cli_auth::Tokens) -> Result<(), cli_auth::Error> {
    /// let subject = tokens.identity().map(|user| user.subject());
    /// let user = client.userinfo(tokens.access_token(), subject)?;
    /// println!("{}", cli_auth::sanitize(user.name().unwrap_or(user.subject())));
    /// # Ok(()) }
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn userinfo(&self, access_token: &Secret, subject: Option<&str>) -> Result<Identity, Error> {
        self.run(self.0.userinfo(access_token, subject)?)
    }

    /// Async variant of [`userinfo`](Client::userinfo) for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, tokens: cli_auth::Tokens) -> Result<(), cli_auth::Error> {
    /// let user = client.userinfo_async(tokens.access_token(), None).await?;
    /// # Ok(()) }
    /// ```
    pub async fn userinfo_async(
        &self,
        access_token: &Secret,
        subject: Option<&str>,
    ) -> Result<Identity, Error> {
        self.run_async(self.0.userinfo(access_token, subject)?).await
    }

    /// Revokes a token (RFC 7009).
    ///
    /// Sends one request, after discovery if the endpoints are not known yet. Revoke the
    /// refresh token: servers should then invalidate its access tokens too (RFC 7009
    /// section 2.1). A token that the server does not know counts as revoked.
    ///
    /// # Errors
    ///
    /// - [`Unsupported`](crate::ErrorKind::Unsupported) if the server has no revocation endpoint (WorkOS has none) or
    ///   cannot revoke this kind of token.
    /// - [`Network`](crate::ErrorKind::Network) if the request failed or
    ///   the server cannot handle it now. The token may still be valid.
    /// - [`InvalidConfig`](crate::ErrorKind::InvalidConfig) if the token is empty. Nothing was sent.
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

    /// Async variant of [`revoke`](Client::revoke) for any executor. Dropping the future ends the request.
    ///
    /// ```no_run
    /// # async fn f(client: cli_auth::Client, stored: cli_auth::Secret) -> Result<(), cli_auth::Error> {
    /// client.revoke_async(&stored).await?;
    /// # Ok(()) }
    /// ```
    pub async fn revoke_async(&self, token: &Secret) -> Result<(), Error> {
        self.run_async(self.0.revoke(token)?).await
    }

    fn run<T: Clone + 'static>(&self, flow: impl Flow<Output = T> + 'static) -> Result<T, Error> {
        let environment = self.0.environment()?;
        let _lease = Lease::new(&environment);
        environment.engine.block_on(false, run(flow, &environment)).map_err(no_resource)?
    }

    async fn run_async<T: Clone + 'static>(&self, flow: impl Flow<Output = T> + 'static) -> Result<T, Error> {
        let environment = self.0.environment()?;
        let _lease = Lease::new(&environment);
        let run = environment.engine.inside(run(flow, &environment)).map_err(no_resource)?;
        run.await.map_err(|_| forked("this request was sent: send it again in the child"))?
    }
}
