//! The reasons for which TLS ends a connection, in words.

use std::io;

use rustls::{CertificateError, InvalidMessage, PeerIncompatible};
use url::Url;

use super::{algorithm, proxy::ProxyServer, self_signed::is_authority};
use crate::{Error, ErrorKind, flow::Failure};

/// Returns the failure for a certificate that was refused.
pub(super) fn certificate(why: &CertificateError, url: &Url, proxy: Option<&ProxyServer>) -> Failure {
    let message = format!("the certificate of {} was refused: {}", peer(url, proxy, "of "), flaw(why));
    Failure::Permanent(Error::new(ErrorKind::Tls, message))
}

/// Returns the error for a handshake that failed for another reason.
pub(super) fn handshake(cause: Option<&io::Error>, url: &Url, proxy: Option<&ProxyServer>) -> Error {
    let why = cause.map_or_else(|| "the TLS handshake failed".to_owned(), ToString::to_string);
    Error::new(ErrorKind::Tls, format!("no secure connection to {}: {why}", peer(url, proxy, "")))
}

/// Returns the error for a connection that was closed before the handshake was complete.
pub(super) fn interrupted(url: &Url, proxy: Option<&ProxyServer>) -> Error {
    let host = url.host_str().unwrap_or("the server");
    let peer = proxy.map_or_else(|| host.to_owned(), |proxy| format!("the proxy {proxy} or {host}"));
    let message = format!("{peer} closed the connection during the TLS handshake: check the network");
    Error::new(ErrorKind::Network, message)
}

/// Returns who was at the other end of the handshake.
fn peer(url: &Url, proxy: Option<&ProxyServer>, preposition: &str) -> String {
    let host = url.host_str().unwrap_or("the server");
    match proxy {
        // There are two handshakes, and nothing says which of them failed.
        Some(proxy) if proxy.uses_tls() => format!("the proxy {proxy} or {preposition}{host}"),
        _ => host.to_owned(),
    }
}

/// Returns what is wrong with a certificate, and what to do.
fn flaw(why: &CertificateError) -> String {
    use CertificateError as Why;
    let flaw = match why {
        Why::UnknownIssuer => {
            "no authority that this machine trusts has signed it; behind a company proxy, add its CA certificate"
        }
        Why::Expired | Why::ExpiredContext { .. } => "it has expired; check this machine's clock",
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "it is not valid yet; check this machine's clock"
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "it is for another name; check the address"
        }
        // The rest helps the server's administrator.
        Why::BadEncoding => "it cannot be read",
        Why::BadSignature => "its signature is wrong",
        Why::Revoked => "it was revoked",
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => "it is not meant for servers",
        Why::UnhandledCriticalExtension => "it has a critical extension that is not supported",
        Why::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: id, .. } => {
            return format!(
                "its chain has the signature algorithm {}, which is not supported; the server's administrator can use \
                 RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
                algorithm::name(id)
            );
        }
        Why::UnsupportedSignatureAlgorithmForPublicKeyContext { public_key_algorithm_id: id, .. } => {
            return format!(
                "its chain has the key type {}, which is not supported; the server's administrator can use RSA \
                 (rsaEncryption), ECDSA (P-256, P-384 or P-521) or Ed25519",
                algorithm::name(id)
            );
        }
        why if is_authority(why) => {
            "it is the certificate of an authority, which must sign another one for the server, unless it was itself \
             given as a CA certificate"
        }
        Why::Other(other) if other.to_string().starts_with("UnsupportedCriticalExtension") => {
            "it has a critical extension that is not supported"
        }
        Why::Other(other) => return words(&other.to_string()),
        other => return words(&format!("{other:?}")),
    };
    flaw.to_owned()
}

/// Returns why a handshake or a connection failed, for any reason but the certificate.
pub(super) fn in_words(error: &rustls::Error) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::AlertReceived(alert) => {
            // RFC 8446 spells it with a z.
            let name =
                alert.as_str().map(|name| words(name).replace(' ', "_").replace("recognised", "recognized"));
            let name = name.unwrap_or_else(|| u8::from(*alert).to_string());
            format!("the server ended it with the TLS alert {name}")
        }
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => "the response is not TLS".to_owned(),
        Tls::InvalidMessage(why) => format!("a TLS message is malformed ({})", words(&format!("{why:?}"))),
        Tls::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            "the server supports neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        Tls::PeerIncompatible(why) => {
            format!("the server's TLS is not compatible ({})", words(&format!("{why:?}")))
        }
        Tls::PeerMisbehaved(why) => format!("the server violates TLS ({})", words(&format!("{why:?}"))),
        Tls::InappropriateMessage { .. } | Tls::InappropriateHandshakeMessage { .. } => {
            "the server violates TLS (unexpected message)".to_owned()
        }
        other => other.to_string(),
    }
}

/// Returns an identifier in CamelCase as words, without what follows the identifier. An abbreviation is one word.
fn words(text: &str) -> String {
    let mut words = String::new();
    let mut characters = text.chars().take_while(char::is_ascii_alphanumeric).peekable();
    let mut after_upper = true;
    while let Some(character) = characters.next() {
        let is_upper = character.is_ascii_uppercase();
        if is_upper && (!after_upper || characters.peek().is_some_and(char::is_ascii_lowercase)) {
            words.push(' ');
        }
        after_upper = is_upper;
        words.push(character.to_ascii_lowercase());
    }
    words.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{AlertDescription, OtherError};

    use super::*;

    #[test]
    fn tls_errors_are_described_without_debug_output() {
        let alert = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert_eq!(in_words(&alert), "the server ended it with the TLS alert handshake_failure");
        let authority = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
        assert_eq!(in_words(&authority), "the server ended it with the TLS alert unknown_ca");
        assert_eq!(words("UnknownPSKIdentity { a: 1 }"), "unknown psk identity");
        let unknown = rustls::Error::AlertReceived(AlertDescription::Unknown(200));
        assert_eq!(in_words(&unknown), "the server ended it with the TLS alert 200");
        let no_tls = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(in_words(&no_tls), "the response is not TLS");
        let incompatible = rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon);
        assert_eq!(
            in_words(&incompatible),
            "the server's TLS is not compatible (no cipher suites in common)"
        );
    }

    #[test]
    fn a_rejected_certificate_error_states_the_defect() {
        #[derive(Debug)]
        struct Private(&'static str);
        impl std::fmt::Display for Private {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl std::error::Error for Private {}

        let other = |text| CertificateError::Other(OtherError(Arc::new(Private(text))));
        assert_eq!(
            flaw(&other("CaUsedAsEndEntity")),
            "it is the certificate of an authority, which must sign another one for the server, unless it was itself \
             given as a CA certificate"
        );
        let sha1 = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00".to_vec(),
            supported_algorithms: Vec::new(),
        };
        assert_eq!(
            flaw(&sha1),
            "its chain has the signature algorithm RSA with SHA-1, which is not supported; the server's administrator \
             can use RSA or ECDSA with SHA-256, SHA-384 or SHA-512"
        );
        assert_eq!(flaw(&other("PathLenConstraintViolated")), "path len constraint violated");
        assert_eq!(flaw(&other("TrailingData(Time { is: 1 })")), "trailing data");
        assert_eq!(flaw(&CertificateError::InvalidOcspResponse), "invalid ocsp response");
    }
}
