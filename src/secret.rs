//! The one type that holds a secret.

use std::fmt;

use zeroize::Zeroize;

/// A secret text: a device code, a token or a client secret.
///
/// `Debug` and `Display` print `****`, so that a secret never reaches a log or a terminal by accident. Its memory is
/// overwritten when its owner drops it; a clone is memory of its own. The only way out is [`expose`](Secret::expose).
/// `==` takes a time that depends on the texts: fine for a client, not for a server that checks what it is sent.
///
/// ```
/// let secret = cli_auth::Secret::new("hunter2");
/// assert_eq!(format!("{secret} {secret:?}"), "**** Secret(****)");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of a secret text.
    ///
    /// ```
    /// let secret = cli_auth::Secret::new(String::from("s3cr3t"));
    /// # assert_eq!(secret.expose(), "s3cr3t");
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret in clear text. Whoever calls this is responsible for where it goes next.
    ///
    /// ```
    /// # let token = cli_auth::Secret::new("abc");
    /// let header = format!("Bearer {}", token.expose());
    /// # assert_eq!(header, "Bearer abc");
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Shorter texts are no secrets: masking them would only garble the message around them.
const SHORTEST_MASKED: usize = 4;

/// Replaces every occurrence of the given secrets in a text that came from a server.
pub(crate) fn mask<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut masked = text.to_owned();
    for secret in secrets {
        if secret.len() >= SHORTEST_MASKED && masked.contains(secret) {
            masked = masked.replace(secret, "****");
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_replaces_what_a_server_echoes() {
        assert_eq!(mask("no dev-123 here, dev-123", ["dev-123", ""]), "no **** here, ****");
        assert_eq!(mask("abc", ["a"]), "abc");
    }
}
