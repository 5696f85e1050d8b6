//! The reason why there is no response: a value for programs and a sentence for users.

use std::{error::Error as StdError, io};

use url::Url;

use super::{proxy::ProxyServer, resolver::Unresolved, tls};
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
    let (mut refused, mut cause) = (None, None);
    for found in causes(error) {
        refused = refused.or_else(|| refusal(found));
        if let Some(unresolved) = found.downcast_ref::<Unresolved>() {
            reason = RetryReason::Dns;
            cause = Some(unresolved.reason());
        }
        if let Some(http) = found.downcast_ref::<hyper::Error>() {
            if http.is_parse() {
                reason = RetryReason::Malformed;
            }
            cause = Some(io::Error::other(http.to_string()));
        }
        if let Some(code) = found.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            cause = Some(io::Error::from_raw_os_error(code));
        }
        if let Some(tls) = found.downcast_ref::<rustls::Error>() {
            if let rustls::Error::InvalidCertificate(why) = tls {
                return tls::certificate(why, url, proxy);
            }
            reason = RetryReason::Tls;
            cause = Some(io::Error::new(io::ErrorKind::InvalidData, tls::in_words(tls)));
        }
    }
    let lost = match proxy {
        Some(proxy) => through_proxy(reason, refused, error.is_connect(), url, proxy),
        None => None,
    };
    let lost = lost.unwrap_or_else(|| match reason {
        RetryReason::Tls => tls::handshake(cause.as_ref(), url, proxy),
        _ => to_host(reason, cause.as_ref(), url),
    });
    Failure::Lost(
        reason,
        match cause {
            Some(cause) => lost.with_cause(cause),
            None => lost,
        },
    )
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

/// Returns the error for trouble on the way through a proxy. `None` if the proxy has no part in it.
fn through_proxy(
    reason: RetryReason,
    refused: Option<Refusal>,
    connecting: bool,
    url: &Url,
    proxy: &ProxyServer,
) -> Option<Error> {
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
        (None, _) => return None,
    };
    Some(Error::new(ErrorKind::Proxy, message))
}

/// Iterates over an error and its causes. Looks inside `io::Error`, whose `source` skips the error that it wraps.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Returns the error for trouble on the way to a host.
fn to_host(reason: RetryReason, cause: Option<&io::Error>, url: &Url) -> Error {
    let host = url.host_str().unwrap_or("the server");
    let message = match reason {
        RetryReason::Dns => {
            format!("the name {host} could not be resolved: check the address and the network")
        }
        RetryReason::Connect => match cause.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => {
                format!("{host} refused the connection: check the address and the port")
            }
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                format!("{host} cannot be reached: check the network")
            }
            _ => format!("no connection to {host}: check the network, the address and the proxy"),
        },
        RetryReason::Timeout => format!("{host} did not respond in time: try again later"),
        RetryReason::Malformed => format!("the response of {host} is not HTTP: check the address"),
        RetryReason::ConnectionLost | RetryReason::Tls | RetryReason::Http(_) => {
            format!("the connection to {host} was lost before the response was complete: try again")
        }
    };
    let kind = match reason {
        RetryReason::Malformed => ErrorKind::InvalidResponse,
        _ => ErrorKind::Network,
    };
    Error::new(kind, message)
}
