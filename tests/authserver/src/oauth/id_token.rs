//! ID tokens, and how a test makes them deviate.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Number, Value, json};

use super::jwt::{self, Keys, Signer};
use crate::object::{Object, put};
use crate::script::{Placeholders, fill, fill_json};
use crate::settings::Alg;

/// How this server's ID tokens deviate from correct ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdTokenSettings {
    /// Members merged into the header; null removes one.
    header: Object,
    /// Members merged into the claims; null removes one.
    claims: Object,
    /// JSON text after the opening brace, for what an object cannot say: duplicates and null.
    header_start: String,
    claims_start: String,
    signature: Signature,
    form: Form,
    /// Replaces the whole token.
    raw: Option<String>,
}

/// What signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Signature {
    #[default]
    Good,
    /// One bit is wrong.
    Bad,
    None,
    /// An HMAC whose key is the public key, which everyone has.
    Hs256PublicKey,
    Hs256ClientSecret,
    /// A key that the key set does not have, under the same `kid`.
    OtherKey,
    /// The same key, and the header has it.
    EmbeddedKey,
}

/// How the parts are written. The signature is over the parts as they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Compact,
    /// base64url with `=`.
    Padded,
    /// base64 with `+`, `/` and `=`.
    Base64,
    /// One part more.
    FourParts,
    /// Like an encrypted token.
    FiveParts,
    /// The flattened JSON serialization.
    Json,
    Utf16Header,
    Utf16Claims,
}

/// What a token is made from.
pub(crate) struct Base<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) alg: Alg,
    pub(crate) claims: Object,
    /// Seconds since 1970 by this server's clock.
    pub(crate) now: u64,
    pub(crate) client_secret: Option<String>,
}

