//! How requests are carried: HTTP/1.1 over TLS. The only module that names reqwest, hyper and rustls.

mod resolver;
mod transport;
mod trust;

use std::{fmt, time::Duration};

use url::Url;

pub(crate) use transport::{HttpTransport, check_header};
#[cfg(feature = "__host")]
pub(crate) use trust::MAX_PEM_BYTES;

use crate::{Error, ErrorKind, RetryReason, Secret, flow::Failure};

/// No body of a server is read beyond this.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Whether a PEM text holds certificates that can be trusted, or why not.
pub(crate) fn check_pem(pem: &[u8]) -> Result<(), &'static str> {
    trust::read_pem(pem).map(drop)
}

/// What the transport has to know; made by the client's builder.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) user_agent: String,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) ca_pem: Vec<Vec<u8>>,
    pub(crate) proxy: Option<Url>,
    pub(crate) timeouts: Timeouts,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header values and proxy addresses may hold credentials.
        f.debug_struct("Settings")
            .field("user_agent", &self.user_agent)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// Limits of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(15),
            total: Duration::from_secs(25),
        }
    }
}

/// The sentence for trouble on the way to a host.
fn lost(reason: RetryReason, url: &Url) -> Failure {
    let host = url.host_str().unwrap_or("the server");
    let message = match reason {
        RetryReason::Dns => {
            format!("the name {host} could not be resolved: check the address and the network")
        }
        RetryReason::Connect => {
            format!("no connection to {host}: check the network, the address and the proxy")
        }
        RetryReason::Timeout => format!("{host} did not answer in time: try again later"),
        RetryReason::Malformed => format!("{host} answered something that is not HTTP: check the address"),
        RetryReason::Tls => format!("no secure connection to {host}: the TLS handshake failed"),
        RetryReason::ConnectionLost | RetryReason::Http(_) => {
            format!("the connection to {host} was lost before the answer was complete: try again")
        }
    };
    let kind = match reason {
        RetryReason::Tls => ErrorKind::Tls,
        RetryReason::Malformed => ErrorKind::InvalidResponse,
        _ => ErrorKind::Network,
    };
    Failure::Lost(reason, Error::new(kind, message))
}
