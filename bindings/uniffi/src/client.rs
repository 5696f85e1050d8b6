//! Who asks whom.

use std::sync::{Arc, Mutex, PoisonError};

use super::{cancellation::Cancellation, failure::Failure, login::Login, secret::Secret, tokens::Tokens};
use cli_auth::{ClientAuth, host};

/// The settings of a client. Nothing is checked before `build`, but for what a time can be.
#[derive(uniffi::Object)]
pub(crate) struct ClientBuilder(Mutex<cli_auth::ClientBuilder>);

impl ClientBuilder {
    fn new(builder: cli_auth::ClientBuilder) -> Self {
        Self(Mutex::new(builder))
    }

    fn set(&self, change: impl FnOnce(cli_auth::ClientBuilder) -> cli_auth::ClientBuilder) {
        let mut builder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *builder = change(builder.clone());
    }
}

#[uniffi::export]
impl ClientBuilder {
    /// WorkOS AuthKit.
    #[uniffi::constructor]
    fn authkit(client_id: String) -> Self {
        Self::new(cli_auth::Client::authkit(client_id))
    }

    /// WorkOS Connect.
    #[uniffi::constructor]
    fn workos_connect(domain: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::workos_connect(domain, client_id))
    }

    /// Any server that publishes its metadata.
    #[uniffi::constructor]
    fn for_issuer(issuer: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::for_issuer(issuer, client_id))
    }

    /// Any other server.
    #[uniffi::constructor]
    fn with_endpoints(device_authorization: String, token: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::with_endpoints(device_authorization, token, client_id))
    }

    /// AuthKit: another address of the API.
    fn api_base(&self, url: String) {
        self.set(|builder| builder.api_base(url));
    }

    /// Explicit endpoints: where tokens are revoked.
    fn revocation_endpoint(&self, url: String) {
        self.set(|builder| builder.revocation_endpoint(url));
    }

    /// One more scope.
    fn scope(&self, scope: String) {
        self.set(|builder| builder.scope(scope));
    }

    /// One more parameter of the device authorization request.
    fn param(&self, name: String, value: String) {
        self.set(|builder| builder.param(name, value));
    }

    /// One more header of every request.
    fn header(&self, name: String, value: String) {
        self.set(|builder| builder.header(name, value));
    }

    /// Certificates to trust beside those of the system.
    fn ca_pem(&self, pem: Vec<u8>) {
        self.set(|builder| builder.ca_pem(pem));
    }

    /// The proxy of every request.
    fn proxy(&self, url: String) {
        self.set(|builder| builder.proxy(url));
    }

    /// Who asks, such as `my-cli/1.2`.
    fn product(&self, product: String) {
        self.set(|builder| builder.product(product));
    }

    /// A client secret, sent as the server's metadata says, else by `client_secret_basic`.
    fn client_secret(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::Auto));
    }

    /// A client secret, sent by `client_secret_basic`.
    fn client_secret_basic(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::ClientSecretBasic));
    }

    /// A client secret, sent by `client_secret_post`.
    fn client_secret_post(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::ClientSecretPost));
    }

    /// How long a connection may take to come about, in seconds.
    fn connect_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("connect timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.connect_timeout(limit));
        Ok(())
    }

    /// How long a server may be silent, in seconds.
    fn read_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("read timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.read_timeout(limit));
        Ok(())
    }

    /// How long one request may take, in seconds.
    fn request_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("request timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.request_timeout(limit));
        Ok(())
    }

    /// How long a whole login may take, in seconds.
    fn login_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("login timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.login_timeout(limit));
        Ok(())
    }

    /// Allows plain http to this machine.
    fn allow_insecure_loopback(&self, allow: bool) {
        self.set(|builder| builder.allow_insecure_loopback(allow));
    }

    /// Checks everything and makes the client.
    fn build(&self) -> Result<Arc<Client>, Arc<Failure>> {
        let builder = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        builder.build().map(|client| Arc::new(Client(client))).map_err(Failure::arc)
    }
}

/// A client of one authorization server.
#[derive(uniffi::Object)]
pub(crate) struct Client(cli_auth::Client);

#[uniffi::export]
impl Client {
    /// One attempt to log in.
    fn login(&self) -> Arc<Login> {
        Arc::new(Login(self.0.login()))
    }

    /// Begins to trade a refresh token for new tokens.
    fn begin_refresh(&self, refresh_token: &Secret) -> Result<Arc<RefreshRequest>, Arc<Failure>> {
        self.0.begin_refresh(&refresh_token.0).map(|e| Arc::new(RefreshRequest(e))).map_err(Failure::arc)
    }

    /// Trades a refresh token for new tokens, on the host's executor.
    async fn refresh_async(&self, refresh_token: Arc<Secret>) -> Result<Arc<Tokens>, Arc<Failure>> {
        self.0.refresh_async(&refresh_token.0).await.map(|t| Arc::new(Tokens(t))).map_err(Failure::arc)
    }

    /// As `refresh_async`, until it is cancelled.
    async fn refresh_cancellable(
        &self,
        refresh_token: Arc<Secret>,
        cancellation: Arc<Cancellation>,
    ) -> Result<Arc<Tokens>, Arc<Failure>> {
        let tokens = cancellation.or_outcome_of(self.0.refresh_async(&refresh_token.0)).await;
        tokens.map(|t| Arc::new(Tokens(t))).map_err(Failure::arc)
    }

    /// Begins to end a token's life.
    fn begin_revoke(&self, token: &Secret) -> Result<Arc<RevokeRequest>, Arc<Failure>> {
        self.0.begin_revoke(&token.0).map(|e| Arc::new(RevokeRequest(e))).map_err(Failure::arc)
    }

    /// Ends a token's life, on the host's executor.
    async fn revoke_async(&self, token: Arc<Secret>) -> Result<(), Arc<Failure>> {
        self.0.revoke_async(&token.0).await.map_err(Failure::arc)
    }

    /// As `revoke_async`, until it is cancelled.
    async fn revoke_cancellable(
        &self,
        token: Arc<Secret>,
        cancellation: Arc<Cancellation>,
    ) -> Result<(), Arc<Failure>> {
        cancellation.or_outcome_of(self.0.revoke_async(&token.0)).await.map_err(Failure::arc)
    }

    /// Ends everything of this client that could wake the host, for good. For hosts that exit.
    fn shut_down(&self) -> Result<(), Arc<Failure>> {
        self.0.shut_down().map_err(Failure::arc)
    }
}

/// A refresh under way. Letting go of it ends the request.
#[derive(uniffi::Object)]
pub(crate) struct RefreshRequest(host::RefreshRequest);

#[uniffi::export]
impl RefreshRequest {
    /// Waits for the answer, at most so many seconds.
    fn step(&self, max_wait: f64) -> Result<Option<Arc<Tokens>>, Arc<Failure>> {
        let tokens = self.0.step(host::duration(max_wait).map_err(Failure::arc)?).map_err(Failure::arc)?;
        Ok(tokens.map(|tokens| Arc::new(Tokens(tokens))))
    }
}

/// A revocation under way. Letting go of it ends the request.
#[derive(uniffi::Object)]
pub(crate) struct RevokeRequest(host::RevokeRequest);

#[uniffi::export]
impl RevokeRequest {
    /// Waits for the answer, at most so many seconds. Whether it is there.
    fn step(&self, max_wait: f64) -> Result<bool, Arc<Failure>> {
        self.0.step(host::duration(max_wait).map_err(Failure::arc)?).map_err(Failure::arc)
    }
}
