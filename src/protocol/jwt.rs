//! Tokens in the compact form of JWS (RFC 7515 section 7.1), decoded. Nothing is verified here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::json::Object;

/// The maximum length of the encoded claims.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// The maximum length of the encoded header and of the encoded signature.
const MAX_OTHER_BYTES: usize = 8 * 1024;

/// A token's parts.
pub(super) struct Compact<'a> {
    /// What the signature is for.
    pub(super) signed: &'a str,
    pub(super) header: Vec<u8>,
    pub(super) claims: Zeroizing<Vec<u8>>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Parses three parts in unpadded base64url. The error says what the token is instead.
    pub(super) fn parse(token: &'a str) -> Result<Self, &'static str> {
        let [header, claims, signature] = parts(token).ok_or(match token.split('.').count() {
            5 => {
                "it is encrypted, which is not supported: turn the encryption of ID tokens off at the server"
            }
            _ => "it is not a JWT",
        })?;
        if claims.len() > MAX_PAYLOAD_BYTES || header.len().max(signature.len()) > MAX_OTHER_BYTES {
            return Err("it is too long");
        }
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is not a JWT");
        Ok(Self {
            signed: token.rsplit_once('.').map_or(token, |(signed, _)| signed),
            header: decode(header)?,
            claims: Zeroizing::new(decode(claims)?),
            signature: decode(signature)?,
        })
    }
}

fn parts(token: &str) -> Option<[&str; 3]> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None) => Some([header, claims, signature]),
        _ => None,
    }
}

/// Returns `exp` and `iat` of a token in JWT form (RFC 7519 section 4.1), in seconds since 1970: a hint about when to
/// refresh. `None` for an opaque token, and for one without a positive `exp`.
pub(crate) fn expiry(token: &str) -> Option<(f64, Option<f64>)> {
    let [_, claims, _] = parts(token)?;
    if claims.len() > MAX_PAYLOAD_BYTES {
        return None;
    }
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    let claims = Object::parse(&claims)?;
    let positive = |name| claims.number(name).ok().flatten().filter(|n: &f64| n.is_finite() && *n > 0.0);
    Some((positive("exp")?, positive("iat")))
}

/// Returns the user of an ID token, which is not verified. `None` if it names none.
pub(crate) fn subject(token: &str) -> Option<String> {
    let [_, claims, _] = parts(token)?;
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    Object::parse(&claims)?.text("sub")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn exp_and_iat_are_read_only_from_a_valid_jwt() {
        assert_eq!(expiry(&token(r#"{"exp":300,"iat":100}"#)), Some((300.0, Some(100.0))));
        assert_eq!(expiry(&token(r#"{"exp":300.5}"#)), Some((300.5, None)));
        for none in [
            r#"{"iat":1}"#,
            r#"{"exp":"soon"}"#,
            r#"{"exp":0}"#,
            r#"{"exp":-1}"#,
            r#"{"exp":1e999}"#,
            "[]",
            "",
        ] {
            assert_eq!(expiry(&token(none)), None, "{none}");
        }
        for none in ["", "opaque", "a.b", "a.b.c.d", "a.!!.c"] {
            assert_eq!(expiry(none), None, "{none}");
        }
        let of_length = |bytes: usize| {
            let claims = format!(r#"{{"exp":300,"x":"{}"}}"#, "x".repeat(bytes / 4 * 3 - 18));
            token(&claims)
        };
        let longest = of_length(MAX_PAYLOAD_BYTES);
        assert_eq!(longest.len(), MAX_PAYLOAD_BYTES + 9);
        assert_eq!(expiry(&longest), Some((300.0, None)));
        assert_eq!(expiry(&of_length(MAX_PAYLOAD_BYTES + 4)), None);
    }

    // proves: R7515-5.2-01, R8725bis-3.15-01
    #[test]
    fn only_three_unpadded_parts_are_a_token() {
        let good = token("{}");
        let parsed = Compact::parse(&good).unwrap();
        assert_eq!(
            (parsed.signed, &parsed.header[..], &parsed.claims[..]),
            ("e30.e30", &b"{}"[..], &b"{}"[..])
        );
        assert_eq!(parsed.signature, b"sig");
        for bad in
            ["", "a", "e30.e30", "e30.e30.c2ln.x", "e30=.e30.c2ln", "e30.e3 0.c2ln", "e30.e30.c2ln\n", "{}"]
        {
            assert_eq!(Compact::parse(bad).err(), Some("it is not a JWT"), "{bad}");
        }
        assert!(Compact::parse("a.b.c.d.e").err().unwrap().contains("encrypted"));
        for long in [format!("{}.e30.c2ln", "e".repeat(8193)), format!("e30.e30.{}", "c".repeat(8193))] {
            assert_eq!(Compact::parse(&long).err(), Some("it is too long"));
        }
    }
}
