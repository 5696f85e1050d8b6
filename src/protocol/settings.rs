//! What a client is to its server, the same for all of its flows.

use super::uri::Loopback;
use crate::Secret;

/// How a client secret is sent (RFC 6749 section 2.3.1), by the names of OpenID Connect Core section 9.
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
    /// As the server's metadata says, else `client_secret_basic`.
    #[default]
    Auto,
    /// `client_secret_basic`: in an `Authorization: Basic` header.
    ClientSecretBasic,
    /// `client_secret_post`: in the body.
    ClientSecretPost,
}

/// What the requests of a client have in common, and how the responses are read.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    pub(crate) client_id: String,
    /// The client secret and how it is sent; `None` for a public client.
    pub(crate) secret: Option<(Secret, ClientAuth)>,
    pub(crate) scopes: Vec<String>,
    /// Extra parameters of the device authorization request.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) dialect: Dialect,
    pub(crate) loopback: Loopback,
    /// Everything secret that the requests carry, in each form in which a server could echo it.
    pub(crate) secrets: Vec<Secret>,
}

impl ClientSettings {
    /// The secrets of a request that sends `token` as well.
    pub(super) fn secrets_with<'a>(&'a self, token: Option<&'a Secret>) -> Vec<&'a str> {
        self.secrets.iter().chain(token).map(Secret::expose).collect()
    }
}

/// How a server departs from the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// It does not: RFC 6749 requires `token_type`.
    Standard,
    /// WorkOS AuthKit answers without `token_type` and `expires_in`, and some refusals are a `message` alone.
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
            dialect: Dialect::Standard,
            loopback: Loopback::Refused,
            secrets: Vec::new(),
        }
    }
}
