//! An end for requests of hosts that do not drop the future of a task which is cancelled. UniFFI's Swift does not.

use std::future::Future;

use tokio::sync::Notify;

use cli_auth::{Error, host};

/// Ends one request that is given it, from any thread.
#[derive(Debug, Default, uniffi::Object)]
pub(crate) struct Cancellation(Notify);

#[uniffi::export]
impl Cancellation {
    /// For one request.
    #[uniffi::constructor]
    fn new() -> Self {
        Self::default()
    }

    /// Ends the request, or the one that comes.
    fn cancel(&self) {
        // It is kept for a request that does not wait yet.
        self.0.notify_one();
    }
}

impl Cancellation {
    /// The request's answer, unless it is cancelled first.
    pub(super) async fn or_outcome_of<T>(
        &self,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            // First: what a refresh brings may be the only token that still works.
            answer = request => answer,
            () = self.0.notified() => Err(host::cancelled()),
        }
    }
}
