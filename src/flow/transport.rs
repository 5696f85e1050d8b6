//! How a request is carried, as far as flows are concerned.

use std::{fmt, future::Future, pin::Pin};

use crate::{
    Error, RetryReason,
    protocol::{flow::Input, reply::Reply, request::Request},
};

/// Sends requests. Object safe, so that tests can script it.
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request, once. The future is spawned on the engine and may be dropped at any point.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may work the next time.
    Lost(RetryReason, Error),
    /// It will not.
    Permanent(Error),
}

impl From<Failure> for Input {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(reason, error) => Self::Lost(reason, error),
            Failure::Permanent(error) => Self::Failed(error),
        }
    }
}
