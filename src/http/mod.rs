//! The HTTP transport: HTTP/1.1 over TLS. The only module that names reqwest, hyper and rustls.

mod algorithm;
mod failure;
mod proxy;
mod resolver;
mod self_signed;
mod settings;
mod signatures;
mod tls;
mod transport;
mod trust;

pub(crate) use proxy::ProxyServer;
pub(crate) use settings::{Pem, Settings, Timeouts};
pub(crate) use transport::{HttpTransport, check_header};
#[cfg(feature = "__host")]
pub(crate) use trust::MAX_PEM_BYTES;

/// Checks that a PEM text contains certificates that can be trusted. The error says why not.
pub(crate) fn check_pem(pem: &[u8]) -> Result<(), &'static str> {
    trust::read_pem(pem).map(drop)
}
