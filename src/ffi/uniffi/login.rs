//! One attempt to log in.

use std::sync::Arc;

use super::{failure::Failure, prompt::Prompt, step::Step};
use crate::ffi::time;

/// One attempt to log in.
#[derive(uniffi::Object)]
pub(crate) struct Login(pub(super) crate::Login);

#[uniffi::export]
impl Login {
    /// Asks the server for a code. Blocks until there is an answer.
    fn start(&self) -> Result<Arc<Prompt>, Arc<Failure>> {
        self.0.start().map(|prompt| Arc::new(Prompt(prompt))).map_err(Failure::arc)
    }

    /// As `start`, for the host's executor.
    async fn start_async(&self) -> Result<Arc<Prompt>, Arc<Failure>> {
        self.0.start_async().await.map(|prompt| Arc::new(Prompt(prompt))).map_err(Failure::arc)
    }

    /// Whether `poll` may be called: before `start`, nobody has seen the code.
    fn check_started(&self) -> Result<(), Arc<Failure>> {
        self.0.must_be_started().map_err(Failure::arc)
    }

    /// Drives the login for at most so many seconds.
    fn step(&self, max_wait: f64) -> Result<Step, Arc<Failure>> {
        self.0.step(time::wait(max_wait).map_err(Failure::arc)?).map(Step::from).map_err(Failure::arc)
    }

    /// As `step`, for the host's executor. Dropping the future loses nothing.
    async fn step_async(&self, max_wait: f64) -> Result<Step, Arc<Failure>> {
        self.0
            .step_async(time::wait(max_wait).map_err(Failure::arc)?)
            .await
            .map(Step::from)
            .map_err(Failure::arc)
    }

    /// Ends the login, from any thread.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// The prompt, once there is one.
    fn prompt(&self) -> Option<Arc<Prompt>> {
        self.0.prompt().map(|prompt| Arc::new(Prompt(prompt.clone())))
    }
}
