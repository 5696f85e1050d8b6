//! The trusted certificates: those of the operating system and the given roots. TLS 1.2 and 1.3.
//!
//! If the trust store has a single bundle file, that file is read directly. A platform verifier would load bundle and
//! directory, each certificate twice, which costs a command-line tool more than the rest of its first request.

use std::{
    env,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    client::WebPkiServerVerifier,
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};

use super::{self_signed, settings::Pem, signatures};
use crate::{Error, ErrorKind, platform};

/// A bundle of so many certificates is a system's.
const SYSTEM_BUNDLE: usize = 50;

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

/// What the environment says about the roots to trust.
#[derive(Debug)]
pub(super) struct Variables {
    /// `SSL_CERT_FILE`.
    file: Option<PathBuf>,
    /// `SSL_CERT_DIR`, without its empty parts.
    directories: Option<Vec<PathBuf>>,
}

impl Variables {
    pub(super) fn from_environment() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let parts =
            |value: OsString| env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect();
        Self { file: set("SSL_CERT_FILE").map(PathBuf::from), directories: set("SSL_CERT_DIR").map(parts) }
    }
}

/// Returns the TLS settings for servers on the network.
pub(super) fn client_config(ca_pem: &[Pem], variables: &Variables) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let mut given = Vec::new();
    for pem in ca_pem {
        let certificates = read_pem(pem.bytes())
            .map_err(|why| Error::config(format!("the CA file cannot be used: {why}")))?;
        given.extend(certificates);
    }
    roots.add_parsable_certificates(given.iter().cloned());
    roots.add_parsable_certificates(system_roots(variables, &mut given)?);
    if roots.is_empty() {
        let message = "this machine has no trusted root certificates: install them (on Debian, the package \
                       ca-certificates), or name a file with SSL_CERT_FILE";
        return Err(Error::new(ErrorKind::Tls, message));
    }
    let builder = builder()?;
    if given.is_empty() {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let provider = Arc::clone(builder.crypto_provider());
    let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| Error::internal(format!("TLS cannot be set up: {error}")))?;
    let verifier = Arc::new(self_signed::Verifier { webpki, given });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Returns TLS settings that trust no server, for plain http to this machine.
pub(super) fn no_trust() -> Result<ClientConfig, Error> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    // An explicit provider: a library must neither set the process-wide one nor depend on it.
    let provider = CryptoProvider {
        key_provider: &NoKeys,
        signature_verification_algorithms: signatures::SUPPORTED,
        ..ring::default_provider()
    };
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS cannot be set up: {error}")))
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

/// Returns the certificates that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or else those of the system. Adds to `given`
/// those that a user chose, as the variables usually name the bundle of a system.
fn system_roots(
    variables: &Variables,
    given: &mut Vec<CertificateDer<'static>>,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let Variables { file, directories } = variables;
    if file.is_none() && directories.is_none() {
        return Ok(of_the_system());
    }
    // Whoever sets one of them wants these roots and no others: a mistake must not fall back to the system's.
    let unusable = |name: &str, path: &Path, why: &dyn fmt::Display| {
        let path = crate::sanitize(&path.to_string_lossy());
        Error::config(format!("{name} names {path}, which cannot be used: {why}"))
    };
    let mut roots = Vec::new();
    let mut add = |roots: &mut Vec<_>, found: Vec<CertificateDer<'static>>| {
        if found.len() < SYSTEM_BUNDLE {
            given.extend(found.iter().cloned());
        }
        roots.extend(found);
    };
    if let Some(path) = file {
        let found = read_bundle(path).map_err(|error| unusable("SSL_CERT_FILE", path, &error))?;
        if !any_readable(&found) {
            return Err(unusable("SSL_CERT_FILE", path, &"it holds no certificate that can be read"));
        }
        add(&mut roots, found);
    }
    for path in directories.iter().flatten() {
        // The bundle of a system consists of the certificates beside it: reading them would only take time.
        if roots.len() >= SYSTEM_BUNDLE && file.as_deref().and_then(Path::parent) == Some(path) {
            continue;
        }
        add(&mut roots, of_directory(path).map_err(|error| unusable("SSL_CERT_DIR", path, &error))?);
    }
    if !any_readable(&roots) {
        return Err(Error::config("SSL_CERT_DIR names no directory that holds a certificate"));
    }
    Ok(roots)
}

/// Returns the certificates of the system's bundle, or else of its directories.
fn of_the_system() -> Vec<CertificateDer<'static>> {
    if !platform::TRUSTS_A_BUNDLE {
        return rustls_native_certs::load_native_certs().certs;
    }
    let found = openssl_probe::probe();
    let bundle = found.cert_file.and_then(|bundle| read_bundle(&bundle).ok()).unwrap_or_default();
    if !bundle.is_empty() {
        return bundle;
    }
    found.cert_dir.iter().filter_map(|directory| of_directory(directory).ok()).flatten().collect()
}

/// Returns the certificates of a directory, which usually has each of them several times: by its name, by its hash, and
/// in a bundle. It may also hold other files.
fn of_directory(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    for file in
        fs::read_dir(path)?.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file())
    {
        for certificate in read_bundle(&file).unwrap_or_default() {
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
    }
    Ok(certificates)
}

/// Returns the certificates of a PEM file. Skips those that cannot be read: the others stay usable.
fn read_bundle(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = fs::read(path)?;
    Ok(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect())
}

/// Returns whether at least one certificate can be read. Stops at the first: reading all of them takes time.
fn any_readable(certificates: &[CertificateDer<'static>]) -> bool {
    certificates.iter().any(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_ca_file_error_states_the_defect() {
        assert_eq!(read_pem(b"").unwrap_err(), "it holds no certificate (-----BEGIN CERTIFICATE-----)");
        assert_eq!(read_pem(b"hello").unwrap_err(), "it holds no certificate (-----BEGIN CERTIFICATE-----)");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read_pem(broken).unwrap_err(), "it holds a certificate that cannot be read");
        let open = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert_eq!(read_pem(open).unwrap_err(), "it is not well-formed PEM");
        assert_eq!(read_pem(&vec![b' '; MAX_PEM_BYTES + 1]).unwrap_err(), "it is larger than 4 MiB");
    }
}
