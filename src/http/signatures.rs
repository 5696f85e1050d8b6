//! The signatures that servers and certificates may have: those of ring, and the ECDSA that it lacks, with P-521 keys
//! or SHA-512.

use std::{fmt, ops::Add};

use ecdsa::{
    EcdsaCurve, Signature,
    der::{MaxOverhead, MaxSize},
    elliptic_curve::{
        AffinePoint, CurveArithmetic, FieldBytesSize, ProjectivePoint, PublicKey,
        array::ArraySize,
        sec1::{FromSec1Point, ModulusSize, ToSec1Point},
    },
    hazmat::verify_prehashed,
};
use p256::NistP256;
use p384::NistP384;
use p521::NistP521;
use ring::digest::{self, SHA256, SHA384, SHA512};
use rustls::{
    SignatureScheme,
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id},
};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS, RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA384_LEGACY_KEY, RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// The lists of rustls's ring provider, with the algorithms below. The order of the schemes is that of preference.
pub(super) static SUPPORTED: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        ECDSA_P256_SHA256,
        ECDSA_P256_SHA384,
        ECDSA_P256_SHA512,
        ECDSA_P384_SHA256,
        ECDSA_P384_SHA384,
        ECDSA_P384_SHA512,
        ECDSA_P521_SHA256,
        ECDSA_P521_SHA384,
        ECDSA_P521_SHA512,
        ED25519,
        RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512,
        RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    // TLS 1.3 uses the first of each scheme. In TLS 1.2 a scheme does not determine the curve: a server may sign with
    // any key and any digest of the list.
    mapping: &[
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[ECDSA_P384_SHA384, ECDSA_P256_SHA384, ECDSA_P521_SHA384]),
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256, ECDSA_P384_SHA256, ECDSA_P521_SHA256]),
        (SignatureScheme::ECDSA_NISTP521_SHA512, &[ECDSA_P521_SHA512, ECDSA_P384_SHA512, ECDSA_P256_SHA512]),
        (SignatureScheme::ED25519, &[ED25519]),
        (SignatureScheme::RSA_PSS_SHA512, &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA256, &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[RSA_PKCS1_2048_8192_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[RSA_PKCS1_2048_8192_SHA256]),
    ],
};

static ECDSA_P256_SHA512: Algorithm = &Ecdsa {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA512,
    digest: &SHA512,
    verify: verify::<NistP256>,
};

static ECDSA_P384_SHA512: Algorithm = &Ecdsa {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA512,
    digest: &SHA512,
    verify: verify::<NistP384>,
};

static ECDSA_P521_SHA256: Algorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA256,
    digest: &SHA256,
    verify: verify::<NistP521>,
};

static ECDSA_P521_SHA384: Algorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA384,
    digest: &SHA384,
    verify: verify::<NistP521>,
};

static ECDSA_P521_SHA512: Algorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA512,
    digest: &SHA512,
    verify: verify::<NistP521>,
};

/// ECDSA that ring lacks. ring computes the digest.
struct Ecdsa {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    digest: &'static digest::Algorithm,
    verify: Verify,
}

/// Verifies a signature. Takes the key, the digest and the signature.
type Verify = fn(&[u8], &[u8], &[u8]) -> Result<(), ecdsa::Error>;

impl fmt::Debug for Ecdsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ecdsa")
    }
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let digest = digest::digest(self.digest, message);
        (self.verify)(key, digest.as_ref(), signature).map_err(|_| InvalidSignature)
    }
}

