//! PKCE (RFC 7636) beside the device flow: only the program that began a login can poll for its tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

use crate::Secret;

/// The number of random bytes in a verifier. RFC 7636 section 4.1 recommends 32.
pub(crate) const RANDOM_BYTES: usize = 32;

/// Whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login.
///
/// ```
/// let client = cli_auth::Client::for_issuer("https://id.example.com", "my-cli")
///     .pkce(cli_auth::Pkce::Always)
///     .build()?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pkce {
    /// The default: PKCE is used if the server's metadata lists the method `S256`, which only a client by issuer reads.
    /// If the server then refuses the first request as invalid, it is sent once more without PKCE.
    #[default]
    Auto,
    /// PKCE is always used. Some servers require it although their metadata does not say so.
    Always,
    /// PKCE is never used.
    Never,
}

/// The code verifier of a login, and the challenge that announces it.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) verifier: Secret,
    /// The challenge by the method `S256`.
    pub(crate) challenge: String,
}

impl Verifier {
    pub(crate) fn new(random: &[u8; RANDOM_BYTES]) -> Self {
        Self::of(Secret::new(URL_SAFE_NO_PAD.encode(random)))
    }

    pub(crate) fn of(verifier: Secret) -> Self {
        let hash = digest::digest(&digest::SHA256, verifier.expose().as_bytes());
        Self { challenge: URL_SAFE_NO_PAD.encode(hash), verifier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R7636-4.1-01, R7636-X-01
    #[test]
    fn the_challenge_is_the_hash_of_the_verifier() {
        // RFC 7636 appendix B.
        let example = Verifier::of(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(example.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let (one, other) = (Verifier::new(&[0; RANDOM_BYTES]), Verifier::new(&[255; RANDOM_BYTES]));
        assert_eq!((one.verifier.expose().len(), one.challenge.len()), (43, 43));
        assert_ne!(one.challenge, other.challenge);
    }
}
