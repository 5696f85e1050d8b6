//! Errors.

use std::{fmt, sync::Arc};

use super::secret::{self, Secret};
use cli_auth::Error;

/// Why something did not succeed. Its text is for the person at the terminal.
///
/// An object and not an enumeration, since it can hold a secret; the packages make an exception of each kind.
#[derive(Debug, uniffi::Object)]
#[uniffi::export(Debug, Display)]
pub(crate) struct Failure(Error);

/// An organization that a person may choose. Both texts are raw.
#[derive(uniffi::Record)]
pub(crate) struct Organization {
    /// Such as `org_01H…`.
    id: String,
    /// For people.
    name: String,
}

impl Failure {
    pub(super) fn arc(error: Error) -> Arc<Self> {
        Arc::new(Self(error))
    }
}

#[uniffi::export]
impl Failure {
    /// What the caller does next, in snake_case: `denied`, `network`, …
    pub(super) fn kind(&self) -> String {
        self.0.kind().to_string()
    }

    /// The server's error code as it came.
    fn oauth_error(&self) -> Option<String> {
        self.0.oauth_error().map(str::to_owned)
    }

    /// The server's own words, sanitised.
    fn description(&self) -> Option<String> {
        self.0.description().map(str::to_owned)
    }

    /// The HTTP status of the answer that ended it.
    fn http_status(&self) -> Option<u16> {
        self.0.http_status()
    }

    /// The server's name for the request.
    fn request_id(&self) -> Option<String> {
        self.0.request_id().map(str::to_owned)
    }

    /// How long the server asked to wait, in seconds.
    fn retry_after(&self) -> Option<f64> {
        self.0.retry_after().map(|wait| wait.as_secs_f64())
    }

    /// The organizations to choose from.
    fn organizations(&self) -> Option<Vec<Organization>> {
        let copied = |o: &cli_auth::Organization| Organization { id: o.id.clone(), name: o.name.clone() };
        self.0.organizations().map(|list| list.iter().map(copied).collect())
    }

    /// WorkOS's `pending_authentication_token`.
    fn pending_authentication_token(&self) -> Option<Arc<Secret>> {
        self.0.pending_authentication_token().map(secret::arc)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
