//! Signing and checking the server's own tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::digest;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::object::{Object, object, put};
use crate::settings::Alg;

/// The keys are public on purpose (they are in the repository): ring cannot make RSA keys, and nobody may trust this
/// server.
const RSA_TEST_KEY: &[u8] = include_bytes!("../keys/rs256-test-only.der");
const OTHER_RSA_TEST_KEY: &[u8] = include_bytes!("../keys/rs256-other-test-only.der");

/// How the published key set deviates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeySetSettings {
    /// Keys that are listed before the server's own.
    before: Vec<Value>,
    /// Members merged into the server's own key; null removes one.
    key: Object,
}

/// The keys of one process.
pub(crate) struct Keys {
    published: Pairs,
    /// These are in no key set.
    other: Pairs,
}

/// Which of the two keys of an algorithm signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Published,
    Other,
}

/// One key for each type.
struct Pairs {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

/// A key could not be read or made.
#[derive(Debug)]
pub(crate) struct KeyError;

impl Pairs {
    fn new(rsa: &[u8]) -> Result<Pairs, KeyError> {
        let random = SystemRandom::new();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| KeyError)?;
        Ok(Pairs {
            rsa: RsaKeyPair::from_pkcs8(rsa).map_err(|_| KeyError)?,
            p256: ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?,
            p384: ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)?,
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).map_err(|_| KeyError)?,
        })
    }

    fn sign(&self, alg: Alg, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(encoding, &random, input, &mut signature).map(|()| signature)
        };
        let ecdsa =
            |pair: &EcdsaKeyPair| pair.sign(&random, input).map(|signature| signature.as_ref().to_vec());
        let signature = match alg {
            Alg::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Alg::Ps256 => rsa(&RSA_PSS_SHA256),
            Alg::Es256 => ecdsa(&self.p256),
            Alg::Es384 => ecdsa(&self.p384),
            Alg::Ed25519 => Ok(self.ed25519.sign(input).as_ref().to_vec()),
        };
        // Signing fails only without a random source; then the token has no signature and no client takes it.
        signature.unwrap_or_default()
    }

    fn public(&self, alg: Alg) -> &[u8] {
        match alg {
            Alg::Rs256 | Alg::Ps256 => self.rsa.public().as_ref(),
            Alg::Es256 => self.p256.public_key().as_ref(),
            Alg::Es384 => self.p384.public_key().as_ref(),
            Alg::Ed25519 => self.ed25519.public_key().as_ref(),
        }
    }

    fn jwk(&self, alg: Alg) -> Object {
        let ec = |curve: &str| {
            // An uncompressed point: 4, x, y.
            let point = self.public(alg).get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": BASE64.encode(x), "y": BASE64.encode(y)})
        };
        object(match alg {
            Alg::Rs256 | Alg::Ps256 => {
                let public = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
                json!({"kty": "RSA", "n": BASE64.encode(public.n), "e": BASE64.encode(public.e)})
            }
            Alg::Es256 => ec("P-256"),
            Alg::Es384 => ec("P-384"),
            Alg::Ed25519 => json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(self.public(alg))}),
        })
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, random: &SystemRandom) -> Result<EcdsaKeyPair, KeyError> {
    let pair = EcdsaKeyPair::generate_pkcs8(algorithm, random).map_err(|_| KeyError)?;
    EcdsaKeyPair::from_pkcs8(algorithm, pair.as_ref(), random).map_err(|_| KeyError)
}

impl Keys {
    pub(crate) fn new() -> Result<Keys, KeyError> {
        Ok(Keys { published: Pairs::new(RSA_TEST_KEY)?, other: Pairs::new(OTHER_RSA_TEST_KEY)? })
    }

    fn pairs(&self, signer: Signer) -> &Pairs {
        match signer {
            Signer::Published => &self.published,
            Signer::Other => &self.other,
        }
    }

    /// A signed JWT in compact form.
    pub(crate) fn sign(&self, alg: Alg, claims: &Map<String, Value>) -> String {
        let claims = Value::Object(claims.clone());
        let header = Value::Object(header(alg));
        let token = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = BASE64.encode(self.signature(alg, Signer::Published, token.as_bytes()));
        format!("{token}.{signature}")
    }

    pub(crate) fn signature(&self, alg: Alg, signer: Signer, input: &[u8]) -> Vec<u8> {
        self.pairs(signer).sign(alg, input)
    }

