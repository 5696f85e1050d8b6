//! The reason why there is no response: a value for programs and a sentence for users.

use std::error::Error as StdError;

use url::Url;

use super::{proxy::ProxyServer, resolver::Unresolved};
use crate::{Error, ErrorKind, RetryReason, flow::Failure};

/// Returns why a request failed. Only a refused certificate is permanent.
pub(super) fn failure(error: &reqwest::Error, url: &Url, proxy: Option<&ProxyServer>) -> Failure {
    let mut reason = if error.is_timeout() {
        RetryReason::Timeout
    } else if error.is_connect() {
        RetryReason::Connect
    } else {
        RetryReason::ConnectionLost
    };
    let mut refused = None;
    for cause in causes(error) {
        refused = refused.or_else(|| refusal(cause));
        if cause.is::<Unresolved>() {
            reason = RetryReason::Dns;
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(|http| http.is_parse()) {
            reason = RetryReason::Malformed;
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            if let rustls::Error::InvalidCertificate(why) = tls {
                return certificate(why, url);
            }
            reason = RetryReason::Tls;
        }
    }
    match proxy {
        Some(proxy) => through_proxy(reason, refused, error.is_connect(), url, proxy),
        None => lost(reason, url),
    }
}

/// Returns what a proxy did not accept. The type of the error is private: its text is all that there is.
fn refusal(cause: &(dyn StdError + 'static)) -> Option<Refusal> {
    match cause.to_string().strip_prefix("tunnel error: ")? {
        "proxy authorization required" => Some(Refusal::NoCredentials),
        "unsuccessful" => Some(Refusal::NoTunnel),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    NoCredentials,
    NoTunnel,
}

/// The sentence for trouble on the way through a proxy.
fn through_proxy(
    reason: RetryReason,
    refused: Option<Refusal>,
    connecting: bool,
    url: &Url,
    proxy: &ProxyServer,
) -> Failure {
    let setting = proxy.named_by();
    let message = match (refused, reason) {
        (Some(Refusal::NoCredentials), _) => {
            format!("the proxy {proxy} requires a user name and a password (HTTP 407): check {setting}")
        }
        (Some(Refusal::NoTunnel), _) => {
            let host = url.host_str().unwrap_or("the server");
            format!(
                "the proxy {proxy} refused the connection to {host}: check {setting}, or ask its administrator"
            )
        }
        (None, RetryReason::Dns) => {
            format!("the name of the proxy {proxy} could not be resolved: check {setting}")
        }
        (None, RetryReason::Connect) => format!("no connection to the proxy {proxy}: check {setting}"),
        (None, RetryReason::Timeout) if connecting => {
            format!("the proxy {proxy} did not respond in time: check {setting}")
        }
        (None, _) => return lost(reason, url),
    };
    Failure::Lost(reason, Error::new(ErrorKind::Proxy, message))
}

fn certificate(why: &rustls::CertificateError, url: &Url) -> Failure {
    use rustls::CertificateError as Why;
    let host = url.host_str().unwrap_or("the server");
    let advice = match why {
        Why::UnknownIssuer => {
            "no authority that this machine trusts has signed it; behind a company proxy, add its CA certificate"
                .to_owned()
        }
        Why::Expired | Why::ExpiredContext { .. } => "it has expired; check this machine's clock".to_owned(),
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "it is not valid yet; check this machine's clock".to_owned()
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "it is for another name; check the address".to_owned()
        }
        // The reason helps the server's administrator.
        other => crate::sanitize(&other.to_string()),
    };
    Failure::Permanent(Error::new(ErrorKind::Tls, format!("the certificate of {host} was refused: {advice}")))
}

/// Iterates over an error and its causes. Looks inside `io::Error`, whose `source` skips the error that it wraps.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Returns the failure, with its sentence, for trouble on the way to a host.
fn lost(reason: RetryReason, url: &Url) -> Failure {
    let host = url.host_str().unwrap_or("the server");
    let message = match reason {
        RetryReason::Dns => {
            format!("the name {host} could not be resolved: check the address and the network")
        }
        RetryReason::Connect => {
            format!("no connection to {host}: check the network, the address and the proxy")
        }
        RetryReason::Timeout => format!("{host} did not respond in time: try again later"),
        RetryReason::Malformed => format!("the response of {host} is not HTTP: check the address"),
        RetryReason::Tls => format!("no secure connection to {host}: the TLS handshake failed"),
        RetryReason::ConnectionLost | RetryReason::Http(_) => {
            format!("the connection to {host} was lost before the response was complete: try again")
        }
    };
    let kind = match reason {
        RetryReason::Tls => ErrorKind::Tls,
        RetryReason::Malformed => ErrorKind::InvalidResponse,
        _ => ErrorKind::Network,
    };
    Failure::Lost(reason, Error::new(kind, message))
}
