//! The type that holds a secret.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A secret string: a device code, a token or a client secret.
///
/// `Debug` and `Display` print `****`, so that a secret does not reach a log or a terminal by accident.
/// [`expose`](Secret::expose) is the only way to read the value. The memory is overwritten on drop; a clone has its own
/// memory. The comparison `==` is not constant-time: use it in a client, not in a server that checks credentials.
///
/// ```
/// let secret = cli_auth::Secret::new("hunter2");
/// assert_eq!(format!("{secret} {secret:?}"), "**** Secret(****)");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret and takes ownership of the text.
    ///
    /// ```
    /// let secret = cli_auth::Secret::new(String::from("s3cr3t"));
    /// # assert_eq!(secret.expose(), "s3cr3t");
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret in clear text. The caller is responsible for where it goes.
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

/// Shorter texts are not treated as secrets: masking them would only garble the message around them.
const SHORTEST_MASKED: usize = 4;

/// Masks secrets in texts from a server, which may echo what it received or quote what it sends.
#[derive(Debug)]
pub(crate) struct Masker(Vec<Secret>);

impl Masker {
    /// Searches for each secret as it is and in its form-encoded form.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_MASKED) {
            // Encoded it has at most three times its length: no copy is left behind by a text that grows.
            let mut encoded = Secret(String::with_capacity(secret.len().saturating_mul(3)));
            encoded.0.extend(form_urlencoded::byte_serialize(secret.as_bytes()));
            if encoded.expose() != secret {
                known.push(encoded);
            }
            known.push(Secret::new(secret));
        }
        // The longest secret is replaced first: a secret that is a
        // prefix of another one must not leave the rest readable.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self(known)
    }

    /// Returns the text with each secret masked. Must be called before the
    /// text is cut or sanitised, because a changed secret is not found.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut masked = Zeroizing::new(text.to_owned());
        for secret in &self.0 {
            if masked.contains(secret.expose()) {
                // In one piece of memory: one that grows would leave copies behind. A mask is never longer than its
                // secret.
                let mut next = Zeroizing::new(String::with_capacity(masked.len()));
                for (index, part) in masked.split(secret.expose()).enumerate() {
                    if index > 0 {
                        next.push_str("****");
                    }
                    next.push_str(part);
                }
                masked = next;
            }
        }
        std::mem::take(&mut masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masker_hides_secrets_in_server_text() {
        let hide = |secrets: &[&str], text: &str| Masker::new(secrets.iter().copied()).hide(text);
        assert_eq!(hide(&["dev-123", ""], "no dev-123 here, dev-123"), "no **** here, ****");
        assert_eq!(hide(&["abc"], "abcd"), "abcd");
        assert_eq!(hide(&["abcd"], "abcd"), "****");
        assert_eq!(hide(&["ab+cd="], "code=ab%2Bcd%3D&x"), "code=****&x");
        assert_eq!(hide(&["dev-123", "dev-123-REST"], "dev-123-REST"), "****");
    }
}