impl IdTokenSettings {
    pub(crate) fn token(&self, base: Base<'_>, values: &mut dyn Placeholders) -> String {
        if let Some(raw) = &self.raw {
            return fill(raw, values);
        }
        let Base { keys, alg, mut claims, now, client_secret } = base;
        let mut header = jwt::header(alg);
        match self.signature {
            Signature::None => put(&mut header, "alg", "none"),
            Signature::Hs256PublicKey | Signature::Hs256ClientSecret => put(&mut header, "alg", "HS256"),
            Signature::EmbeddedKey => put(&mut header, "jwk", keys.jwk(alg, Signer::Other)),
            Signature::Good | Signature::Bad | Signature::OtherKey => {}
        }
        change(&mut header, &self.header, now, values);
        change(&mut claims, &self.claims, now, values);
        let header = write(header, &self.header_start);
        let claims = write(claims, &self.claims_start);
        let header = self.encode(&bytes(&header, self.form == Form::Utf16Header));
        let claims = self.encode(&bytes(&claims, self.form == Form::Utf16Claims));
        let input = format!("{header}.{claims}");
        let mac = |key: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
        };
        let signature = match self.signature {
            Signature::Good => keys.signature(alg, Signer::Published, input.as_bytes()),
            Signature::Bad => {
                let mut signature = keys.signature(alg, Signer::Published, input.as_bytes());
                let middle = signature.len() / 2;
                if let Some(byte) = signature.get_mut(middle) {
                    *byte ^= 1;
                }
                signature
            }
            Signature::None => Vec::new(),
            Signature::Hs256PublicKey => mac(keys.public(alg)),
            Signature::Hs256ClientSecret => mac(client_secret.unwrap_or_default().as_bytes()),
            Signature::OtherKey | Signature::EmbeddedKey => {
                keys.signature(alg, Signer::Other, input.as_bytes())
            }
        };
        let signature = self.encode(&signature);
        match self.form {
            Form::Json => json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
            Form::FourParts => format!("{input}.{signature}.AAAA"),
            Form::FiveParts => format!("{header}.AAAA.AAAA.{claims}.{signature}"),
            _ => format!("{input}.{signature}"),
        }
    }

    fn encode(&self, bytes: &[u8]) -> String {
        match self.form {
            Form::Padded => URL_SAFE.encode(bytes),
            Form::Base64 => STANDARD.encode(bytes),
            _ => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

fn change(into: &mut Object, change: &Object, now: u64, values: &mut dyn Placeholders) {
    for (name, value) in change {
        if value.is_null() {
            into.remove(name);
            continue;
        }
        let mut value = special(value, now).unwrap_or_else(|| value.clone());
        fill_json(&mut value, values);
        into.insert(name.clone(), value);
    }
}

/// `{"from_now": SECONDS}` is a time, `{"letters": N}` a text of that length.
fn special(value: &Value, now: u64) -> Option<Value> {
    const MOST_LETTERS: usize = 1024 * 1024;
    let members = value.as_object().filter(|members| members.len() == 1)?;
    if let Some(seconds) = members.get("from_now") {
        let number = match seconds.as_i64() {
            Some(seconds) => Some(Number::from(now.saturating_add_signed(seconds))),
            // A time has few enough digits for a float.
            None => Number::from_f64(now.to_string().parse::<f64>().ok()? + seconds.as_f64()?),
        };
        return number.map(Value::Number);
    }
    let letters = usize::try_from(members.get("letters")?.as_u64()?).ok()?;
    Some("a".repeat(letters.min(MOST_LETTERS)).into())
}

fn write(members: Object, start: &str) -> String {
    let text = Value::Object(members).to_string();
    match text.strip_prefix('{') {
        Some(rest) if !start.is_empty() => {
            let comma = if rest == "}" { "" } else { "," };
            format!("{{{start}{comma}{rest}")
        }
        _ => text,
    }
}

fn bytes(text: &str, utf16: bool) -> Vec<u8> {
    match utf16 {
        true => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        false => text.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::object;

    struct Issuer;

    impl Placeholders for Issuer {
        fn value(&mut self, name: &str) -> Option<String> {
            (name == "issuer").then(|| "http://h".to_owned())
        }
    }

    fn token(keys: &Keys, settings: Value) -> String {
        let settings: IdTokenSettings = serde_json::from_value(settings).unwrap();
        let claims = object(json!({"iss": "http://h", "sub": "user_1", "exp": 2000}));
        let base = Base { keys, alg: Alg::Es256, claims, now: 1000, client_secret: Some("s".to_owned()) };
        settings.token(base, &mut Issuer)
    }

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn members_are_merged_and_times_and_lengths_computed() {
        let keys = Keys::new().unwrap();
        let settings = json!({
            "header": {"typ": null, "crit": ["x"]},
            "claims": {"sub": {"letters": 3}, "exp": {"from_now": -10}, "nbf": {"from_now": 0.5}, "iss": "{issuer}/"}
        });
        let token = token(&keys, settings);
        assert_eq!(part(&token, 0), json!({"alg": "ES256", "kid": "test-es256", "crit": ["x"]}));
        assert_eq!(part(&token, 1), json!({"iss": "http://h/", "sub": "aaa", "exp": 990, "nbf": 1000.5}));
        assert!(keys.verify(Alg::Es256, &token).is_some());
    }

    #[test]
    fn a_duplicate_member_is_signed_as_it_is_written() {
        let keys = Keys::new().unwrap();
        let token = token(&keys, json!({"claims_start": "\"sub\":null"}));
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        assert!(claims.starts_with(r#"{"sub":null,""#) && claims.contains(r#""sub":"user_1""#), "{claims}");
        assert!(keys.verify(Alg::Es256, &token).is_some());
    }

    #[test]
    fn only_a_good_signature_verifies() {
        let keys = Keys::new().unwrap();
        let valid = |signature: &str| {
            keys.verify(Alg::Es256, &token(&keys, json!({"signature": signature}))).is_some()
        };
        assert!(valid("good"));
        for signature in
            ["bad", "none", "hs256_public_key", "hs256_client_secret", "other_key", "embedded_key"]
        {
            assert!(!valid(signature), "{signature}");
        }
        let none = token(&keys, json!({"signature": "none"}));
        assert!(none.ends_with('.') && part(&none, 0)["alg"] == "none");
        let embedded = token(&keys, json!({"signature": "embedded_key"}));
        assert_eq!(part(&embedded, 0)["jwk"], keys.jwk(Alg::Es256, Signer::Other));
    }

    #[test]
    fn forms_differ_in_what_is_not_compact() {
        let keys = Keys::new().unwrap();
        let form = |form: &str| token(&keys, json!({"form": form}));
        assert_eq!(form("compact").split('.').count(), 3);
        assert_eq!(form("four_parts").split('.').count(), 4);
        assert_eq!(form("five_parts").split('.').count(), 5);
        assert!(form("padded").ends_with("=="));
        assert!(form("json").starts_with('{'));
        let utf16 = form("utf16_header");
        let header = URL_SAFE_NO_PAD.decode(utf16.split('.').next().unwrap()).unwrap();
        assert_eq!(header.get(..2), Some([0, b'{'].as_slice()));
        assert_eq!(token(&keys, json!({"raw": "a.{issuer}"})), "a.http://h");
    }
}
