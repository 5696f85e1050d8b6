//! What a login or a refresh brings.

use std::sync::Arc;

use super::secret::{self, Secret};
use cli_auth::host::seconds_since_epoch;

/// The tokens that the server gave out.
#[derive(uniffi::Object)]
pub(crate) struct Tokens(pub(super) cli_auth::Tokens);

#[uniffi::export]
impl Tokens {
    /// The token for the API.
    fn access_token(&self) -> Arc<Secret> {
        secret::arc(self.0.access_token())
    }

    /// The token for a refresh.
    fn refresh_token(&self) -> Option<Arc<Secret>> {
        self.0.refresh_token().map(secret::arc)
    }

    /// The OpenID Connect ID token, unverified.
    fn id_token(&self) -> Option<Arc<Secret>> {
        self.0.id_token().map(secret::arc)
    }

    /// Some spelling of `Bearer`.
    fn token_type(&self) -> String {
        self.0.token_type().to_owned()
    }

    /// What was granted.
    fn scopes(&self) -> Option<Vec<String>> {
        self.0.scopes().map(<[String]>::to_vec)
    }

    /// The access token's lifetime when it was given out, in seconds.
    fn expires_in(&self) -> Option<f64> {
        self.0.expires_in().map(|lifetime| lifetime.as_secs_f64())
    }

    /// When the access token ends, in seconds since 1970.
    fn expires_at(&self) -> Option<f64> {
        self.0.expires_at().map(seconds_since_epoch)
    }

    /// WorkOS AuthKit: the id of the user, raw.
    fn user_id(&self) -> Option<String> {
        self.0.user_id().map(str::to_owned)
    }

    /// WorkOS AuthKit: the id of the organization, raw.
    fn organization_id(&self) -> Option<String> {
        self.0.organization_id().map(str::to_owned)
    }

    /// Any other member of the answer, as raw JSON.
    fn other(&self, name: &str) -> Option<Arc<Secret>> {
        self.0.other(name).map(secret::arc)
    }

    /// The names of all other members, sorted.
    fn other_names(&self) -> Vec<String> {
        self.0.other_names().map(str::to_owned).collect()
    }
}
