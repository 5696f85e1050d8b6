//! The transport of a request, as flows see it.

use std::{fmt, future::Future, pin::Pin};

use crate::{
    Error, RetryReason,
    protocol::{flow::Input, reply::Reply, request::Request},
};

/// Sends requests. Object safe, so that tests can provide a scripted one.
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request, once. The future is spawned on the engine and may be dropped at any point.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

    /// Closes the connections that no request uses.
    fn close_idle(&self);
}

/// How far a request without a response got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// No connection to the server was established, so the server knows nothing of the request.
    NotSent,
    /// The server may have received the request, and may have acted on it.
    MaybeSent,
}

/// The reason why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request may succeed the next time.
    Lost(RetryReason, Error, Extent),
    /// The request will not succeed.
    Permanent(Error),
}

impl From<Failure> for Input {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(reason, error, _) => Self::Lost(reason, error),
            Failure::Permanent(error) => Self::Failed(error),
        }
    }
}
