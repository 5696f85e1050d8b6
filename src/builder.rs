//! The builder of a client.

use std::time::Duration;

use crate::{
    Client, ClientAuth, Error, Pkce, Secret,
    config::{Draft, Named, Provider},
    http::Pem,
    protocol::uri::Loopback,
};

/// The WorkOS API, which hosts AuthKit's device flow.
const WORKOS_API: &str = "https://api.workos.com";

/// The settings of a [`Client`].
///
/// Created by [`Client::authkit`], [`Client::workos_connect`], [`Client::for_issuer`] and [`Client::with_endpoints`].
/// Settings are checked by [`build`](ClientBuilder::build). Nothing is sent before a login starts.
///
/// ```
/// let client = cli_auth::Client::for_issuer("https://auth.example.com", "my-cli")
///     .product("my-cli/1.2")
///     .scopes(["openid", "offline_access"])
///     .build()?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder(Draft);

impl Client {
    /// Creates a builder for WorkOS AuthKit from the client id of the environment.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn authkit(client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::AuthKit { api_base: WORKOS_API.into() }, client_id)
    }

    /// Creates a builder for WorkOS Connect from the AuthKit domain (`acme.authkit.app`, with or without `https://`)
    /// and the client id of the application.
    ///
    /// ```
    /// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123").scope("openid").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn workos_connect(domain: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::WorkosConnect { domain: domain.into() }, client_id)
    }

    /// Creates a builder for a server that publishes its metadata, from its issuer.
    ///
    /// The metadata is read from RFC 8414's location first, then from OpenID Connect Discovery's. The issuer must be
    /// spelled exactly as in the server's metadata.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com/realms/main", "my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn for_issuer(issuer: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::Issuer { issuer: issuer.into(), named: Named::default() }, client_id)
    }

    /// Creates a builder for any server from its device authorization endpoint and its token endpoint.
    ///
    /// ```
    /// let client = cli_auth::Client::with_endpoints("https://h/device", "https://h/token", "my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn with_endpoints(
        device_authorization: impl Into<String>,
        token: impl Into<String>,
        client_id: impl Into<String>,
    ) -> ClientBuilder {
        let provider = Provider::Endpoints {
            device_authorization: device_authorization.into(),
            token: token.into(),
            revocation: None,
        };
        ClientBuilder::new(provider, client_id)
    }
}

impl ClientBuilder {
    fn new(provider: Provider, client_id: impl Into<String>) -> Self {
        Self(Draft::new(provider, client_id.into()))
    }