fn verify<C>(key: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), ecdsa::Error>
where
    C: EcdsaCurve + CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<MaxOverhead> + ArraySize,
{
    let signature = Signature::<C>::from_der(signature)?;
    // Checks that the point is on the curve.
    let key = PublicKey::<C>::from_sec1_bytes(key).map_err(|_| ecdsa::Error::new())?;
    verify_prehashed::<C>(&ProjectivePoint::<C>::from(*key.as_affine()), digest, &signature)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    /// Keys and signatures of "hello" that OpenSSL made.
    fn vectors() -> Vec<(Algorithm, Vec<u8>, Vec<u8>)> {
        let vectors = [
            (
                ECDSA_P256_SHA512,
                "BDGvZJ/1DA2FW5ewdeFPjOlyRw2Z0Yc+2LU6orpU7pR8Umon42J3iNyr6WgyXnng58G7DrmEEQeYqlljk09DcoE=",
                "MEQCIFU+cbd6DDSQ79IdJwqS8DeTeyol15FP1dSewDpGmGbzAiAgss/6rm2tGVk9GWcSCRqgMNGoak/Q/PV9SoHW8QZG+g==",
            ),
            (
                ECDSA_P384_SHA512,
                "BN+2846toilqrQVUvIZ6J/ijVGjMZLsCize5QdZD20mvNhNXwaM9iE4f5d0eF+XIETTnW/DUnDa6kLC7f5WtFqFPK6Ya9kDUmJPtq4GUGe66Yq7lkIGWOt8OWTY26B6F3A==",
                "MGUCMQCjKVOo92pHw5hseJjh5B8VaxLJbSs1wy2we0YKbXYFnh6wiUcr5LjRdFEp5HXHljYCMG8ZNtAIrpU1As2DYMXzdFR2EAgtM3wj2WTn917PdZ6pB3Sv/oY7vdszkFTOLkVI9Q==",
            ),
            (
                ECDSA_P521_SHA256,
                "BACcRRK8y93ZpMpTGzmfhGBIo/HK/a5iS5LxUOn1EGQUjsGzjVzHT5VCvctOtrxLyAyik2oDXcj1lW87VEQtczIa0AHkpFGtPVj96/09L4ZPr/LNjFNdvXgntQm6d2NPtbZZhwdRlXv5R6gPmoYVCN83G011PcHPCfTr/yUmyOM2eaGxmg==",
                "MIGIAkIAiWrJOAYZDdZ6G89ZN02ZqujHm48rIGLwWphevhxO7oyKjeGq/xClr3NTPJR8YV8UP1Y91PrAS0nsaTBBDQ6dZ+MCQgHIf7KpcJbnoRbbfRqGvFlM1RWgdkTHnl7ZN4cfW6Zm/D3GnVanyb6GOlc+mhHY1mXlla6Yu5841JujDi1OMQcdeA==",
            ),
            (
                ECDSA_P521_SHA384,
                "BADgCW6KJin5u8gCsLSl4dPLBFNPl2GFanphCVBurradY8dIveRxJgKSaUiSF+YvtWDqpI3TsQymgy+DioPKdD0dlgAPNcPjT8qU45hEkz+IndjDLcptmZQeIiD0vYF50/jHcWE+yTXB2cRXNrgfJ9dgkSEwkjExTWtphEj+lhndt0shOA==",
                "MIGHAkIA7flmC8SQQkmJhEI1iEh5nW3VhXO6K3IrRifgA3ovjOnOvjy5StUvuheg4JU/NfhO2iKcBooixup5N2YvcRW9SaQCQWSOUfY3YJ4COKmivo+WdZN/LWPnvKKZOj34wboZyFHkSF7h2bYa7eRheOLur0JnqipXxg+dGYbaYm38bDD3GRCB",
            ),
            (
                ECDSA_P521_SHA512,
                "BAFJsgT8t7q5SkZ4saoXhEJLIu3ftZUdvsDJrRARc+7d7rerizI4wGcHtSBVQoaGmdbqITq6oPbzhRkRWTrx4oI1jAE1tlDbzuqJV20Nrga096vjnwzbVOulxdU08ONDhz4/3/fT9qUE+7oPuX67lFZICicObUtnugQ7w5wJ5p1S3R4vPA==",
                "MIGIAkIBw8wnf+aPGO2A5B+wB5j/SgAH6oT7t3/zI/bMzTt5ym7BX3kqTVQg1Vri0g4GjZKsS5X3YsIZ9UpbfbpHXaKdyGACQgHppndidufy6k7PC7MJ3NUPg7gDQth3ee5RCg9KEe80yURVdXem+vf+vgtYOgJ44aehwDg8zJnueHXE6izZSxFSEA==",
            ),
        ];
        let decode = |text| BASE64_STANDARD.decode(text).unwrap();
        vectors
            .into_iter()
            .map(|(algorithm, key, signature)| (algorithm, decode(key), decode(signature)))
            .collect()
    }

    #[test]
    fn signatures_of_openssl_are_verified() {
        for (algorithm, key, signature) in vectors() {
            algorithm.verify_signature(&key, b"hello", &signature).unwrap();
            assert!(algorithm.verify_signature(&key, b"hallo", &signature).is_err());
        }
    }

    #[test]
    fn a_wrong_key_or_signature_is_refused() {
        let vectors = vectors();
        for (index, (algorithm, key, signature)) in vectors.iter().enumerate() {
            let (_, other_key, other_signature) = &vectors[(index + 1) % vectors.len()];
            let mut off_the_curve = key.clone();
            *off_the_curve.last_mut().unwrap() ^= 1;
            let longer = [&signature[..], &[0]].concat();
            let shorter = &signature[..signature.len() - 1];
            // r and s are zero, and the point at infinity.
            let (zero, infinity) = (vec![0x30, 6, 2, 1, 0, 2, 1, 0], vec![0]);
            for (key, signature) in [
                (other_key, signature),
                (key, other_signature),
                (&off_the_curve, signature),
                (&infinity, signature),
                (key, &longer),
                (key, &shorter.to_vec()),
                (key, &zero),
                (key, &Vec::new()),
                (&Vec::new(), signature),
            ] {
                assert!(algorithm.verify_signature(key, b"hello", signature).is_err(), "{index}");
            }
        }
    }

    #[test]
    fn nothing_of_rings_is_missing() {
        let rings = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let is_listed = |list: &[Algorithm], one: &Algorithm| {
            list.iter().any(|other| {
                (other.public_key_alg_id(), other.signature_alg_id())
                    == (one.public_key_alg_id(), one.signature_alg_id())
            })
        };
        assert!(rings.all.iter().all(|one| is_listed(SUPPORTED.all, one)));
        for (scheme, algorithms) in rings.mapping {
            let (_, ours) = SUPPORTED.mapping.iter().find(|(other, _)| other == scheme).unwrap();
            assert!(algorithms.iter().all(|one| is_listed(ours, one)), "{scheme:?}");
        }
        for (_, algorithms) in SUPPORTED.mapping {
            assert!(algorithms.iter().all(|one| is_listed(SUPPORTED.all, one)));
        }
    }
}
