//! The settings of a client that all of its flows share.

use super::{pkce::Pkce, uri::Loopback};
use crate::Secret;

/// How the client secret is sent (RFC 6749 section 2.3.1). The names are those of OpenID Connect Core section 9.
///
/// ```
/// let client = cli_auth::Client::workos_connect("acme.authkit.app", "client_123")
///     .client_secret("not really secret in a distributed tool", cli_auth::ClientAuth::ClientSecretBasic)
///     .build()?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// The default: `client_secret_post` if the server's metadata lists it without `client_secret_basic`, otherwise
    /// `client_secret_basic`.
    #[default]
    Auto,
    /// `client_secret_basic`: the secret is sent in an `Authorization: Basic` header.
    ClientSecretBasic,
    /// `client_secret_post`: the secret is sent in the request body.
    ClientSecretPost,
}

/// What a refresh asks for besides new tokens.
///
/// ```no_run
/// # let client = cli_auth::Client::authkit("client_123").build()?;
/// # let stored = cli_auth::Secret::new("");
/// // WorkOS: switch to another organization.
/// let options = cli_auth::RefreshOptions::new().param("organization_id", "org_123");
/// let tokens = client.refresh_with(&stored, &options)?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RefreshOptions {
    pub(crate) scopes: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) subject: Option<String>,
}

impl RefreshOptions {
    /// Asks for nothing else.
    ///
    /// ```
    /// let options = cli_auth::RefreshOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for an access token with these scopes only, which must be among those that the user granted (RFC 6749
    /// section 6). Defaults to all of them.
    ///
    /// ```
    /// let options = cli_auth::RefreshOptions::new().scopes(["read"]);
    /// ```
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds a parameter to the request, such as `resource` (RFC 8707 section 2.2) or WorkOS's `organization_id`. It
    /// replaces those of [`ClientBuilder::refresh_param`](crate::ClientBuilder::refresh_param) with the same name. The
    /// rules of [`ClientBuilder::param`](crate::ClientBuilder::param) apply.
    ///
    /// ```
    /// let options = cli_auth::RefreshOptions::new().param("resource", "https://api.example.com");
    /// ```
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sets the user that the tokens must be for: the [`subject`](crate::Identity::subject) of the login. If the
    /// response identifies another user, the refresh fails with
    /// [`InvalidResponse`](crate::ErrorKind::InvalidResponse) (OpenID Connect Core section 12.2). A response without an
    /// ID token, or whose ID token could not be verified, does not identify a user: then the tokens have no
    /// [`identity`](crate::Tokens::identity).
    ///
    /// ```
    /// # fn options(tokens: &cli_auth::Tokens) -> cli_auth::RefreshOptions {
    /// let options = cli_auth::RefreshOptions::new();
    /// match tokens.identity() {
    ///     Some(user) => options.subject(user.subject()),
    ///     None => options,
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// The settings that a client's requests share, and how responses are read.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    pub(crate) client_id: String,
    /// The client secret and how it is sent. `None` for a public client.
    pub(crate) secret: Option<(Secret, ClientAuth)>,
    pub(crate) scopes: Vec<String>,
    /// Extra parameters of the device authorization request.
    pub(crate) params: Vec<(String, String)>,
    /// Extra parameters of the token request, which is sent at every poll.
    pub(crate) token_params: Vec<(String, String)>,
    /// Extra parameters of a refresh.
    pub(crate) refresh_params: Vec<(String, String)>,
    pub(crate) pkce: Pkce,
    pub(crate) verify_id_token: bool,
    pub(crate) dialect: Dialect,
    pub(crate) loopback: Loopback,
    /// Every secret that the requests contain, in each form in which a server could echo it.
    pub(crate) secrets: Vec<Secret>,
}

impl ClientSettings {
    /// Returns the secrets of a request that also sends `tokens`.
    pub(crate) fn secrets_with<'a>(&'a self, tokens: impl IntoIterator<Item = &'a Secret>) -> Vec<&'a str> {
        self.secrets.iter().chain(tokens).map(Secret::expose).collect()
    }
}

/// How a server deviates from the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// No deviation. `token_type` is required (RFC 6749 section 5.1).
    Standard,
    /// WorkOS AuthKit. Responses lack `token_type` and `expires_in`, and some refusals contain only a `message`.
    AuthKit,
}

#[cfg(test)]
impl ClientSettings {
    /// The settings of a public client, for unit tests.
    pub(crate) fn public(client_id: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: None,
            scopes: Vec::new(),
            params: Vec::new(),
            token_params: Vec::new(),
            refresh_params: Vec::new(),
            pkce: Pkce::Auto,
            verify_id_token: true,
            dialect: Dialect::Standard,
            loopback: Loopback::Refused,
            secrets: Vec::new(),
        }
    }
}