    /// Sets the base URL of the WorkOS API, for example that of a test server. AuthKit only.
    ///
    /// Defaults to `https://api.workos.com`. The URL must use https (or http to this machine, if
    /// [`allow_insecure_loopback`](ClientBuilder::allow_insecure_loopback) allows it) and must not have a query. Its
    /// path is kept. With any other provider, [`build`](ClientBuilder::build) fails.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").api_base("https://workos.test.example").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn api_base(mut self, url: impl Into<String>) -> Self {
        match &mut self.0.provider {
            Provider::AuthKit { api_base } => *api_base = url.into(),
            _ => self.0.misplaced = Some("API base"),
        }
        self
    }

    /// Sets the device authorization endpoint. [`Client::for_issuer`] only, for a server whose metadata lacks it. It
    /// takes precedence over that of the metadata.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://h", "my-cli")
    ///     .device_authorization_endpoint("https://h/device")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn device_authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        match &mut self.0.provider {
            Provider::Issuer { named, .. } => named.device_authorization = Some(url.into()),
            _ => self.0.misplaced = Some("device authorization endpoint"),
        }
        self
    }

    /// Sets the token endpoint. [`Client::for_issuer`] only, for a server whose metadata lacks it. It takes precedence
    /// over that of the metadata.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://h", "my-cli").token_endpoint("https://h/token").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        match &mut self.0.provider {
            Provider::Issuer { named, .. } => named.token = Some(url.into()),
            _ => self.0.misplaced = Some("token endpoint"),
        }
        self
    }

    /// Sets the revocation endpoint (RFC 7009). [`Client::with_endpoints`] and [`Client::for_issuer`] only: WorkOS has
    /// none. It takes precedence over that of the metadata.
    ///
    /// ```
    /// let client = cli_auth::Client::with_endpoints("https://h/device", "https://h/token", "my-cli")
    ///     .revocation_endpoint("https://h/revoke")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        match &mut self.0.provider {
            Provider::Endpoints { revocation, .. } => *revocation = Some(url.into()),
            Provider::Issuer { named, .. } => named.revocation = Some(url.into()),
            _ => self.0.misplaced = Some("revocation endpoint"),
        }
        self
    }

    /// Adds one scope to request (RFC 6749 section 3.3). Defaults to no scopes.
    ///
    /// A scope is printable ASCII without spaces, quotes and backslashes. Many servers return a refresh token only if
    /// the scope `offline_access` was requested. WorkOS AuthKit does not use scopes.
    ///
    /// ```
    /// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123")
    ///     .scope("offline_access")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scopes.push(scope.into());
        self
    }

    /// Adds several scopes to request.
    ///
    /// They are added to the scopes set before and are sent in this order.
    ///
    /// ```
    /// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123")
    ///     .scopes(["openid", "email"])
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.0.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds a parameter to the device authorization request (RFC 8628 section 3.1), such as `audience`.
    ///
    /// The name and the value must not be empty. Parameters of the protocol (`client_id`,
    /// `scope`, `device_code`, …) are refused. A name may be used only once, except
    /// `resource` (RFC 8707 section 2). Do not pass secrets: `Debug` shows the value.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .param("audience", "https://api.example.com")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.params.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the token request, which is sent at every poll (RFC 8628 section 3.4).
    ///
    /// Some servers require `resource` (RFC 8707 section 2) or `audience` here as well as in the device authorization
    /// request, which has its own parameters: [`param`](ClientBuilder::param). The same rules apply.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .param("resource", "https://api.example.com")
    ///     .token_param("resource", "https://api.example.com")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn token_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.token_params.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to every refresh (RFC 6749 section 6), such as `resource` (RFC 8707 section 2.2).
    ///
    /// A login does not send it. [`RefreshOptions::param`](crate::RefreshOptions::param) adds one to a single refresh.
    /// The rules of [`param`](ClientBuilder::param) apply.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .refresh_param("resource", "https://api.example.com")
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn refresh_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.refresh_params.push((name.into(), value.into()));
        self
    }

    /// Sets whether an ID token is verified (OpenID Connect Core section 3.1.3.7). Defaults to `true`.
    ///
    /// If it is not, its keys are not fetched, nothing in it is checked, and
    /// [`Tokens::identity`](crate::Tokens::identity) is `None`. AuthKit issues no ID token.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .verify_id_token(false)
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn verify_id_token(mut self, verify: bool) -> Self {
        self.0.verify_id_token = verify;
        self
    }

    /// Sets whether a login uses PKCE (RFC 7636). Defaults to [`Pkce::Auto`].
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .pkce(cli_auth::Pkce::Never)
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.0.pkce = pkce;
        self
    }

    /// Adds a header to every request. The value is treated as a secret.
    ///
    /// The header is sent to every server that the settings or the metadata name. With [`Client::for_issuer`], the
    /// issuer's metadata therefore decides who receives it. Headers of the protocol (`Host`, `Accept`, `Content-Type`,
    /// `User-Agent`, …) are refused. An `Authorization` header cannot be combined with a client secret.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").header("X-Tenant", "acme").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), Secret::new(value)));
        self
    }

    /// Trusts the certificates in this PEM text in addition to those of the
    /// operating system, for example a company's CA or that of a test server.
    ///
    /// The text must be at most 4 MiB and contain at least one certificate. Each call adds certificates. A server that
    /// presents one of these certificates itself is accepted too, for example with a self-signed one.
    ///
    /// ```
    /// # let pem = "";
    /// # let build = || {
    /// let client = cli_auth::Client::authkit("client_123").ca_pem(pem).build()?;
    /// # Ok::<_, cli_auth::Error>(client) };
    /// # assert_eq!(build().unwrap_err().kind(), cli_auth::ErrorKind::InvalidConfig); // no certificate in it
    /// ```
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.0.ca_pem.push(Pem::new(pem.into()));
        self
    }

    /// Sends requests through this proxy, a URL with one of these schemes:
    ///
    /// - `http`, `https`: an HTTP proxy, by CONNECT. Without a scheme, `http` is meant.
    /// - `socks5h`, `socks4a`: a SOCKS proxy that resolves the names of servers. `socks` is read as `socks5h`.
    /// - `socks5`, `socks4`: a SOCKS proxy; the names of servers are resolved on this machine.
    ///
    /// Defaults to the environment: `HTTPS_PROXY` or `ALL_PROXY`, with the exceptions in `NO_PROXY`. Requests to this
    /// machine never use a proxy. A variable that cannot be used is an error of the first request, of kind
    /// [`Proxy`](crate::ErrorKind::Proxy): no request is sent without the proxy.
    ///
    /// `NO_PROXY` is a comma-separated list. `*` is every host, `name` and `.name` are that name and all names below
    /// it, `*.name` is the names below it, and the rest is IP addresses and networks (`10.0.0.0/8`). Each entry may end
    /// with a port.
    ///
    /// The URL may contain a user name (also `DOMAIN\user`) and a password, percent-encoded or as they are. It is
    /// treated as a secret. They are sent as Basic authentication, or as SOCKS 5 has it; SOCKS 4 has no passwords. NTLM
    /// and Negotiate are not supported: a proxy that requires them needs a local proxy that adds them, such as cntlm or
    /// px.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").proxy("http://proxy.example.com:3128").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.0.proxy = Some(Secret::new(url));
        self
    }

    /// Sets the product, such as `my-cli/1.2`: the first part of the
    /// User-Agent header. The prompt shows the name before the slash.
    ///
    /// The name and the optional version must be tokens (RFC 9110 section 10.1.5). The User-Agent ends with the name
    /// and version of this library. Defaults to no product.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").product("my-cli/1.2").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn product(mut self, product: impl Into<String>) -> Self {
        self.0.product = Some(product.into());
        self
    }

    /// Sets the client secret, for servers that require one.
    ///
    /// A secret in a distributed program is not confidential (RFC 8252 section 8.5).
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
    ///     .client_secret("s3cr3t", cli_auth::ClientAuth::Auto)
    ///     .build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn client_secret(mut self, secret: impl Into<String>, auth: ClientAuth) -> Self {
        self.0.secret = Some((Secret::new(secret), auth));
        self
    }

    /// Sets the timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
    ///
    /// Must be more than 0 and at most 24 hours.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let client = cli_auth::Client::authkit("client_123").connect_timeout(Duration::from_secs(5)).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.0.timeouts.connect = limit;
        self
    }

    /// Sets how long a request waits for its response to begin, and
    /// then for each further part of it. Defaults to 15 seconds.
    ///
    /// Must be more than 0 and at most 24 hours.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let client = cli_auth::Client::authkit("client_123").read_timeout(Duration::from_secs(10)).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.0.timeouts.read = limit;
        self
    }

    /// Sets the timeout for a whole request. Defaults to 25 seconds.
    ///
    /// Must be more than 0 and at most 24 hours. A poll that takes longer is reported as
    /// [`Event::Retrying`](crate::Event::Retrying), and the login continues.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let client = cli_auth::Client::authkit("client_123").request_timeout(Duration::from_secs(20)).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.0.timeouts.total = limit;
        self
    }

    /// Sets the timeout for a whole login, measured from its first
    /// step. Defaults to none: the login ends when the code expires.
    ///
    /// Must be more than 0. After this time the login ends with [`Expired`](crate::ErrorKind::Expired); the server is
    /// not notified. Tokens that arrive at that moment are still returned.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let client = cli_auth::Client::authkit("client_123").login_timeout(Duration::from_secs(120)).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn login_timeout(mut self, limit: Duration) -> Self {
        self.0.login_timeout = Some(limit);
        self
    }

    /// Sets whether plain http to this machine is allowed. Defaults to `false`. **For tests and local development
    /// only**: other users of this machine may be able to intercept the connection.
    ///
    /// This machine is `localhost` and every name below it, `127.0.0.0/8` and `::1`. Plain http to any other host is
    /// always refused.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").api_base("http://127.0.0.1:8628").allow_insecure_loopback(true).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn allow_insecure_loopback(mut self, allow: bool) -> Self {
        self.0.loopback = if allow { Loopback::Allowed } else { Loopback::Refused };
        self
    }

    /// Checks the settings and creates the client. Performs no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) if a setting
    /// cannot be used. The message names the setting and says what to do.
    ///
    /// ```
    /// let error = cli_auth::Client::authkit("client_123").product("my cli").build().unwrap_err();
    /// assert_eq!(error.to_string(), "the product must look like my-cli or my-cli/1.2");
    /// ```
    pub fn build(self) -> Result<Client, Error> {
        self.0.check().map(Client::new)
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
