//! The trusted certificates: those of the operating system and the given roots. TLS 1.2 and 1.3.
//!
//! If the trust store has a single bundle file, that file is read directly. A platform verifier would load bundle and
//! directory, each certificate twice, which costs a command-line tool more than the rest of its first request.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};

use crate::{Error, platform};

/// The maximum size of a PEM text, in bytes.
pub(crate) const MAX_PEM_BYTES: usize = 4 * 1024 * 1024;

/// Returns the certificates of a PEM text. The error says what is wrong with it.
pub(crate) fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    if pem.len() > MAX_PEM_BYTES {
        return Err("it is larger than 4 MiB");
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not well-formed PEM")?;
    if certificates.is_empty() {
        return Err("it holds no certificate (-----BEGIN CERTIFICATE-----)");
    }
    let mut roots = RootCertStore::empty();
    match certificates.iter().try_for_each(|certificate| roots.add(certificate.clone())) {
        Ok(()) => Ok(certificates),
        Err(_) => Err("it holds a certificate that cannot be read"),
    }
}

/// Returns the TLS settings for servers on the network.
pub(super) fn client_config(ca_pem: &[Vec<u8>]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    for pem in ca_pem {
        let certificates =
            read_pem(pem).map_err(|why| Error::config(format!("the CA file cannot be used: {why}")))?;
        roots.add_parsable_certificates(certificates);
    }
    roots.add_parsable_certificates(system_roots());
    with_roots(roots)
}

/// Returns TLS settings that trust no server, for plain http to this machine.
pub(super) fn no_trust() -> Result<ClientConfig, Error> {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, Error> {
    // An explicit provider: a library must neither set the process-wide one nor depend on it.
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS cannot be set up: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// A key provider that loads no keys. Client certificates are not supported, so no private key is ever read, and the
/// code that could read one is left out of the program.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("client certificates are not supported".into()))
    }
}

/// Returns the certificates of the system's bundle, or else all that
/// the system has. Honours `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let bundle = openssl_probe::probe().cert_file;
    let directory = std::env::var_os("SSL_CERT_DIR").filter(|value| !value.is_empty());
    // A bundle inside the directory of certificates consists of them: reading the directory would add nothing.
    let is_all = directory
        .is_none_or(|directory| bundle.as_deref().and_then(Path::parent) == Some(Path::new(&directory)));
    if platform::TRUSTS_A_BUNDLE && is_all {
        let roots = bundle.as_deref().map(read_bundle).unwrap_or_default();
        if !roots.is_empty() {
            return roots;
        }
    }
    rustls_native_certs::load_native_certs().certs
}

fn read_bundle(path: &Path) -> Vec<CertificateDer<'static>> {
    // Skips certificates that cannot be read. The others stay usable.
    CertificateDer::pem_file_iter(path).map(|all| all.filter_map(Result::ok).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_useless_ca_file_says_what_is_wrong() {
        assert_eq!(read_pem(b"").unwrap_err(), "it holds no certificate (-----BEGIN CERTIFICATE-----)");
        assert_eq!(read_pem(b"hello").unwrap_err(), "it holds no certificate (-----BEGIN CERTIFICATE-----)");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read_pem(broken).unwrap_err(), "it holds a certificate that cannot be read");
        let open = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert_eq!(read_pem(open).unwrap_err(), "it is not well-formed PEM");
        assert_eq!(read_pem(&vec![b' '; MAX_PEM_BYTES + 1]).unwrap_err(), "it is larger than 4 MiB");
    }
}