    /// The bytes of the published key: a DER `RSAPublicKey`, a point, or the key of Ed25519.
    pub(crate) fn public(&self, alg: Alg) -> &[u8] {
        self.published.public(alg)
    }

    /// A public key without `kid`, `alg` and `use`.
    pub(crate) fn jwk(&self, alg: Alg, signer: Signer) -> Value {
        Value::Object(self.pairs(signer).jwk(alg))
    }

    /// The claims of a token that this process signed.
    pub(crate) fn verify(&self, alg: Alg, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        let algorithm: &dyn VerificationAlgorithm = match alg {
            Alg::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Alg::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Alg::Es256 => &ECDSA_P256_SHA256_FIXED,
            Alg::Es384 => &ECDSA_P384_SHA384_FIXED,
            Alg::Ed25519 => &ED25519,
        };
        let key = UnparsedPublicKey::new(algorithm, self.public(alg));
        key.verify(signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }

    /// The key set that verifies what is signed with this algorithm.
    pub(crate) fn jwks(&self, alg: Alg, settings: &KeySetSettings) -> Value {
        let mut key = self.published.jwk(alg);
        put(&mut key, "alg", name(alg));
        put(&mut key, "kid", key_id(alg));
        put(&mut key, "use", "sig");
        for (name, value) in &settings.key {
            match value {
                Value::Null => key.remove(name),
                value => key.insert(name.clone(), value.clone()),
            };
        }
        let keys: Vec<Value> = settings.before.iter().cloned().chain([Value::Object(key)]).collect();
        json!({ "keys": keys })
    }
}

/// The header of a token that is signed with this algorithm.
pub(crate) fn header(alg: Alg) -> Object {
    object(json!({"alg": name(alg), "kid": key_id(alg), "typ": "JWT"}))
}

/// The left half of a hash, as `at_hash` has it (OpenID Connect Core, section 3.1.3.6).
pub(crate) fn left_half(alg: Alg, text: &str) -> String {
    let algorithm = match alg {
        Alg::Rs256 | Alg::Ps256 | Alg::Es256 => &digest::SHA256,
        Alg::Es384 => &digest::SHA384,
        // Ed25519 hashes with SHA-512 itself.
        Alg::Ed25519 => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, text.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    BASE64.encode(left)
}

/// The algorithm as JOSE names it.
pub(crate) fn name(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "RS256",
        Alg::Ps256 => "PS256",
        Alg::Es256 => "ES256",
        Alg::Es384 => "ES384",
        Alg::Ed25519 => "EdDSA",
    }
}

fn key_id(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "test-rs256",
        Alg::Ps256 => "test-ps256",
        Alg::Es256 => "test-es256",
        Alg::Es384 => "test-es384",
        Alg::Ed25519 => "test-ed25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Alg; 5] = [Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::Es384, Alg::Ed25519];

    #[test]
    fn tokens_verify_with_their_key_only_and_only_unchanged() {
        let keys = Keys::new().unwrap();
        let claims = object(json!({"sub": "user_1"}));
        for alg in ALL {
            let token = keys.sign(alg, &claims);
            for other in ALL {
                assert_eq!(keys.verify(other, &token).is_some(), other == alg, "{alg:?} {other:?}");
            }
            assert_eq!(keys.verify(alg, &token).as_ref(), Some(&claims));
            let (head, tail) = token.split_once('.').unwrap();
            assert_eq!(keys.verify(alg, &format!("{head}A.{tail}")), None);
        }
    }

    #[test]
    fn the_other_keys_differ_in_every_type() {
        let keys = Keys::new().unwrap();
        for alg in ALL {
            assert_ne!(keys.jwk(alg, Signer::Published), keys.jwk(alg, Signer::Other));
        }
    }

    #[test]
    fn a_key_set_can_deviate() {
        let settings = json!({"before": [{"kty": "x"}], "key": {"kid": null, "use": "enc"}});
        let settings: KeySetSettings = serde_json::from_value(settings).unwrap();
        let set = Keys::new().unwrap().jwks(Alg::Ed25519, &settings);
        assert_eq!(set["keys"][0], json!({"kty": "x"}));
        let own = &set["keys"][1];
        assert_eq!((&own["use"], &own["crv"], own.get("kid")), (&json!("enc"), &json!("Ed25519"), None));
    }

    #[test]
    fn at_hash_is_the_one_of_the_standard() {
        // OpenID Connect Core, appendix A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half(Alg::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half(Alg::Es384, token).len(), 32);
        assert_eq!(left_half(Alg::Ed25519, token).len(), 43);
    }
}
