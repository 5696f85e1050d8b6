//! The user who logged in.

use std::collections::HashMap;

/// The user who logged in, as the server vouches for it. All texts are untrusted.
#[derive(uniffi::Record)]
pub(crate) struct Identity {
    /// The ID of the user, which never changes.
    subject: String,
    /// The e-mail address.
    email: Option<String>,
    /// Whether the server has verified the address.
    email_verified: Option<bool>,
    /// The full name.
    name: Option<String>,
    /// The ID of the organization.
    organization_id: Option<String>,
    /// All claims, as raw JSON.
    claims: HashMap<String, String>,
}

impl From<&cli_auth::Identity> for Identity {
    fn from(identity: &cli_auth::Identity) -> Self {
        let claim = |name: &str| Some((name.to_owned(), identity.claim(name)?.to_owned()));
        Self {
            subject: identity.subject().to_owned(),
            email: identity.email().map(str::to_owned),
            email_verified: identity.email_verified(),
            name: identity.name().map(str::to_owned),
            organization_id: identity.organization_id().map(str::to_owned),
            claims: identity.claim_names().filter_map(claim).collect(),
        }
    }
}
