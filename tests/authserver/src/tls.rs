//! Certificates made at start-up, good ones and every kind of bad one.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

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

    /// A configuration with a session cache of its own; None where this mode makes no handshake.
    pub(crate) fn server_config(&self, mode: TlsMode) -> Result<Option<Arc<ServerConfig>>, TlsError> {
        let names: &[&str] = match mode {
            TlsMode::None | TlsMode::Tls11 | TlsMode::HandshakeHang | TlsMode::HandshakeReset => {
                return Ok(None);
            }
            TlsMode::WrongName => &["wrong.example"],
            TlsMode::CnOnly => &[],
            // The last two are reserved for tests and documents: a test's proxy may connect them to this machine.
            _ => &["127.0.0.1", "::1", "localhost", "login.test", "192.0.2.1"],
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(if mode == TlsMode::CnOnly { "localhost" } else { "authserver" });
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = mode != TlsMode::SelfSigned;
        (params.not_before, params.not_after) = match mode {
            TlsMode::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1)),
            TlsMode::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2090, 2, 1)),
            _ => validity(Duration::days(90)),
        };
        let key = KeyPair::generate()?;
        let chain = match mode {
            TlsMode::SelfSigned => vec![params.self_signed(&key)?.der().clone()],
            TlsMode::Untrusted => vec![params.signed_by(&key, &self.foreign_ca)?.der().clone()],
            _ => vec![params.signed_by(&key, &self.ca)?.der().clone(), self.ca_der.clone()],
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Arc::new(config)))
    }
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
            TlsMode::Expired,
            TlsMode::NotYetValid,
            TlsMode::WrongName,
            TlsMode::CnOnly,
        ] {
            assert!(pki.server_config(mode).unwrap().is_some());
        }
        assert!(pki.server_config(TlsMode::Tls11).unwrap().is_none());
    }

    #[test]
    fn the_lengths_in_the_server_hello_are_true() {
        let hello = tls11_server_hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
    }
}
