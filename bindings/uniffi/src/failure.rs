//! Errors.

use std::{fmt, sync::Arc};

use super::secret::{self, Secret};
use cli_auth::Error;

/// An error. Its text is for the user at the terminal.
///
/// It is an object rather than an enumeration, because it can contain a secret. The packages define an exception for
/// each kind.
#[derive(Debug, uniffi::Object)]
#[uniffi::export(Debug, Display)]
pub(crate) struct Failure(Error);

/// An organization that the user may choose. Both texts are untrusted.
#[derive(uniffi::Record)]
pub(crate) struct Organization {
    /// The identifier, such as `org_01H…`.
    id: String,
    /// The display name.
    name: String,
}

impl Failure {
    pub(super) fn arc(error: Error) -> Arc<Self> {
        Arc::new(Self(error))
    }
}

#[uniffi::export]
impl Failure {
    /// The kind of error, in snake_case: `denied`, `network`, …
    pub(super) fn kind(&self) -> String {
        self.0.kind().to_string()
    }

    /// The error code from the response. Untrusted.
    fn oauth_error(&self) -> Option<String> {
        self.0.oauth_error().map(str::to_owned)
    }

    /// The technical cause, sanitised.
    fn detail(&self) -> Option<String> {
        self.0.detail().map(str::to_owned)
    }

    /// The error description from the server, sanitised.
    fn description(&self) -> Option<String> {
        self.0.description().map(str::to_owned)
    }

    /// The HTTP status of the response that caused the error.
    fn http_status(&self) -> Option<u16> {
        self.0.http_status()
    }

    /// The request ID from the server, sanitised.
    fn request_id(&self) -> Option<String> {
        self.0.request_id().map(str::to_owned)
    }

    /// The delay that the server asked for before the next request, in seconds.
    fn retry_after(&self) -> Option<f64> {
        self.0.retry_after().map(|wait| wait.as_secs_f64())
    }

    /// The claims challenge to send back with a new login. Untrusted.
    fn claims(&self) -> Option<String> {
        self.0.claims().map(str::to_owned)
    }

    /// The organizations to choose from.
    fn organizations(&self) -> Option<Vec<Organization>> {
        let copied = |o: &cli_auth::Organization| Organization { id: o.id.clone(), name: o.name.clone() };
        self.0.organizations().map(|list| list.iter().map(copied).collect())
    }

    /// The `pending_authentication_token` from WorkOS.
    fn pending_authentication_token(&self) -> Option<Arc<Secret>> {
        self.0.pending_authentication_token().map(secret::arc)
    }

    /// A member of the response, as raw JSON.
    fn member(&self, name: &str) -> Option<Arc<Secret>> {
        self.0.member(name).map(secret::arc)
    }

    /// The names of all members of the response, sorted. Untrusted.
    fn member_names(&self) -> Vec<String> {
        self.0.member_names().map(str::to_owned).collect()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
