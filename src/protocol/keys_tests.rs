use proptest::prelude::*;
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};

use super::*;

/// ring cannot make RSA keys.
const RSA_KEY: &[u8] = include_bytes!("../../tests/authserver/src/keys/rs256-test-only.der");

const ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"];

/// A private key for unit tests, and its algorithm.
pub(crate) enum Signer {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str, usize),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn new(algorithm: &str) -> Self {
        let rsa = |encoding| Self::Rsa(RsaKeyPair::from_pkcs8(RSA_KEY).unwrap().into(), encoding);
        let ec = |algorithm: &'static EcdsaSigningAlgorithm, curve, length| {
            let random = SystemRandom::new();
            let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap(), curve, length)
        };
        match algorithm {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "PS384" => rsa(&RSA_PSS_SHA384),
            "PS512" => rsa(&RSA_PSS_SHA512),
            "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32),
            "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48),
            _ => {
                let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
                Self::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
            }
        }
    }

    pub(crate) fn sign(&self, message: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ec(key, ..) => key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
        }
    }

    /// Returns the public key as a JWK with these additional members.
    pub(crate) fn jwk(&self, more: &str) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = match self {
            Self::Rsa(key, _) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public());
                format!(r#""kty":"RSA","n":"{}","e":"{}""#, encode(&n), encode(&e))
            }
            Self::Ec(key, curve, length) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(*length);
                format!(r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#, encode(x), encode(y))
            }
            Self::Ed25519(key) => {
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, encode(key.public_key().as_ref()))
            }
        };
        format!("{{{more}{key}}}")
    }
}

