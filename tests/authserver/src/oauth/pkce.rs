//! PKCE (RFC 7636) beside the device grant, with the method S256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;
use serde::Deserialize;

use super::check::Checked;

/// What a server does about PKCE. Its RFC 8414 metadata lists S256 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pkce {
    Optional,
    Required,
    /// Refuses the parameters, as a server that does not know PKCE in this flow.
    Refused,
}

/// The length of a SHA-256 hash in base64url.
const CHALLENGE_BYTES: usize = 43;

/// The challenge of a device authorization request, or what is wrong with it.
pub(crate) fn challenge(checked: &Checked, pkce: Pkce) -> Result<Option<String>, &'static str> {
    let challenge = checked.get("code_challenge");
    match (pkce, challenge) {
        (Pkce::Refused, Some(_)) => Err("unknown parameter: code_challenge"),
        (Pkce::Required, None) => Err("Missing parameter: code_challenge"),
        (_, None) => Ok(None),
        (_, Some(_)) if checked.get("code_challenge_method") != Some("S256") => {
            Err("code_challenge_method must be S256")
        }
        (_, Some(challenge)) if challenge.len() != CHALLENGE_BYTES => Err("invalid code_challenge"),
        (_, Some(challenge)) => Ok(Some(challenge.to_owned())),
    }
}

/// Whether a poll has the verifier of the challenge.
pub(crate) fn fits(checked: &Checked, challenge: &str) -> bool {
    let Some(verifier) = checked.get("code_verifier") else { return false };
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(is_legal)
        && URL_SAFE_NO_PAD.encode(hash) == challenge
}
