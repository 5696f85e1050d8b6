//! Events of a login that waits for the user.

use std::{fmt, time::Duration};

/// Progress of a login that waits for the user. Variants may be added: match with a `_` arm.
///
/// Events are not errors and require no action: the login continues by itself. Each poll without an outcome (RFC 8628
/// section 3.5) is followed by one event, unless it was the last one before the code expires. All text is sanitised and
/// contains no secret.
///
/// ```
/// # fn show(event: &cli_auth::Event) {
/// match event {
///     cli_auth::Event::Retrying { reason, retry_in, .. } => eprintln!("{reason}: again in {} s", retry_in.as_secs()),
///     other => eprintln!("{other:?}"),
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The user has not decided yet (`authorization_pending`, RFC 8628 section 3.5).
    #[non_exhaustive]
    Pending {
        /// The time until the next poll.
        next_poll_in: Duration,
        /// The time until the code expires.
        expires_in: Duration,
    },
    /// The server asked for more time between polls (`slow_down`, RFC 8628 section 3.5).
    #[non_exhaustive]
    SlowedDown {
        /// The new interval between polls. It applies to this and all later polls.
        interval: Duration,
    },
    /// The server was not reached or could not handle the poll. The login continues.
    #[non_exhaustive]
    Retrying {
        /// Why the poll failed.
        reason: RetryReason,
        /// The number of consecutive failed polls, from 1.
        attempt: u32,
        /// The time until the next poll.
        retry_in: Duration,
        /// The id of the request, as [`Error::request_id`](crate::Error::request_id) returns it. `None` without a
        /// response, or if the response has none.
        request_id: Option<String>,
    },
    /// The machine was suspended and has resumed.
    #[non_exhaustive]
    Resumed {
        /// How long the machine was suspended, at least 1 second. Shorter suspensions add up.
        suspended_for: Duration,
    },
    /// The user approved the login, but the ID token was not verified because the keys of the server could not be
    /// fetched. The tokens follow, without an [`identity`](crate::Tokens::identity).
    #[non_exhaustive]
    IdentityUnverified {
        /// Why there are no keys: a sentence for the user.
        message: String,
    },
}

/// Why a poll is retried. Variants may be added: match with a `_` arm.
///
/// `Display` is a word for programs, such as `http_502` or `timeout`.
///
/// ```
/// assert_eq!(cli_auth::RetryReason::Http(502).to_string(), "http_502");
/// assert_eq!(cli_auth::RetryReason::Timeout.to_string(), "timeout");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// The server, or a gateway in front of it, responded with this HTTP status.
    Http(u16),
    /// No response arrived within the timeout.
    Timeout,
    /// The name of the server or the proxy could not be resolved.
    Dns,
    /// No connection to the server or the proxy was established.
    Connect,
    /// The connection was lost before the response was complete.
    ConnectionLost,
    /// The TLS handshake failed for another reason than the certificate.
    Tls,
    /// The server's certificate was refused, as behind a captive portal. Nothing was sent. Retried only if the
    /// certificate was valid earlier in this login; otherwise it ends the login.
    Certificate,
    /// The response is none of a token endpoint. It probably comes from something in front of the server: a bot check,
    /// a captive portal or a gateway. Retried only if an earlier poll of this login received a valid response;
    /// otherwise it ends the login.
    Blocked,
    /// The response was not HTTP. Two such responses in a row end the login.
    Malformed,
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => write!(f, "http_{status}"),
            Self::Timeout => f.write_str("timeout"),
            Self::Dns => f.write_str("dns"),
            Self::Connect => f.write_str("connect"),
            Self::ConnectionLost => f.write_str("connection_lost"),
            Self::Tls => f.write_str("tls"),
            Self::Certificate => f.write_str("certificate"),
            Self::Blocked => f.write_str("blocked"),
            Self::Malformed => f.write_str("malformed_response"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_reasons_display_as_stable_identifiers() {
        let words = [
            (RetryReason::Http(429), "http_429"),
            (RetryReason::Timeout, "timeout"),
            (RetryReason::Dns, "dns"),
            (RetryReason::Connect, "connect"),
            (RetryReason::ConnectionLost, "connection_lost"),
            (RetryReason::Tls, "tls"),
            (RetryReason::Certificate, "certificate"),
            (RetryReason::Blocked, "blocked"),
            (RetryReason::Malformed, "malformed_response"),
        ];
        for (reason, word) in words {
            assert_eq!(reason.to_string(), word);
        }
    }
}
