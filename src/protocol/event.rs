//! What a login tells while it waits.

use std::{fmt, time::Duration};

/// Something a person may want to see while the login waits. The set may grow: match with a `_` arm.
///
/// None of them is an error, and none needs an answer: the login goes on by itself. There is one after every poll that
/// did not decide (RFC 8628 section 3.5). It holds no text of the server and no secret.
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
    /// Nobody has approved yet (RFC 8628 section 3.5, `authorization_pending`).
    #[non_exhaustive]
    Pending {
        /// Until the next poll.
        next_poll_in: Duration,
        /// Until the code is worthless.
        expires_in: Duration,
    },
    /// The server asked for more time between polls (`slow_down`).
    #[non_exhaustive]
    SlowedDown {
        /// The new interval, for this and all later polls.
        interval: Duration,
    },
    /// The server was not reached or could not answer; the login goes on.
    #[non_exhaustive]
    Retrying {
        /// What went wrong.
        reason: RetryReason,
        /// How many times in a row something went wrong, from 1.
        attempt: u32,
        /// Until the next poll.
        retry_in: Duration,
    },
    /// The machine was asleep.
    #[non_exhaustive]
    Resumed {
        /// How long it slept.
        suspended_for: Duration,
    },
}

/// Why a poll has to be tried again. `Display` is a word for programs, such as `http_502` or `timeout`.
///
/// ```
/// assert_eq!(cli_auth::RetryReason::Http(502).to_string(), "http_502");
/// assert_eq!(cli_auth::RetryReason::Timeout.to_string(), "timeout");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// The server, or something in front of it, answered with this HTTP status.
    Http(u16),
    /// No answer in time.
    Timeout,
    /// The name of the server could not be resolved.
    Dns,
    /// No connection to the server.
    Connect,
    /// The connection was lost in the middle of the exchange.
    ConnectionLost,
    /// The TLS handshake failed for another reason than the certificate.
    Tls,
    /// The answer was not HTTP. Once may be an accident on the way; twice in a row ends the login.
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
            Self::Malformed => f.write_str("malformed_response"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words_for_programs() {
        let words = [
            (RetryReason::Http(429), "http_429"),
            (RetryReason::Timeout, "timeout"),
            (RetryReason::Dns, "dns"),
            (RetryReason::Connect, "connect"),
            (RetryReason::ConnectionLost, "connection_lost"),
            (RetryReason::Tls, "tls"),
            (RetryReason::Malformed, "malformed_response"),
        ];
        for (reason, word) in words {
            assert_eq!(reason.to_string(), word);
        }
    }
}
