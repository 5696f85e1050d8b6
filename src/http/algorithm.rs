//! The names of algorithms that certificates use, for errors. What is supported is missing here.

use std::fmt::Write;

/// Returns the name of an algorithm, or else its number. Takes the content of an `AlgorithmIdentifier` in DER.
pub(super) fn name(identifier: &[u8]) -> String {
    let (number, parameters) = object(identifier);
    let number = match number.as_str() {
        // A key of an elliptic curve: the parameters name the curve.
        "1.2.840.10045.2.1" => object(parameters).0,
        _ => number,
    };
    let name = match number.as_str() {
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "id-RSASSA-PSS",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.2.156.10197.1.301" | "1.2.156.10197.1.501" => "SM2",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.101.113" => "Ed448",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "P-224",
        "2.16.840.1.101.3.4.3.1" => "DSA with SHA-224",
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        "" => "(unreadable)",
        number => number,
    };
    name.to_owned()
}

/// Reads an object identifier: its number, or nothing, and what follows it.
fn object(der: &[u8]) -> (String, &[u8]) {
    let mut number = String::new();
    let Some((&[6, length], rest)) = der.split_first_chunk::<2>() else {
        return (number, der);
    };
    let Some((object, rest)) = rest.split_at_checked(length.into()) else {
        return (number, rest);
    };
    let mut arc: u64 = 0;
    for byte in object {
        arc = arc.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            // The first one is two: 40 times one of 0, 1 and 2, and the other.
            let _ = match (number.is_empty(), arc / 40) {
                (true, first @ (0 | 1)) => write!(number, "{first}.{}", arc % 40),
                (true, _) => write!(number, "2.{}", arc.saturating_sub(80)),
                (false, _) => write!(number, ".{arc}"),
            };
            arc = 0;
        }
    }
    (number, rest)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::alg_id;

    use super::*;

    #[test]
    fn algorithms_have_names_or_numbers() {
        assert_eq!(name(&alg_id::RSA_PSS_SHA256), "id-RSASSA-PSS");
        assert_eq!(name(&alg_id::ED448), "Ed448");
        assert_eq!(name(&alg_id::ML_DSA_65), "ML-DSA-65");
        assert_eq!(name(&alg_id::ECDSA_P256K1), "secp256k1");
        assert_eq!(name(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"), "RSA with SHA-1");
        assert_eq!(name(b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"), "ECDSA with SHA-1");
        assert_eq!(name(&alg_id::ED25519), "1.3.101.112");
        assert_eq!(name(b"\x06\x04\x88\x37\x00\x09"), "2.999.0.9");
    }

    #[test]
    fn a_malformed_algorithm_has_no_name() {
        for der in [&b""[..], b"\x06", b"\x06\x00", b"\x06\x7f\x2a", b"\x05\x00", b"\x06\x01\xff"] {
            assert_eq!(name(der), "(unreadable)", "{der:?}");
        }
    }
}
