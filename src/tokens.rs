//! The tokens that a login or a refresh returns.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Identity, Secret, protocol::token::TokenResponse};

/// The tokens that the server issued (RFC 6749 section 5.1). Cloning is cheap; `Debug` shows no secret.
///
/// Who logged in is the [`identity`](Tokens::identity). The access token is for its API, and this library does not
/// look into it.
///
/// Any number of threads may read the tokens. They do not change:
/// [`Client::refresh`](crate::Client::refresh) returns new ones.
///
/// ```no_run
/// # let login = cli_auth::Client::authkit("client_123").build()?.login();
/// # login.start()?;
/// let tokens = login.poll(|_event| ())?;
/// println!("The access token: {:?}", tokens.access_token()); // masked
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Tokens(Arc<TokenResponse>);

impl Tokens {
    pub(crate) fn new(response: Arc<TokenResponse>) -> Self {
        Self(response)
    }

    pub(crate) fn response(&self) -> &TokenResponse {
        &self.0
    }

    /// Returns the access token. Send it as `Authorization: Bearer …`,
    /// over TLS, and only to the API that it was issued for.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let header = format!("Bearer {}", tokens.access_token().expose());
    /// # }
    /// ```
    pub fn access_token(&self) -> &Secret {
        &self.0.access_token
    }

    /// Returns the refresh token for [`Client::refresh`](crate::Client::refresh). If a refresh returned no new one,
    /// this is the one that was sent.
    ///
    /// `None` if the server issued none. Many servers issue one only for the scope `offline_access`.
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

    /// Returns the OpenID Connect ID token as it was received. It was verified if there is an
    /// [`identity`](Tokens::identity) and the server is not AuthKit.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// if let Some(token) = tokens.id_token() {
    ///     // for a service that verifies it itself: token.expose()
    /// }
    /// # }
    /// ```
    pub fn id_token(&self) -> Option<&Secret> {
        self.0.id_token.as_ref()
    }

    /// Returns the token type in the server's spelling of `Bearer`; letter case may vary.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// assert!(tokens.token_type().eq_ignore_ascii_case("bearer"));
    /// # }
    /// ```
    pub fn token_type(&self) -> &str {
        &self.0.token_type
    }

    /// Returns the granted scopes in the server's order. `None` if neither the server nor the client named a scope.
    ///
    /// If the response names no scopes, these are the requested ones (RFC 6749 section 5.1).
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let may_refresh = tokens.scopes().is_some_and(|all| all.iter().any(|s| s == "offline_access"));
    /// # }
    /// ```
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.scopes.as_deref()
    }

    /// Returns the lifetime of the access token when it was issued. `None`
    /// if it is unknown. Treat it neither as expired nor as valid forever.
    ///
    /// The value is `expires_in` of the response. If that is missing and the access token is a JWT, it is the time from
    /// `iat` (or from when the request was sent) to `exp`.
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

    /// Returns when the access token expires. `None` if it is unknown.
    ///
    /// The value is `expires_in` counted on this machine's clock from when the request was
    /// sent, so that the time that the response took does not make it too late. If the
    /// response has no `expires_in` and the access token is a JWT, it is the token's `exp`, converted
    /// from the server's clock to this machine's.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let stale = tokens.expires_at().is_some_and(|end| end <= std::time::SystemTime::now());
    /// # }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Returns the user who logged in. `None` if the server did not say, or if its ID token was not verified.
    ///
    /// With AuthKit, this is the user of the response. With [`Client::for_issuer`](crate::Client::for_issuer) and
    /// [`Client::workos_connect`](crate::Client::workos_connect), it is the verified ID token, which servers issue for
    /// the scope `openid`. If the keys for it could not be fetched,
    /// [`Event::IdentityUnverified`](crate::Event::IdentityUnverified) came before the tokens. With
    /// [`Client::with_endpoints`](crate::Client::with_endpoints), nothing is known about the keys.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let user = tokens.identity().map(|user| cli_auth::sanitize(user.subject()));
    /// println!("logged in as {}", user.as_deref().unwrap_or("an unknown user"));
    /// # }
    /// ```
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.as_ref()
    }

    /// Returns any other member of the response as raw JSON. It is a secret because it may contain one, such as an
    /// identity provider's tokens with AuthKit.
    ///
    /// ```
    /// # fn show(tokens: &cli_auth::Tokens) {
    /// let email_and_name = tokens.other("user").map(|json| json.expose()); // a JSON object
    /// # }
    /// ```
    pub fn other(&self, name: &str) -> Option<&Secret> {
        self.0.other.get(name)
    }

    /// Returns the names of all other members, sorted.
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
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::token;

    // proves: STORE-13
    #[test]
    fn debug_output_contains_no_secret() {
        let body = r#"{"access_token":"sec-1","refresh_token":"sec-2","id_token":"sec-3","oauth_tokens":{"a":"sec-4"},"user":{"id":"user_1"}}"#;
        let tokens = Tokens::new(Arc::new(token::authkit_example(body)));
        assert!(!format!("{tokens:?} {:?}", tokens.other("oauth_tokens")).contains("sec-"));
        assert_eq!(tokens.other("oauth_tokens").unwrap().expose(), r#"{"a":"sec-4"}"#);
        assert_eq!(tokens.other_names().collect::<Vec<_>>(), ["oauth_tokens", "user"]);
        let user = tokens.identity().unwrap();
        assert_eq!((user.subject(), user.name(), user.organization_id()), ("user_1", None, None));
    }
}
