//! Secrets.

use std::sync::Arc;

/// A secret text. It prints as `****`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Object)]
#[uniffi::export(Debug, Display, Eq)]
pub(crate) struct Secret(pub(super) cli_auth::Secret);

#[uniffi::export]
impl Secret {
    /// Creates a secret from its text.
    #[uniffi::constructor]
    fn new(text: String) -> Self {
        Self(cli_auth::Secret::new(text))
    }

    /// Returns the secret in clear text.
    fn expose(&self) -> String {
        self.0.expose().to_owned()
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) fn arc(secret: &cli_auth::Secret) -> Arc<Secret> {
    Arc::new(Secret(secret.clone()))
}
