//! Reads a token's own claims about its lifetime. Nothing is verified: they are a hint about when to refresh, never an
//! identity.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::json::Object;

/// The maximum length of the encoded claims. Longer ones are ignored.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Returns `exp` and `iat` of a token in JWT form (RFC 7519 section 4.1), in seconds since 1970. `None` for an opaque
/// token, and for one without a positive `exp`.
pub(crate) fn expiry(token: &str) -> Option<(f64, Option<f64>)> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if payload.len() > MAX_PAYLOAD_BYTES {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims = Object::parse(&claims)?;
    let positive = |name| claims.number(name).ok().flatten().filter(|n: &f64| n.is_finite() && *n > 0.0);
    Some((positive("exp")?, positive("iat")))
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
}
