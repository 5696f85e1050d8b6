//! The reason why there is no response: a value for programs and a sentence for users.

use std::{error::Error as StdError, io};

use url::Url;

use super::{proxy::ProxyServer, resolver::Unresolved, tls};
use crate::{
    Error, ErrorKind, RetryReason,
    flow::{Extent, Failure},
    protocol::uri::is_localhost,
};

/// Returns why a request failed. Only a refused certificate is permanent.
pub(super) fn failure(error: &reqwest::Error, url: &Url, proxy: Option<&ProxyServer>) -> Failure {
    let stage = Stage::of(error);
    let mut reason = match stage {
        _ if error.is_timeout() => RetryReason::Timeout,
        Stage::Connect => RetryReason::Connect,
        Stage::LookUp => RetryReason::Dns,
        Stage::Tunnel(_) | Stage::Handshake | Stage::Response => RetryReason::ConnectionLost,
    };
    let mut cause = None;
    for found in causes(error) {
        if let Some(unresolved) = found.downcast_ref::<Unresolved>() {
            reason = RetryReason::Dns;
            cause = Some(unresolved.reason());
        }
        if is_unresolved_socks_proxy(found) {
            reason = RetryReason::Dns;
        }
        if let Some(http) = found.downcast_ref::<hyper::Error>() {
            if http.is_parse() {
                reason = RetryReason::Malformed;
            }
            cause = Some(io::Error::other(http.to_string()));
        }
        if let Some(io) = found.downcast_ref::<io::Error>() {
            match io.raw_os_error() {
                Some(code) => cause = Some(io::Error::from_raw_os_error(code)),
                None if io.kind() == io::ErrorKind::UnexpectedEof => {
                    cause = cause.or_else(|| Some(io.kind().into()));
                }
                None => {}
            }
        }
        if let Some(tls) = found.downcast_ref::<rustls::Error>() {
            if let rustls::Error::InvalidCertificate(why) = tls {
                return tls::certificate(why, url, proxy);
            }
            reason = RetryReason::Tls;
            cause = Some(io::Error::new(io::ErrorKind::InvalidData, tls::in_words(tls)));
        }
    }
    let lost = proxy.and_then(|proxy| through_proxy(reason, stage, url, proxy));
    let lost = lost.unwrap_or_else(|| match reason {
        RetryReason::Tls => tls::handshake(cause.as_ref(), url, proxy),
        RetryReason::ConnectionLost if matches!(stage, Stage::Handshake) => tls::interrupted(url, proxy),
        _ => to_host(reason, cause.as_ref(), url),
    });
    Failure::Lost(
        reason,
        match cause {
            Some(cause) => lost.with_cause(cause),
            None => lost,
        },
        // A time limit of the whole request does not say how far it got.
        if matches!(stage, Stage::Response) { Extent::MaybeSent } else { Extent::NotSent },
    )
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A SOCKS proxy needs the server's address, and its name was not resolved.
    LookUp,
    /// There is no TCP connection to the server or the proxy.
    Connect,
    /// The proxy was asked for a tunnel.
    Tunnel(Refusal),
    /// The TLS handshake, with the server or with an https proxy, was not completed.
    Handshake,
    /// The request was sent.
    Response,
}

/// Why a proxy opened no tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Credentials,
    /// A SOCKS proxy wants another authentication: a user name and a password if there were none, or none.
    Method,
    Destination,
    /// A SOCKS proxy did not reach the server.
    Unreachable,
    /// A SOCKS proxy does not take names, or addresses of IPv6.
    AddressType,
    /// The credentials, and the server's name, do not fit into a message of SOCKS.
    TooLong,
    /// The proxy does not speak SOCKS, or another version.
    NotSocks,
    /// It closed the connection, or its response cannot be read.
    Unanswered,
}

impl Stage {
    /// The types of these errors are private: their texts are all that there is.
    fn of(error: &reqwest::Error) -> Self {
        if !error.is_connect() {
            return Self::Response;
        }
        let mut stage = Self::Connect;
        for found in causes(error) {
            match found.to_string().as_str() {
                "error resolving for socks proxy" => return Self::LookUp,
                UNCONNECTED_SOCKS_PROXY => return Self::Connect,
                text if text.starts_with(SOCKS) => {
                    return Self::Tunnel(Refusal::of_socks(text.trim_start_matches(SOCKS)));
                }
                text if text.starts_with("tcp ") => return Self::Connect,
                "tunnel error: proxy authorization required" => return Self::Tunnel(Refusal::Credentials),
                "tunnel error: unsuccessful" => return Self::Tunnel(Refusal::Destination),
                // The handshake with an https proxy, or the connection to it.
                "tunnel error: failed to create underlying connection" => {}
                text if text.starts_with("tunnel error: ") => return Self::Tunnel(Refusal::Unanswered),
                _ if found.is::<io::Error>() => stage = Self::Handshake,
                _ => {}
            }
        }
        stage
    }
}

const SOCKS: &str = "SOCKS error: ";
const UNCONNECTED_SOCKS_PROXY: &str = "SOCKS error: failed to create underlying connection";

