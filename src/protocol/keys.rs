//! The keys of a server (RFC 7517), and the signatures that they verify (RFC 7518 section 3).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};

use super::{json::Object, reply::Reply};
use crate::{Error, ErrorKind};

/// The maximum number of keys in a set.
const MAX_KEYS: usize = 100;

/// The keys with which a server signs. Keys of other types and for other purposes are left out (RFC 7517 section 5).
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The only algorithm that the key is for, if the server says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, as ring expects it.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A signature algorithm. Each is bound to one type of key.
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    name: &'static str,
    scheme: Scheme,
    /// The hash for `at_hash` (OpenID Connect Core section 3.1.3.6).
    pub(super) hash: &'static digest::Algorithm,
}

#[derive(Clone, Copy)]
enum Scheme {
    Rsa(&'static RsaParameters),
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    /// Returns the algorithm with this name, which is case-sensitive.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (name, scheme, hash) = match name {
            "RS256" => ("RS256", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256), &digest::SHA256),
            "RS384" => ("RS384", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384), &digest::SHA384),
            "RS512" => ("RS512", Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512), &digest::SHA512),
            "PS256" => ("PS256", Scheme::Rsa(&RSA_PSS_2048_8192_SHA256), &digest::SHA256),
            "PS384" => ("PS384", Scheme::Rsa(&RSA_PSS_2048_8192_SHA384), &digest::SHA384),
            "PS512" => ("PS512", Scheme::Rsa(&RSA_PSS_2048_8192_SHA512), &digest::SHA512),
            "ES256" => ("ES256", Scheme::P256, &digest::SHA256),
            "ES384" => ("ES384", Scheme::P384, &digest::SHA384),
            // RFC 9864 gives the curve its own name.
            "EdDSA" => ("EdDSA", Scheme::Ed25519, &digest::SHA512),
            "Ed25519" => ("Ed25519", Scheme::Ed25519, &digest::SHA512),
            _ => return None,
        };
        Some(Self { name, scheme, hash })
    }

    /// Whether it is the one that has two names.
    fn is_ed25519(&self) -> bool {
        matches!(self.scheme, Scheme::Ed25519)
    }

    fn fits(&self, key: &Key) -> bool {
        let material = matches!(
            (self.scheme, &key.material),
            (Scheme::Rsa(_), Material::Rsa { .. })
                | (Scheme::P256, Material::P256(_))
                | (Scheme::P384, Material::P384(_))
                | (Scheme::Ed25519, Material::Ed25519(_))
        );
        let is_this =
            |name: &str| name == self.name || (self.is_ed25519() && matches!(name, "EdDSA" | "Ed25519"));
        material && key.algorithm.as_deref().is_none_or(is_this)
    }

    fn verifies(&self, material: &Material, signed: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(signed, signature)
        };
        let verified = match (self.scheme, material) {
            (Scheme::Rsa(parameters), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature)
            }
            (Scheme::P256, Material::P256(point)) => by(&ECDSA_P256_SHA256_FIXED, point),
            (Scheme::P384, Material::P384(point)) => by(&ECDSA_P384_SHA384_FIXED, point),
            (Scheme::Ed25519, Material::Ed25519(point)) => by(&ED25519, point),
            _ => return false,
        };
        verified.is_ok()
    }
}

/// Why a signature was not verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unverified {
    /// No key has this id, or a key without an id verifies nothing: a newer set may.
    UnknownKey,
    BadSignature,
}

impl KeySet {
    /// Reads a key set document. The error is a sentence.
    pub(crate) fn read(reply: &Reply) -> Result<Self, Error> {
        // Without a text of the server: this request has no secret that is known here to mask.
        let error = |kind, message: &str| Error::new(kind, message);
        if reply.is_transient() {
            let message =
                format!("the server cannot give its keys now (HTTP {}): try again later", reply.status);
            return Err(error(ErrorKind::Network, &message));
        }
        let what = match reply.object() {
            Err(what) => what,
            Ok(_) if reply.status != 200 => "no keys",
            Ok(object) => match object.objects_among("keys") {
                Some(list) if list.len() <= MAX_KEYS => {
                    return Ok(Self(list.iter().filter_map(Key::read).collect()));
                }
                Some(_) => "more than 100 keys",
                None => "no list of keys",
            },
        };
        let message = format!("the server's keys cannot be used: HTTP {} with {what}", reply.status);
        Err(error(ErrorKind::InvalidResponse, &message))
    }

    /// Verifies a signature with the keys of this id, and with those that have none. Without an id, every key of the
    /// right type is tried.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        signed: &str,
        signature: &[u8],
    ) -> Result<(), Unverified> {
        let is_named = |key: &&Key| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        let fits = |key: &&Key| is_named(key) && algorithm.fits(key);
        let is_known = id.is_some() && self.0.iter().any(|key| fits(&key) && key.id.as_deref() == id);
        let mut keys = self.0.iter().filter(fits);
        let unverified = if is_known { Unverified::BadSignature } else { Unverified::UnknownKey };
        let verified = keys.any(|key| algorithm.verifies(&key.material, signed.as_bytes(), signature));
        if verified { Ok(()) } else { Err(unverified) }
    }
}

impl Key {
    /// Returns `None` for a key that cannot verify a signature here.
    fn read(object: &Object<'_>) -> Option<Self> {
        let text = |name: &str| object.string(name).ok();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(object.text(name)?).ok();
        let point = |length: usize| {
            let part = |name: &str| bytes(name).filter(|part| part.len() == length);
            Some([vec![4], part("x")?, part("y")?].concat())
        };
        let material = match (text("kty")??.as_str(), text("crv")?.as_deref()) {
            ("RSA", None) => Material::Rsa { n: unsigned(bytes("n")?), e: unsigned(bytes("e")?) },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        let signs = text("use")?.is_none_or(|purpose| purpose == "sig");
        let verifies = object.raw("key_ops").is_none()
            || object.strings("key_ops")?.iter().any(|operation| operation == "verify");
        let key = Self { id: text("kid")?, algorithm: text("alg")?, material };
        (signs && verifies).then_some(key)
    }
}

/// Removes leading zeros, which some servers add although RFC 7518 section 6.3.1.1 forbids them.
fn unsigned(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
pub(super) mod tests;
