//! Cancellation of requests for hosts that do not drop the future of a cancelled task. UniFFI's Swift code does not
//! drop it.

use std::future::Future;

use tokio::sync::Notify;

use cli_auth::{Error, host};

/// Cancels the request that it was passed to, from any thread.
#[derive(Debug, Default, uniffi::Object)]
pub(crate) struct Cancellation(Notify);

#[uniffi::export]
impl Cancellation {
    /// Creates a cancellation for one request.
    #[uniffi::constructor]
    fn new() -> Self {
        Self::default()
    }

    /// Cancels the request. If it has not begun, it is cancelled when it begins.
    fn cancel(&self) {
        // The notification is stored if the request is not waiting yet.
        self.0.notify_one();
    }
}

impl Cancellation {
    /// Returns the outcome of the request, or `Cancelled` if it is cancelled first.
    pub(super) async fn or_outcome_of<T>(
        &self,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            // The outcome is checked first, because a refresh may return the only token that is still valid. One whose
            // ID token is still being verified is lost.
            answer = request => answer,
            () = self.0.notified() => Err(host::cancelled()),
        }
    }
}
