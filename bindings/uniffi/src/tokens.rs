//! The result of a login or a refresh.

use std::sync::Arc;

use super::{
    identity::Identity,
    secret::{self, Secret},
};
use cli_auth::host::seconds_since_epoch;

/// The tokens that the server issued.
#[derive(uniffi::Object)]
pub(crate) struct Tokens(pub(super) cli_auth::Tokens);

#[uniffi::export]
impl Tokens {
    /// The access token.
    fn access_token(&self) -> Arc<Secret> {
        secret::arc(self.0.access_token())
    }

    /// The refresh token.
    fn refresh_token(&self) -> Option<Arc<Secret>> {
        self.0.refresh_token().map(secret::arc)
    }

    /// The OpenID Connect ID token, as it was received.
    fn id_token(&self) -> Option<Arc<Secret>> {
        self.0.id_token().map(secret::arc)
    }

    /// The token type as spelled by the server: `Bearer` in any letter case.
    fn token_type(&self) -> String {
        self.0.token_type().to_owned()
    }

    /// The granted scopes.
    fn scopes(&self) -> Option<Vec<String>> {
        self.0.scopes().map(<[String]>::to_vec)
    }

    /// The lifetime of the access token at the time it was issued, in seconds.
    fn expires_in(&self) -> Option<f64> {
        self.0.expires_in().map(|lifetime| lifetime.as_secs_f64())
    }

    /// The expiry time of the access token, in seconds since 1970.
    fn expires_at(&self) -> Option<f64> {
        self.0.expires_at().map(seconds_since_epoch)
    }

    /// The user who logged in.
    fn identity(&self) -> Option<Identity> {
        self.0.identity().map(Identity::from)
    }

    /// Another member of the response, as raw JSON.
    fn other(&self, name: &str) -> Option<Arc<Secret>> {
        self.0.other(name).map(secret::arc)
    }

    /// The names of all other members of the response, sorted. Untrusted.
    fn other_names(&self) -> Vec<String> {
        self.0.other_names().map(str::to_owned).collect()
    }
}
