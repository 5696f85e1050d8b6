//! What a login or a refresh brings.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Secret, protocol::token::TokenResponse};

/// The tokens that the server gave out (RFC 6749 section 5.1). Cloning is cheap; `Debug` shows no secret.
///
/// Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all. An
/// [`id_token`](Tokens::id_token) in particular proves an identity only after its signature and claims were checked.
///
/// All threads may read it. It does not change: [`Client::refresh`](crate::Client::refresh) makes a new one.
///
/// ```no_run
/// # let login = cli_auth::Client::authkit("client_123").build()?.login();
/// # login.start()?;
/// let tokens = login.poll(|_event| ())?;
/// println!("logged in as {}", tokens.user_id().unwrap_or("somebody"));
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Tokens(Arc<TokenResponse>);

impl Tokens {
    pub(crate) fn new(response: Arc<TokenResponse>) -> Self {
        Self(response)
    }

    /// The token for the API, to be sent as `Authorization: Bearer …` over TLS, and only to the API that it is for.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let header = format!("Bearer {}", tokens.access_token().expose());
    /// # }
    /// ```
    pub fn access_token(&self) -> &Secret {
        &self.0.access_token
    }

    /// The token for [`Client::refresh`](crate::Client::refresh). After a refresh without a new one, the old one.
    ///
    /// `None` where the server gave none: many give one only for the scope `offline_access`.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// if let Some(token) = tokens.refresh_token() {
    ///     // into the keyring: token.expose()
    /// }
    /// # }
    /// ```
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.0.refresh_token.as_ref()
    }

    /// The OpenID Connect ID token, **unverified**: do not read an identity from it before you checked it.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// if let Some(token) = tokens.id_token() {
    ///     // verify token.expose() first: signature, iss, aud, exp (OpenID Connect Core section 3.1.3.7)
    /// }
    /// # }
    /// ```
    pub fn id_token(&self) -> Option<&Secret> {
        self.0.id_token.as_ref()
    }

    /// The token type as the server spelled it: some spelling of `Bearer`.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// assert!(tokens.token_type().eq_ignore_ascii_case("bearer"));
    /// # }
    /// ```
    pub fn token_type(&self) -> &str {
        &self.0.token_type
    }

    /// What was granted, in the server's order. `None` where neither the server nor the client named a scope.
    ///
    /// Where the server names none at a login, these are the scopes that were asked for (RFC 6749 section 5.1).
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let may_refresh = tokens.scopes().is_some_and(|all| all.iter().any(|s| s == "offline_access"));
    /// # }
    /// ```
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.scopes.as_deref()
    }

    /// The access token's lifetime when it was given out. `None` is unknown, which is neither zero nor for ever.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// if let Some(lifetime) = tokens.expires_in() {
    ///     eprintln!("The token lives {} s.", lifetime.as_secs());
    /// }
    /// # }
    /// ```
    pub fn expires_in(&self) -> Option<Duration> {
        self.0.expires_in
    }

    /// When the access token ends, by this machine's clock or, where the server named no lifetime, by the token's own `exp`.
    ///
    /// Counted from before the request left, so it is never too late by the time that the answer took.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let stale = tokens.expires_at().is_some_and(|end| end <= std::time::SystemTime::now());
    /// # }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// WorkOS AuthKit: the id of the user, such as `user_01H…`.
    ///
    /// From the `user` object of the answer, raw. `None` with other servers: their id token tells who it is, once verified.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// println!("logged in as {}", tokens.user_id().map_or("somebody".into(), cli_auth::sanitize));
    /// # }
    /// ```
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// WorkOS AuthKit: the id of the organization that the user logged in to.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let organization = tokens.organization_id().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id.as_deref()
    }

    /// Any other member of the answer, as raw JSON. A secret, since it may be one (AuthKit: tokens of an identity provider).
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let email_and_name = tokens.other("user").map(|json| json.expose()); // a JSON object
    /// # }
    /// ```
    pub fn other(&self, name: &str) -> Option<&Secret> {
        self.0.other.get(name)
    }

    /// The names of all other members, sorted.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// for name in tokens.other_names() {
    ///     println!("{}", cli_auth::sanitize(name));
    /// }
    /// # }
    /// ```
    pub fn other_names(&self) -> impl Iterator<Item = &str> {
        self.0.other.keys().map(String::as_str)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("token_type", &self.token_type())
            .field("scopes", &self.scopes())
            .field("expires_at", &self.expires_at())
            .field("has_refresh_token", &self.refresh_token().is_some())
            .field("has_id_token", &self.id_token().is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::token;

    // proves: STORE-13
    #[test]
    fn debug_shows_no_secret() {
        let body = r#"{"access_token":"sec-1","refresh_token":"sec-2","id_token":"sec-3","oauth_tokens":{"a":"sec-4"},"user":{"id":"user_1"}}"#;
        let tokens = Tokens::new(Arc::new(token::authkit_example(body)));
        assert!(!format!("{tokens:?} {:?}", tokens.other("oauth_tokens")).contains("sec-"));
        assert_eq!(tokens.other("oauth_tokens").unwrap().expose(), r#"{"a":"sec-4"}"#);
        assert_eq!(tokens.other_names().collect::<Vec<_>>(), ["oauth_tokens", "user"]);
        assert_eq!((tokens.user_id(), tokens.organization_id()), (Some("user_1"), None));
    }
}