pub(crate) fn key_set(keys: &[String]) -> KeySet {
    KeySet::read(&Reply::json(200, &format!(r#"{{"keys":[{}]}}"#, keys.join(",")))).unwrap()
}

fn verify(set: &KeySet, algorithm: &str, id: Option<&str>, signature: &[u8]) -> Result<(), Unverified> {
    set.verify(Algorithm::of(algorithm).unwrap(), id, "message", signature)
}

// proves: R8725-3.1-01, R8725-3.2-01, OIDCC-3.1.3.7-05
#[test]
fn each_algorithm_verifies_its_own_signatures_only() {
    for algorithm in ALGORITHMS {
        let signer = Signer::new(algorithm);
        let set = key_set(&[signer.jwk("")]);
        let good = signer.sign("message");
        assert_eq!(verify(&set, algorithm, None, &good), Ok(()), "{algorithm}");
        let mut changed = good.clone();
        changed[9] ^= 1;
        assert!(verify(&set, algorithm, None, &changed).is_err(), "{algorithm}");
        assert!(verify(&set, algorithm, None, &signer.sign("another")).is_err(), "{algorithm}");
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let same = [algorithm, other].iter().all(|name| name.starts_with("Ed"));
            assert_eq!(verify(&set, other, None, &good).is_ok(), same, "{algorithm} as {other}");
        }
    }
    for none in ["none", "nOnE", "HS256", "rs256", "ES256 ", "ES512", "RSA1_5", ""] {
        assert!(Algorithm::of(none).is_none(), "{none}");
    }
}

// proves: OIDCC-10.1.1-01, R8725-3.10-01, P6-jwks
#[test]
fn the_key_id_selects_the_key_and_an_unknown_one_is_told_apart() {
    let (one, other) = (Signer::new("ES256"), Signer::new("ES256"));
    let set = key_set(&[one.jwk(r#""kid":"1","#), other.jwk(r#""kid":"2","#)]);
    let signature = other.sign("message");
    assert_eq!(verify(&set, "ES256", Some("2"), &signature), Ok(()));
    assert_eq!(verify(&set, "ES256", None, &signature), Ok(()));
    assert_eq!(verify(&set, "ES256", Some("1"), &signature), Err(Unverified::BadSignature));
    let long = "../x' OR 1=1".repeat(1000);
    for unknown in ["3", "", &long] {
        assert_eq!(verify(&set, "ES256", Some(unknown), &signature), Err(Unverified::UnknownKey));
    }
    assert_eq!(verify(&set, "ES256", None, &[]), Err(Unverified::UnknownKey));
    // Some servers name the key in the token only.
    let nameless = key_set(&[other.jwk("")]);
    assert_eq!(verify(&nameless, "ES256", Some("2"), &signature), Ok(()));
    assert_eq!(verify(&nameless, "ES256", Some("2"), &one.sign("message")), Err(Unverified::UnknownKey));
    // Two keys of one id: each type has its own.
    let rsa = Signer::new("RS256");
    let twins = key_set(&[rsa.jwk(r#""kid":"2","#), other.jwk(r#""kid":"2","#)]);
    assert_eq!(verify(&twins, "ES256", Some("2"), &signature), Ok(()));
    assert_eq!(verify(&twins, "RS256", Some("2"), &rsa.sign("message")), Ok(()));
}

// proves: R8725-3.1-01, R8725-3.4-01, P6-jwks
#[test]
fn keys_for_other_purposes_and_unusable_keys_are_left_out() {
    let signer = Signer::new("ES256");
    let signature = signer.sign("message");
    let verified = |key: String| verify(&key_set(&[key]), "ES256", None, &signature).is_ok();
    for good in
        ["", r#""use":"sig","#, r#""alg":"ES256","#, r#""key_ops":["sign","verify"],"#, r#""x5c":[1],"#]
    {
        assert!(verified(signer.jwk(good)), "{good}");
    }
    for bad in [
        r#""use":"enc","#,
        r#""alg":"ES384","#,
        r#""key_ops":["encrypt"],"#,
        r#""key_ops":5,"#,
        r#""kid":5,"#,
        r#""kty":"EC","#,
    ] {
        assert!(!verified(signer.jwk(bad)), "{bad}");
    }
    let ed25519 = Signer::new("EdDSA");
    let set = key_set(&[ed25519.jwk(r#""alg":"Ed25519","#)]);
    assert_eq!(verify(&set, "EdDSA", None, &ed25519.sign("message")), Ok(()));
    let jwk = signer.jwk("");
    for (from, to) in
        [("P-256", "P-521"), ("\"x\":\"", "\"x\":\"AA"), ("\"y\"", "\"z\""), ("EC", "oct"), ("{", "[{")]
    {
        let key = jwk.replacen(from, to, 1) + if to == "[{" { "]" } else { "" };
        assert!(!verified(key), "{from}");
    }
    // A point that is not on the curve.
    let zeros = URL_SAFE_NO_PAD.encode([1; 32]);
    assert!(!verified(format!(r#"{{"kty":"EC","crv":"P-256","x":"{zeros}","y":"{zeros}"}}"#)));
}

// proves: R8725-3.4-01
#[test]
fn an_rsa_key_has_at_least_2048_bits() {
    let signer = Signer::new("RS256");
    let signature = signer.sign("message");
    let Signer::Rsa(pair, _) = &signer else { panic!() };
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    let key = |n: &[u8], e: &[u8]| {
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        key_set(&[format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#)])
    };
    assert_eq!(verify(&key(&n, &e), "RS256", None, &signature), Ok(()));
    let padded = [&[0, 0], &n[..]].concat();
    assert_eq!(verify(&key(&padded, &e), "RS256", None, &signature), Ok(()));
    for bad in [key(&n[..128], &e), key(&n, &[1]), key(&[], &[]), key(&n, &[255; 40])] {
        assert!(verify(&bad, "RS256", None, &signature).is_err());
    }
}

// proves: P6-jwks
#[test]
fn an_unusable_key_set_is_an_error() {
    for (status, body, kind, words) in [
        (503, "", ErrorKind::Network, "HTTP 503"),
        (404, "{}", ErrorKind::InvalidResponse, "HTTP 404 with no keys"),
        (200, "<html>", ErrorKind::InvalidResponse, "not one JSON object"),
        (200, "{}", ErrorKind::InvalidResponse, "no list of keys"),
        (200, r#"{"keys":{}}"#, ErrorKind::InvalidResponse, "no list of keys"),
        (302, r#"{"keys":[]}"#, ErrorKind::InvalidResponse, "redirect"),
    ] {
        let error = KeySet::read(&Reply::json(status, body)).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let of =
        |count: usize| KeySet::read(&Reply::json(200, &format!(r#"{{"keys":[{}5]}}"#, "{},".repeat(count))));
    assert!(of(MAX_KEYS - 1).is_ok());
    assert!(of(MAX_KEYS + 1).unwrap_err().to_string().contains("more than 100"));
}

proptest! {
    #[test]
    fn no_key_set_breaks_the_reader(text in r#"(\{"keys":\[)?(\{"(kty|n|e|x|y|crv|kid|use|alg)":"?[A-Za-z0-9_-]{0,9}"?\},?)*.{0,20}"#) {
        if let Ok(set) = KeySet::read(&Reply::json(200, &text)) {
            prop_assert!(verify(&set, "ES256", None, text.as_bytes()).is_err());
        }
    }
}

// proves: R8725-3.4-01
#[test]
fn a_valid_signature_of_a_short_rsa_key_is_refused() {
    let n = "7qaBANnrSqqM0B4sQbfKfMR8RV0jJw5QOxFEToQTsKL9mEil0k7jdiNoJvecTFIMlyTxj9E-ck67JQ3zuSmKZQxTHHiaf-Xdd9e0T89cMKL4\
             kcWbYIn6GX2yBNcq6IDDCBOCYdB0gwSjyW-PmbewFk6Qnl1mmRm7m9rhq0Vc5C0";
    let signed = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2giLCJzdWIiOiJ1IiwiYXVkIjoiYyIsImV4cCI6MjAwMDA\
                  wMDAwMCwiaWF0IjoxMDAwMDAwMDAwfQ";
    let signature = "ijQQSlOV1hdVYujtYLlMk2p4R2QGpLfZ5gZQUnd74TBMAEaMvZACU-VGhL3p-8PSCpistywrHIGqavXP8YpAssjjd-FhFK-JfIQ\
                     x4nwp3AwTaRRi9DqfMfi3rMYMwO7UdkBefT72dedMNKMXsiQOI4VRrOtkX-mppRdsvMUGNpA";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let set = key_set(&[format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#)]);
    assert!(set.verify(Algorithm::of("RS256").unwrap(), None, signed, &signature).is_err());
}
