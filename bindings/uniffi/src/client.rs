//! Clients and their settings.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    cancellation::Cancellation, failure::Failure, identity::Identity, login::Login, secret::Secret,
    tokens::Tokens,
};
use cli_auth::{ClientAuth, Pkce, host};

/// The settings of a client. They are checked by `build`, except that a timeout must be a valid time when it is set.
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
    /// Creates a builder for WorkOS AuthKit.
    #[uniffi::constructor]
    fn authkit(client_id: String) -> Self {
        Self::new(cli_auth::Client::authkit(client_id))
    }

    /// Creates a builder for WorkOS Connect.
    #[uniffi::constructor]
    fn workos_connect(domain: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::workos_connect(domain, client_id))
    }

    /// Creates a builder for a server that publishes its metadata.
    #[uniffi::constructor]
    fn for_issuer(issuer: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::for_issuer(issuer, client_id))
    }

    /// Creates a builder for any other server, from its endpoint URLs.
    #[uniffi::constructor]
    fn with_endpoints(device_authorization: String, token: String, client_id: String) -> Self {
        Self::new(cli_auth::Client::with_endpoints(device_authorization, token, client_id))
    }

    /// Sets the base URL of the API. WorkOS AuthKit only.
    fn api_base(&self, url: String) {
        self.set(|builder| builder.api_base(url));
    }

    /// Sets the URL of the device authorization endpoint. A client by issuer only.
    fn device_authorization_endpoint(&self, url: String) {
        self.set(|builder| builder.device_authorization_endpoint(url));
    }

    /// Sets the URL of the token endpoint. A client by issuer only.
    fn token_endpoint(&self, url: String) {
        self.set(|builder| builder.token_endpoint(url));
    }

    /// Sets the URL of the revocation endpoint. Explicit endpoints or a client by issuer only.
    fn revocation_endpoint(&self, url: String) {
        self.set(|builder| builder.revocation_endpoint(url));
    }

    /// Adds a scope.
    fn scope(&self, scope: String) {
        self.set(|builder| builder.scope(scope));
    }

    /// Adds a parameter to the device authorization request.
    fn param(&self, name: String, value: String) {
        self.set(|builder| builder.param(name, value));
    }

    /// Adds a parameter to the token request.
    fn token_param(&self, name: String, value: String) {
        self.set(|builder| builder.token_param(name, value));
    }

    /// Adds a parameter to every refresh.
    fn refresh_param(&self, name: String, value: String) {
        self.set(|builder| builder.refresh_param(name, value));
    }

    /// Sets whether an ID token is verified.
    fn verify_id_token(&self, verify: bool) {
        self.set(|builder| builder.verify_id_token(verify));
    }

    /// Sets whether a login always or never uses PKCE. Not called for the default, which the metadata decides.
    fn pkce(&self, always: bool) {
        self.set(|builder| builder.pkce(if always { Pkce::Always } else { Pkce::Never }));
    }

    /// Adds a header to every request.
    fn header(&self, name: String, value: String) {
        self.set(|builder| builder.header(name, value));
    }

    /// Adds CA certificates in PEM, trusted in addition to those of the operating system.
    fn ca_pem(&self, pem: Vec<u8>) {
        self.set(|builder| builder.ca_pem(pem));
    }

    /// Sets the HTTP or SOCKS proxy for all requests except those to this machine.
    fn proxy(&self, url: String) {
        self.set(|builder| builder.proxy(url));
    }

    /// Sets the name of the program and optionally its version, such as `my-cli/1.2`.
    fn product(&self, product: String) {
        self.set(|builder| builder.product(product));
    }

    /// Sets the client secret. It is sent as specified by the server's metadata, otherwise by `client_secret_basic`.
    fn client_secret(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::Auto));
    }

    /// Sets the client secret. It is sent by `client_secret_basic`.
    fn client_secret_basic(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::ClientSecretBasic));
    }

    /// Sets the client secret. It is sent by `client_secret_post`.
    fn client_secret_post(&self, secret: &Secret) {
        self.set(|builder| builder.client_secret(secret.0.expose(), ClientAuth::ClientSecretPost));
    }

    /// Sets the timeout for establishing a connection, in seconds.
    fn connect_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("connect timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.connect_timeout(limit));
        Ok(())
    }

    /// Sets the maximum silence of the server within a response, in seconds.
    fn read_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("read timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.read_timeout(limit));
        Ok(())
    }

    /// Sets the timeout for a whole request, in seconds.
    fn request_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("request timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.request_timeout(limit));
        Ok(())
    }

    /// Sets the timeout for a whole login, in seconds.
    fn login_timeout(&self, limit: f64) -> Result<(), Arc<Failure>> {
        let limit = host::timeout("login timeout", limit).map_err(Failure::arc)?;
        self.set(|builder| builder.login_timeout(limit));
        Ok(())
    }

    /// Allows plain http to this machine.
    fn allow_insecure_loopback(&self, allow: bool) {
        self.set(|builder| builder.allow_insecure_loopback(allow));
    }

    /// Checks all settings and creates the client.
    fn build(&self) -> Result<Arc<Client>, Arc<Failure>> {
        let builder = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        builder.build().map(|client| Arc::new(Client(client))).map_err(Failure::arc)
    }
}