impl Refusal {
    fn of_socks(text: &str) -> Self {
        match text {
            "credentials not accepted" => Self::Credentials,
            "server does not support user/pass authentication"
            | "server implements authentication incorrectly" => Self::Method,
            "connection not allowed" => Self::Destination,
            "network unreachable" | "host unreachable" | "connection refused" | "ttl expired" => {
                Self::Unreachable
            }
            "address type not supported" | "IPV6 is not supported" => Self::AddressType,
            "failed serialize request" => Self::TooLong,
            "failed parsing server response" => Self::NotSocks,
            _ => Self::Unanswered,
        }
    }
}

/// Whether the name of a SOCKS proxy was not resolved. The error has no source, and shows it only in its debug output.
fn is_unresolved_socks_proxy(error: &(dyn StdError + 'static)) -> bool {
    error.to_string() == UNCONNECTED_SOCKS_PROXY && format!("{error:?}").contains("Unresolved(")
}

/// Returns the error for trouble on the way through a proxy. `None` if the proxy has no part in it.
fn through_proxy(reason: RetryReason, stage: Stage, url: &Url, proxy: &ProxyServer) -> Option<Error> {
    let setting = proxy.named_by();
    let host = url.host_str().unwrap_or("the server");
    let message = match (reason, stage) {
        (_, Stage::LookUp) => {
            let message = format!(
                "the name {host} could not be resolved: check the network, or let the proxy resolve it with \
                 {}:// in {setting}",
                if proxy.scheme() == "socks4" { "socks4a" } else { "socks5h" }
            );
            return Some(Error::new(ErrorKind::Network, message));
        }
        (_, Stage::Tunnel(Refusal::Credentials)) if proxy.is_socks() => {
            format!("the proxy {proxy} refused the user name and the password: check {setting}")
        }
        (_, Stage::Tunnel(Refusal::Credentials)) => format!(
            "the proxy {proxy} requires a user name and a password (HTTP 407): check {setting}; only Basic is \
             supported, so NTLM and Negotiate need a local proxy that adds them, such as cntlm or px"
        ),
        (_, Stage::Tunnel(Refusal::Method)) if proxy.has_credentials() => format!(
            "the proxy {proxy} does not accept a user name and a password: remove them from {setting}, or ask its \
             administrator"
        ),
        (_, Stage::Tunnel(Refusal::Method)) => {
            format!("the proxy {proxy} requires authentication: add a user name and a password to {setting}")
        }
        (_, Stage::Tunnel(Refusal::Unreachable)) => format!(
            "the proxy {proxy} could not connect to {host}: check the server's address, or use another proxy in \
             {setting}"
        ),
        (_, Stage::Tunnel(Refusal::AddressType)) => format!(
            "the proxy {proxy} does not support the address of {host} that {}:// sends: use another scheme in \
             {setting}",
            proxy.scheme()
        ),
        (_, Stage::Tunnel(Refusal::TooLong)) => format!(
            "the user name and the password for the proxy {proxy} are too long for a connection to {host}: use \
             shorter ones in {setting}"
        ),
        (_, Stage::Tunnel(Refusal::NotSocks)) => format!(
            "the response of the proxy {proxy} is not {}: check the scheme and the port in {setting}",
            if proxy.scheme().starts_with("socks4") { "SOCKS 4" } else { "SOCKS 5" }
        ),
        (_, Stage::Tunnel(Refusal::Destination)) => format!(
            "the proxy {proxy} refused the connection to {host}: check {setting}, or ask its administrator"
        ),
        (RetryReason::ConnectionLost, Stage::Tunnel(Refusal::Unanswered)) => format!(
            "the proxy {proxy} did not open a connection to {host}: check {setting}, or ask its administrator"
        ),
        (RetryReason::Dns, _) => {
            format!("the name of the proxy {proxy} could not be resolved: check {setting}")
        }
        (RetryReason::Connect, _) => format!("no connection to the proxy {proxy}: check {setting}"),
        (RetryReason::Timeout, Stage::Connect | Stage::Tunnel(_) | Stage::Handshake) => {
            format!("the proxy {proxy} did not respond in time: check {setting}")
        }
        _ => return None,
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

/// Returns whether a connection was refused. After a refusal at 127.0.0.1, the error of `localhost` is that of ::1,
/// which a machine may lack.
fn is_refusal(kind: io::ErrorKind, host: &str) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, NetworkUnreachable};
    kind == ConnectionRefused || (is_localhost(host) && matches!(kind, AddrNotAvailable | NetworkUnreachable))
}

/// Returns the error for trouble on the way to a host.
fn to_host(reason: RetryReason, cause: Option<&io::Error>, url: &Url) -> Error {
    let host = url.host_str().unwrap_or("the server");
    let message = match reason {
        RetryReason::Dns => {
            format!("the name {host} could not be resolved: check the address and the network")
        }
        RetryReason::Connect => match cause.map(io::Error::kind) {
            Some(kind) if is_refusal(kind, host) => {
                format!("{host} refused the connection: check the address and the port")
            }
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                format!("{host} cannot be reached: check the network")
            }
            _ => format!("no connection to {host}: check the network and the address"),
        },
        RetryReason::Timeout => format!("{host} did not respond in time: try again later"),
        RetryReason::Malformed => format!("the response of {host} is not HTTP: check the address"),
        _ => {
            format!("the connection to {host} was lost before the response was complete: try again")
        }
    };
    let kind = match reason {
        RetryReason::Malformed => ErrorKind::InvalidResponse,
        _ => ErrorKind::Network,
    };
    Error::new(kind, message)
}
