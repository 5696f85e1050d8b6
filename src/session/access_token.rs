//! What a call for a token returns.

use std::time::{Duration, SystemTime};

use super::{moment::Moment, policy::Given, record::Access};
use crate::Secret;

/// An access token that [`Session::token`](crate::Session::token) returned. `Debug` does not show it.
///
/// ```no_run
/// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
/// let token = client.session().build()?.token()?;
/// let header = format!("Bearer {}", token.expose());
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AccessToken {
    access: Access,
    expires_in: Option<Duration>,
    refreshed: bool,
}

impl AccessToken {
    pub(super) fn new(given: Given, now: Moment) -> Self {
        let Given { access, refreshed } = given;
        Self { expires_in: access.times.left(now), access, refreshed }
    }

    /// Returns the token.
    ///
    /// ```
    /// # fn show(session: &cli_auth::Session, token: &cli_auth::AccessToken) -> Result<(), cli_auth::Error> {
    /// let another = session.refused(token.secret())?; // after a response with status 401
    /// # Ok(()) }
    /// ```
    pub fn secret(&self) -> &Secret {
        &self.access.token
    }

    /// Returns the token in clear text. Send it as `Authorization: Bearer …`, over TLS, and only to the API that it was
    /// issued for.
    ///
    /// ```
    /// # fn show(token: &cli_auth::AccessToken) {
    /// let header = format!("Bearer {}", token.expose());
    /// # }
    /// ```
    pub fn expose(&self) -> &str {
        self.access.token.expose()
    }

    /// Returns the token type in the server's spelling of `Bearer`; letter case may vary.
    ///
    /// ```
    /// # fn show(token: &cli_auth::AccessToken) {
    /// assert!(token.token_type().eq_ignore_ascii_case("bearer"));
    /// # }
    /// ```
    pub fn token_type(&self) -> &str {
        &self.access.token_type
    }

    /// Returns for how long the token was still valid when it was returned. `None` if that is unknown.
    ///
    /// ```
    /// # fn show(token: &cli_auth::AccessToken) {
    /// let seconds = token.expires_in().map(|left| left.as_secs());
    /// # }
    /// ```
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    /// Returns when the token expires, by this machine's clock. `None` if that is unknown.
    ///
    /// ```
    /// # fn show(token: &cli_auth::AccessToken) {
    /// let end = token.expires_at();
    /// # }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.access.times.expires_at()
    }

    /// Returns whether this call has sent a request for the token.
    ///
    /// ```
    /// # fn show(token: &cli_auth::AccessToken) {
    /// let is_new = token.was_refreshed();
    /// # }
    /// ```
    pub fn was_refreshed(&self) -> bool {
        self.refreshed
    }
}