/// The settings for one authorization server.
#[derive(uniffi::Object)]
pub(crate) struct Client(cli_auth::Client);

#[uniffi::export]
impl Client {
    /// Creates a single login attempt.
    fn login(&self) -> Arc<Login> {
        Arc::new(Login(self.0.login()))
    }

    /// Starts the exchange of a refresh token for new tokens.
    fn begin_refresh(
        &self,
        refresh_token: &Secret,
        options: RefreshOptions,
    ) -> Result<Arc<RefreshRequest>, Arc<Failure>> {
        let request = self.0.begin_refresh(&refresh_token.0, &options.into());
        request.map(|request| Arc::new(RefreshRequest(request))).map_err(Failure::arc)
    }

    /// Exchanges a refresh token for new tokens, on the host's executor.
    async fn refresh_async(
        &self,
        refresh_token: Arc<Secret>,
        options: RefreshOptions,
    ) -> Result<Arc<Tokens>, Arc<Failure>> {
        let tokens = self.0.refresh_with_async(&refresh_token.0, &options.into()).await;
        tokens.map(|t| Arc::new(Tokens(t))).map_err(Failure::arc)
    }

    /// Same as `refresh_async`, with a cancellation.
    async fn refresh_cancellable(
        &self,
        refresh_token: Arc<Secret>,
        options: RefreshOptions,
        cancellation: Arc<Cancellation>,
    ) -> Result<Arc<Tokens>, Arc<Failure>> {
        let options = options.into();
        let request = self.0.refresh_with_async(&refresh_token.0, &options);
        let tokens = cancellation.or_outcome_of(request).await;
        tokens.map(|t| Arc::new(Tokens(t))).map_err(Failure::arc)
    }

    /// Starts the revocation of a token.
    fn begin_revoke(&self, token: &Secret) -> Result<Arc<RevokeRequest>, Arc<Failure>> {
        self.0.begin_revoke(&token.0).map(|e| Arc::new(RevokeRequest(e))).map_err(Failure::arc)
    }

    /// Revokes a token, on the host's executor.
    async fn revoke_async(&self, token: Arc<Secret>) -> Result<(), Arc<Failure>> {
        self.0.revoke_async(&token.0).await.map_err(Failure::arc)
    }

    /// Same as `revoke_async`, with a cancellation.
    async fn revoke_cancellable(
        &self,
        token: Arc<Secret>,
        cancellation: Arc<Cancellation>,
    ) -> Result<(), Arc<Failure>> {
        cancellation.or_outcome_of(self.0.revoke_async(&token.0)).await.map_err(Failure::arc)
    }

