//! How a client is made.

use std::time::Duration;

use crate::{
    Client, ClientAuth, Error, Secret,
    config::{Draft, Provider},
    protocol::uri::Loopback,
};

/// WorkOS's API, where AuthKit's device flow lives.
const WORKOS_API: &str = "https://api.workos.com";

/// The settings of a [`Client`]. Made by [`Client::authkit`] and its relatives; nothing is checked before
/// [`build`](ClientBuilder::build), and nothing is sent before a login starts.
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
    /// WorkOS AuthKit, by the client id of the environment.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn authkit(client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::AuthKit { api_base: WORKOS_API.into() }, client_id)
    }

    /// WorkOS Connect, by the AuthKit domain (`acme.authkit.app`, or with `https://`) and the application's client id.
    ///
    /// ```
    /// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123").scope("openid").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn workos_connect(domain: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::WorkosConnect { domain: domain.into() }, client_id)
    }

    /// Any server that publishes its metadata (RFC 8414, then OpenID Connect Discovery), by its issuer. The issuer must be
    /// written exactly as the server writes it.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com/realms/main", "my-cli").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn for_issuer(issuer: impl Into<String>, client_id: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Provider::Issuer(issuer.into()), client_id)
    }

    /// Any server, by its device authorization endpoint and its token endpoint.
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

    /// AuthKit only: another address of WorkOS's API, such as that of a test server.
    ///
    /// With any other provider, [`build`](ClientBuilder::build) fails. It must be https, without a query; a path in it is kept.
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

    /// [`Client::with_endpoints`] only: where tokens are revoked (RFC 7009).
    ///
    /// With any other provider, [`build`](ClientBuilder::build) fails: metadata names it, and WorkOS has none.
    ///
    /// ```
    /// let client = cli_auth::Client::with_endpoints("https://h/device", "https://h/token", "my-cli").revocation_endpoint("https://h/revoke").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        match &mut self.0.provider {
            Provider::Endpoints { revocation, .. } => *revocation = Some(url.into()),
            _ => self.0.misplaced = Some("revocation endpoint"),
        }
        self
    }

    /// Asks for a scope (RFC 6749 section 3.3). None is asked for by itself: refresh tokens often need `offline_access`.
    ///
    /// One scope a call: printable ASCII without space, quote and backslash. WorkOS AuthKit knows no scopes.
    ///
    /// ```
    /// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123").scope("offline_access").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scopes.push(scope.into());
        self
    }

    /// Asks for several scopes.
    ///
    /// They are added to those that were asked for before, and sent in this order.
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

    /// An extra parameter of the device authorization request, such as `audience` (RFC 8628 section 3.1).
    ///
    /// Parameters of the protocol itself (`client_id`, `scope`, `device_code`, …) are refused, and so is a name that is there
    /// twice, except `resource` (RFC 8707 section 2). Not for secrets: `Debug` shows the value.
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli").param("audience", "https://api.example.com").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.params.push((name.into(), value.into()));
        self
    }

    /// An extra header of every request. Its value counts as a secret.
    ///
    /// It goes to every server that the settings or the metadata name: with [`Client::for_issuer`], the issuer decides where.
    /// Headers that belong to the protocol (`Host`, `Accept`, `Content-Type`, `User-Agent`, …) are refused. `Authorization` and
    /// a client secret exclude each other.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").header("X-Tenant", "acme").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), Secret::new(value)));
        self
    }

    /// Trusts the certificates of this PEM text beside those of the operating system: a company's CA, a test server's.
    ///
    /// At most 4 MiB, with one certificate at least. Called again, it adds more.
    ///
    /// ```
    /// # let pem = "";
    /// # let build = || {
    /// let client = cli_auth::Client::authkit("client_123").ca_pem(pem).build()?;
    /// # Ok::<_, cli_auth::Error>(client) };
    /// # assert_eq!(build().unwrap_err().kind(), cli_auth::ErrorKind::InvalidConfig); // no certificate in it
    /// ```
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.0.ca_pem.push(pem.into());
        self
    }

    /// Sends every request through this `http://` or `https://` proxy, except to this machine. Without it, `HTTPS_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY` are honoured. SOCKS proxies are not supported.
    ///
    /// A user name and a password may be in the address; it counts as a secret.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").proxy("http://proxy.example.com:3128").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.0.proxy = Some(Secret::new(url));
        self
    }

    /// Who asks: the first part of the User-Agent, such as `my-cli/1.2`. The name before the slash is shown in the prompt.
    ///
    /// Name and version are tokens (RFC 9110 section 10.1.5); this library's own name and version follow them.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").product("my-cli/1.2").build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn product(mut self, product: impl Into<String>) -> Self {
        self.0.product = Some(product.into());
        self
    }

    /// A client secret, for servers that insist on one. A secret in a distributed program is not confidential
    /// (RFC 8252 section 8.5).
    ///
    /// ```
    /// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli").client_secret("s3cr3t", cli_auth::ClientAuth::Auto).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn client_secret(mut self, secret: impl Into<String>, auth: ClientAuth) -> Self {
        self.0.secret = Some((Secret::new(secret), auth));
        self
    }

    /// How long a connection may take to come about: DNS, TCP and TLS. 10 s unless set.
    ///
    /// More than 0 and at most 24 hours, like the two limits that follow.
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

    /// How long a server may be silent within an answer. 15 s unless set.
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

    /// How long one request may take in all. 25 s unless set.
    ///
    /// A poll that takes longer counts as lost: [`Event::Retrying`](crate::Event::Retrying), and the login goes on.
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

    /// How long a whole login may take, from its first step. Without it, the code's lifetime alone decides.
    ///
    /// More than 0. Then the login ends with [`Expired`](crate::ErrorKind::Expired); the server is not told. Tokens that arrive
    /// at that moment count.
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

    /// Allows plain http to this machine. **For tests and local development only**: anybody on this machine can listen.
    ///
    /// This machine is `localhost`, `127.0.0.0/8` and `::1`; http to any other host stays refused.
    ///
    /// ```
    /// let client = cli_auth::Client::authkit("client_123").api_base("http://127.0.0.1:8628").allow_insecure_loopback(true).build()?;
    /// # Ok::<(), cli_auth::Error>(())
    /// ```
    pub fn allow_insecure_loopback(mut self, allow: bool) -> Self {
        self.0.loopback = if allow { Loopback::Allowed } else { Loopback::Refused };
        self
    }

    /// Checks everything and makes the client. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidConfig`](crate::ErrorKind::InvalidConfig) names the setting and says what to do.
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
