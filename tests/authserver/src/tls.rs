//! Certificates made at start-up, good ones and every kind of bad one.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, ServerConfig, SupportedProtocolVersion};
use time::{Duration, OffsetDateTime};

use crate::fixed::Fixed;
use crate::settings::TlsMode;

/// What certificates are issued with in one process.
pub(crate) struct Pki {
    ca: Issuer<'static, KeyPair>,
    ca_der: CertificateDer<'static>,
    /// The certificate that a client has to trust.
    pub(crate) ca_pem: String,
    foreign_ca: Issuer<'static, KeyPair>,
}

/// Making a key or a certificate failed; nothing that a user can do causes this.
pub(crate) type TlsError = Box<dyn std::error::Error + Send + Sync>;

impl Pki {
    pub(crate) fn new() -> Result<Pki, TlsError> {
        let (ca, ca_der, ca_pem) = authority("authserver test CA")?;
        let (foreign_ca, _, _) = authority("authserver CA that nobody trusts")?;
        Ok(Pki { ca, ca_der, ca_pem, foreign_ca })
    }

    pub(crate) fn identity(&self, mode: TlsMode) -> Result<Identity, TlsError> {
        let names: &[&str] = match mode {
            TlsMode::None | TlsMode::Tls11 | TlsMode::HandshakeHang | TlsMode::HandshakeReset => {
                return Ok(Identity { config: None, ca_pem: self.ca_pem.clone() });
            }
            TlsMode::P521 => return fixed(Fixed::P521, ALL_VERSIONS),
            TlsMode::P521Tls12 => return fixed(Fixed::P521, &[&TLS12]),
            TlsMode::P384Sha512 => return fixed(Fixed::P384, &[&TLS12]),
            TlsMode::P256Sha512 => return fixed(Fixed::P256, &[&TLS12]),
            TlsMode::RsaPss => return fixed(Fixed::RsaPss, ALL_VERSIONS),
            TlsMode::Ed448 => return fixed(Fixed::Ed448, ALL_VERSIONS),
            TlsMode::WrongName | TlsMode::SelfSignedRootWrongName => &["wrong.example"],
            TlsMode::CnOnly => &[],
            // The last two are reserved for tests and documents: a test's proxy may connect them to this machine.
            _ => &["127.0.0.1", "::1", "localhost", "login.test", "192.0.2.1"],
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(if mode == TlsMode::CnOnly { "localhost" } else { "authserver" });
        let is_own_root = matches!(
            mode,
            TlsMode::SelfSignedRoot
                | TlsMode::SelfSignedRootExpired
                | TlsMode::SelfSignedRootWrongName
                | TlsMode::SelfSignedRootReplaced
        );
        if is_own_root {
            // As `openssl req -x509` makes them.
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        } else {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        }
        params.use_authority_key_identifier_extension = mode != TlsMode::SelfSigned;
        (params.not_before, params.not_after) = match mode {
            TlsMode::Expired | TlsMode::SelfSignedRootExpired => {
                (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1))
            }
            TlsMode::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2090, 2, 1)),
            _ => validity(Duration::days(90)),
        };
        let key = KeyPair::generate()?;
        let mut ca_pem = self.ca_pem.clone();
        let chain = match mode {
            _ if is_own_root => {
                let shown = params.self_signed(&key)?;
                ca_pem = match mode {
                    // The same names, another key.
                    TlsMode::SelfSignedRootReplaced => params.self_signed(&KeyPair::generate()?)?.pem(),
                    _ => shown.pem(),
                };
                vec![shown.der().clone()]
            }
            TlsMode::SelfSigned => vec![params.self_signed(&key)?.der().clone()],
            TlsMode::Untrusted => vec![params.signed_by(&key, &self.foreign_ca)?.der().clone()],
            _ => vec![params.signed_by(&key, &self.ca)?.der().clone(), self.ca_der.clone()],
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key)?;
        let config = server_config(Arc::new(CertifiedKey::new(chain, key)), ALL_VERSIONS)?;
        Ok(Identity { config: Some(config), ca_pem })
    }
}

/// What a client sees of a server, and what it has to trust.
pub(crate) struct Identity {
    /// A configuration with a session cache of its own; None where the mode makes no handshake.
    pub(crate) config: Option<Arc<ServerConfig>>,
    pub(crate) ca_pem: String,
}

fn fixed(certificates: Fixed, versions: &[&'static SupportedProtocolVersion]) -> Result<Identity, TlsError> {
    let (key, ca_pem) = certificates.load()?;
    Ok(Identity { config: Some(server_config(key, versions)?), ca_pem })
}

fn server_config(
    key: Arc<CertifiedKey>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

type Authority = (Issuer<'static, KeyPair>, CertificateDer<'static>, String);

fn authority(name: &str) -> Result<Authority, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(Duration::days(365));
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let (der, pem) = (certificate.der().clone(), certificate.pem());
    Ok((Issuer::new(params, key), der, pem))
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// From yesterday, since clocks of clients may be a little behind.
fn validity(length: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - Duration::days(1), now + length)
}

/// The first flight of a server that knows nothing newer than TLS 1.1: a ServerHello that chooses it, with the suite
/// TLS_RSA_WITH_AES_128_CBC_SHA. A client that refuses TLS below 1.2 answers with an alert.
pub(crate) fn tls11_server_hello() -> Vec<u8> {
    const VERSION: [u8; 2] = [3, 2];
    let mut hello = VERSION.to_vec();
    hello.extend_from_slice(&[0x5a; 32]); // random
    hello.push(0); // no session id
    hello.extend_from_slice(&[0, 0x2f]); // the suite
    hello.push(0); // no compression
    let mut record = vec![22, VERSION[0], VERSION[1], 0, 42, 2, 0, 0, 38];
    record.extend_from_slice(&hello);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_with_a_handshake_has_a_configuration() {
        let pki = Pki::new().unwrap();
        for mode in [
            TlsMode::Good,
            TlsMode::Untrusted,
            TlsMode::SelfSigned,
            TlsMode::SelfSignedRoot,
            TlsMode::P521,
            TlsMode::P521Tls12,
            TlsMode::P384Sha512,
            TlsMode::P256Sha512,
            TlsMode::RsaPss,
            TlsMode::Ed448,
            TlsMode::Expired,
            TlsMode::NotYetValid,
            TlsMode::WrongName,
            TlsMode::CnOnly,
        ] {
            assert!(pki.identity(mode).unwrap().config.is_some());
        }
        assert!(pki.identity(TlsMode::Tls11).unwrap().config.is_none());
    }

    #[test]
    fn the_lengths_in_the_server_hello_are_true() {
        let hello = tls11_server_hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
    }
}