    /// Starts a userinfo request.
    fn begin_userinfo(
        &self,
        access_token: &Secret,
        subject: Option<String>,
    ) -> Result<Arc<UserinfoRequest>, Arc<Failure>> {
        let request = self.0.begin_userinfo(&access_token.0, subject.as_deref());
        request.map(|request| Arc::new(UserinfoRequest(request))).map_err(Failure::arc)
    }

    /// Asks who the user of an access token is, on the host's executor.
    async fn userinfo_async(
        &self,
        access_token: Arc<Secret>,
        subject: Option<String>,
    ) -> Result<Identity, Arc<Failure>> {
        let identity = self.0.userinfo_async(&access_token.0, subject.as_deref()).await;
        identity.as_ref().map(Identity::from).map_err(|error| Failure::arc(error.clone()))
    }

    /// Same as `userinfo_async`, with a cancellation.
    async fn userinfo_cancellable(
        &self,
        access_token: Arc<Secret>,
        subject: Option<String>,
        cancellation: Arc<Cancellation>,
    ) -> Result<Identity, Arc<Failure>> {
        let request = self.0.userinfo_async(&access_token.0, subject.as_deref());
        let identity = cancellation.or_outcome_of(request).await;
        identity.as_ref().map(Identity::from).map_err(|error| Failure::arc(error.clone()))
    }

    /// Permanently ends everything of this client that could wake the host. For hosts that are exiting.
    fn shut_down(&self) -> Result<(), Arc<Failure>> {
        self.0.shut_down().map_err(Failure::arc)
    }
}

/// What a refresh asks for besides new tokens.
#[derive(uniffi::Record)]
pub(crate) struct RefreshOptions {
    /// The scopes of the new access token. Empty for all that were granted.
    scopes: Vec<String>,
    /// Extra parameters.
    params: Vec<Param>,
    /// The user that the tokens must be for.
    subject: Option<String>,
}

/// A parameter of a request.
#[derive(uniffi::Record)]
pub(crate) struct Param {
    /// The name.
    name: String,
    /// The value.
    value: String,
}

impl From<RefreshOptions> for cli_auth::RefreshOptions {
    fn from(options: RefreshOptions) -> Self {
        let mut converted = Self::new().scopes(options.scopes);
        for Param { name, value } in options.params {
            converted = converted.param(name, value);
        }
        match options.subject {
            Some(subject) => converted.subject(subject),
            None => converted,
        }
    }
}

/// A refresh request in flight. Dropping it aborts the request.
#[derive(uniffi::Object)]
pub(crate) struct RefreshRequest(host::RefreshRequest);

#[uniffi::export]
impl RefreshRequest {
    /// Waits for the response for at most `max_wait` seconds. Returns nothing if it has not arrived yet.
    fn step(&self, max_wait: f64) -> Result<Option<Arc<Tokens>>, Arc<Failure>> {
        let tokens = self.0.step(host::duration(max_wait).map_err(Failure::arc)?).map_err(Failure::arc)?;
        Ok(tokens.map(|tokens| Arc::new(Tokens(tokens))))
    }
}

/// A revocation request in flight. Dropping it aborts the request.
#[derive(uniffi::Object)]
pub(crate) struct RevokeRequest(host::RevokeRequest);

#[uniffi::export]
impl RevokeRequest {
    /// Waits for the response for at most `max_wait` seconds. Returns whether it has arrived.
    fn step(&self, max_wait: f64) -> Result<bool, Arc<Failure>> {
        self.0.step(host::duration(max_wait).map_err(Failure::arc)?).map_err(Failure::arc)
    }
}

/// A userinfo request in flight. Dropping it aborts the request.
#[derive(uniffi::Object)]
pub(crate) struct UserinfoRequest(host::UserinfoRequest);

#[uniffi::export]
impl UserinfoRequest {
    /// Waits for the response for at most `max_wait` seconds. Returns nothing if it has not arrived yet.
    fn step(&self, max_wait: f64) -> Result<Option<Identity>, Arc<Failure>> {
        let identity = self.0.step(host::duration(max_wait).map_err(Failure::arc)?).map_err(Failure::arc)?;
        Ok(identity.as_ref().map(Identity::from))
    }
}
