//! Signing and checking the server's own tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

use crate::settings::Alg;

/// The key is public on purpose (it is in the repository): ring cannot make RSA keys, and nobody may trust this server.
const RSA_TEST_KEY: &[u8] = include_bytes!("../keys/rs256-test-only.der");

/// The keys of one process.
pub(crate) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

/// A key could not be read or made.
#[derive(Debug)]
pub(crate) struct KeyError;

impl Keys {
    pub(crate) fn new() -> Result<Keys, KeyError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let ec = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| KeyError)?;
        Ok(Keys {
            rsa: RsaKeyPair::from_pkcs8(RSA_TEST_KEY).map_err(|_| KeyError)?,
            ec: EcdsaKeyPair::from_pkcs8(algorithm, ec.as_ref(), &random).map_err(|_| KeyError)?,
        })
    }

    /// A signed JWT in compact form.
    pub(crate) fn sign(&self, alg: Alg, claims: &Map<String, Value>) -> String {
        let header = json!({"alg": name(alg), "kid": key_id(alg), "typ": "JWT"});
        let claims = Value::Object(claims.clone());
        let mut token =
            format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match alg {
            Alg::Rs256 => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                let signed = self.rsa.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature);
                signed.map(|()| signature)
            }
            Alg::Es256 => {
                self.ec.sign(&random, token.as_bytes()).map(|signature| signature.as_ref().to_vec())
            }
        };
        token.push('.');
        // Signing fails only without a random source; then the token has no signature and no client takes it.
        token.push_str(&BASE64.encode(signature.unwrap_or_default()));
        token
    }

    /// The claims of a token that this process signed.
    pub(crate) fn verify(&self, alg: Alg, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        let valid = match alg {
            Alg::Rs256 => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.rsa.public().as_ref())
                .verify(signed.as_bytes(), &signature),
            Alg::Es256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.ec.public_key().as_ref())
                .verify(signed.as_bytes(), &signature),
        };
        valid.ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }

    /// The key set that verifies what is signed with this algorithm.
    pub(crate) fn jwks(&self, alg: Alg) -> Value {
        let mut key = match alg {
            Alg::Rs256 => {
                let public = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
                json!({"kty": "RSA", "n": BASE64.encode(public.n), "e": BASE64.encode(public.e)})
            }
            Alg::Es256 => {
                // An uncompressed point: 4, x, y.
                let point = self.ec.public_key().as_ref();
                let part = |range| BASE64.encode(point.get(range).unwrap_or_default());
                json!({"kty": "EC", "crv": "P-256", "x": part(1..33), "y": part(33..65)})
            }
        };
        if let Some(key) = key.as_object_mut() {
            key.insert("alg".to_owned(), name(alg).into());
            key.insert("kid".to_owned(), key_id(alg).into());
            key.insert("use".to_owned(), "sig".into());
        }
        json!({ "keys": [key] })
    }
}

/// The algorithm as JOSE names it.
pub(crate) fn name(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "RS256",
        Alg::Es256 => "ES256",
    }
}

fn key_id(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "test-rs256",
        Alg::Es256 => "test-es256",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_verify_with_their_key_only_and_only_unchanged() {
        let keys = Keys::new().unwrap();
        let claims = json!({"sub": "user_1"}).as_object().unwrap().clone();
        for (alg, other) in [(Alg::Rs256, Alg::Es256), (Alg::Es256, Alg::Rs256)] {
            let token = keys.sign(alg, &claims);
            assert_eq!(keys.verify(alg, &token).as_ref(), Some(&claims));
            assert_eq!(keys.verify(other, &token), None);
            let (head, tail) = token.split_once('.').unwrap();
            assert_eq!(keys.verify(alg, &format!("{head}A.{tail}")), None);
        }
    }
}
