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

/// Hides secrets in texts that came from a server, which may echo what it was sent or quote what it sends.
#[derive(Debug)]
pub(crate) struct Masker(Vec<Secret>);

impl Masker {
    /// Each secret is looked for as it is and as a form carries it.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_MASKED) {
            let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            if encoded != secret {
                known.push(Secret::new(encoded));
            }
            known.push(Secret::new(secret));
        }
        // A secret that is the beginning of another one must not leave the other's end to be read.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self(known)
    }

    /// The text with each of the secrets replaced. To be done before the text is cut or cleaned: a secret that was
    /// changed would not be found any more.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.0 {
            if masked.contains(secret.expose()) {
                masked = masked.replace(secret.expose(), "****");
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masker_finds_what_a_server_echoes() {
        let hide = |secrets: &[&str], text: &str| Masker::new(secrets.iter().copied()).hide(text);
        assert_eq!(hide(&["dev-123", ""], "no dev-123 here, dev-123"), "no **** here, ****");
        assert_eq!(hide(&["abc"], "abcd"), "abcd");
        assert_eq!(hide(&["abcd"], "abcd"), "****");
        assert_eq!(hide(&["ab+cd="], "code=ab%2Bcd%3D&x"), "code=****&x");
        assert_eq!(hide(&["dev-123", "dev-123-REST"], "dev-123-REST"), "****");
    }
}
