//! A single login attempt.

use std::sync::Arc;

use cli_auth::host;

use super::{failure::Failure, prompt::Prompt, step::Step};

/// A single login attempt. A call of the host that drives it claims it under a unique number and releases it at its
/// end.
#[derive(uniffi::Object)]
pub(crate) struct Login(pub(super) cli_auth::Login);

#[uniffi::export]
impl Login {
    /// Makes the call with this number the one that drives the login.
    fn claim(&self, number: u64) -> Result<(), Arc<Failure>> {
        self.0.claim_as(number).map_err(Failure::arc)
    }

    /// Ends the claim of the call with this number, if it has the claim. Tokens that a step returned then count as
    /// accepted.
    fn release(&self, number: u64) {
        self.0.release_as(number);
    }

    /// What `start` returns: the prompt, or the error of a login that has failed. `None` if the call must step first.
    fn started(&self, number: u64) -> Result<Option<Arc<Prompt>>, Arc<Failure>> {
        let prompt = self.0.started_as(number).map_err(Failure::arc)?;
        Ok(prompt.map(|prompt| Arc::new(Prompt(prompt))))
    }

    /// Fails if `start` was not called, because the user has not seen the code.
    fn check_started(&self, number: u64) -> Result<(), Arc<Failure>> {
        self.0.must_be_started_as(number).map_err(Failure::arc)
    }

    /// Drives the login for at most `max_wait` seconds, for the call that has the claim.
    fn step(&self, number: u64, max_wait: f64) -> Result<Step, Arc<Failure>> {
        let max_wait = host::duration(max_wait).map_err(Failure::arc)?;
        self.0.step_as(number, max_wait).map(Step::from).map_err(Failure::arc)
    }

    /// Same as `step`, on the host's executor. Dropping the future loses nothing.
    async fn step_async(&self, number: u64, max_wait: f64) -> Result<Step, Arc<Failure>> {
        let max_wait = host::duration(max_wait).map_err(Failure::arc)?;
        self.0.step_as_async(number, max_wait).await.map(Step::from).map_err(Failure::arc)
    }

    /// Cancels the login, and revokes tokens that have arrived but were not accepted.
    fn abandon(&self, number: u64) {
        self.0.abandon_as(number);
    }

    /// Same as `abandon`, on the host's executor.
    async fn abandon_async(&self, number: u64) {
        self.0.abandon_as_async(number).await;
    }

    /// Cancels the login. May be called from any thread.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// The prompt, if the server has issued a code.
    fn prompt(&self) -> Option<Arc<Prompt>> {
        self.0.prompt().map(|prompt| Arc::new(Prompt(prompt.clone())))
    }
}
