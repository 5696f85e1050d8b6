//! What a call for a token asks for, and what cancels it.

use std::{sync::Arc, time::Duration};

use super::{
    judgement::{Ask, Jitter, MIN_VALIDITY},
    record::Variant,
};
use crate::{Error, RefreshOptions, Secret, config, engine::Cancel};

/// What [`Session::token_with`](crate::Session::token_with) asks for.
///
/// ```no_run
/// # use std::time::Duration;
/// # let client = cli_auth::Client::authkit("client_123").product("my-cli").build()?;
/// # let session = client.session().build()?;
/// let options = cli_auth::TokenOptions::new().min_validity(Duration::from_secs(60));
/// let token = session.token_with(&options)?;
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenOptions {
    min_validity: Duration,
    refused: Option<Secret>,
    params: Vec<(String, String)>,
    force: bool,
    pub(super) cancel: Option<CancelToken>,
}

impl Default for TokenOptions {
    fn default() -> Self {
        Self { min_validity: MIN_VALIDITY, refused: None, params: Vec::new(), force: false, cancel: None }
    }
}

impl TokenOptions {
    /// Asks for a token that is valid for 15 seconds.
    ///
    /// ```
    /// let options = cli_auth::TokenOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets for how long the token must be valid at least. Defaults to 15 seconds.
    ///
    /// A token that was just received is returned even if the server gives it a shorter life.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let options = cli_auth::TokenOptions::new().min_validity(Duration::from_secs(300));
    /// ```
    #[must_use]
    pub fn min_validity(mut self, time: Duration) -> Self {
        self.min_validity = time;
        self
    }

    /// Names an access token that an API refused with status 401. Another one is returned: the current one, if it
    /// differs, or else that of a refresh. [`Session::refused`](crate::Session::refused) is a call with this option.
    ///
    /// ```
    /// # fn options(token: &cli_auth::AccessToken) {
    /// let options = cli_auth::TokenOptions::new().refused(token.secret());
    /// # }
    /// ```
    #[must_use]
    pub fn refused(mut self, token: &Secret) -> Self {
        self.refused = Some(token.clone());
        self
    }

    /// Adds a parameter to the refresh, such as WorkOS's `organization_id` or `resource` (RFC 8707 section 2.2). The
    /// token for these parameters is kept beside the one without any, which stays as it is. The rules of
    /// [`ClientBuilder::param`](crate::ClientBuilder::param) apply.
    ///
    /// ```
    /// let options = cli_auth::TokenOptions::new().param("organization_id", "org_123");
    /// ```
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sets whether a refresh is made in any case. Defaults to `false`.
    ///
    /// ```
    /// let options = cli_auth::TokenOptions::new().force_refresh(true);
    /// ```
    #[must_use]
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets what cancels the call. Defaults to nothing.
    ///
    /// ```
    /// let cancel = cli_auth::CancelToken::new();
    /// let options = cli_auth::TokenOptions::new().cancel_token(&cancel);
    /// ```
    #[must_use]
    pub fn cancel_token(mut self, cancel: &CancelToken) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    pub(super) fn ask(&self, jitter: Jitter) -> Result<(Ask, RefreshOptions), Error> {
        config::check_params(&self.params)?;
        if self.refused.as_ref().is_some_and(|token| token.expose().is_empty()) {
            return Err(Error::misuse("the refused access token is empty"));
        }
        let ask = Ask {
            variant: Variant::new(&self.params),
            min_validity: self.min_validity,
            refused: self.refused.clone(),
            force: self.force,
            jitter,
        };
        let params = self.params.iter();
        let options = params.fold(RefreshOptions::new(), |options, (name, value)| options.param(name, value));
        Ok((ask, options))
    }
}

/// Cancels calls of one client. Clones cancel the same calls.
///
/// ```
/// let cancel = cli_auth::CancelToken::new();
/// let handle = cancel.clone();
/// std::thread::spawn(move || handle.cancel()); // on Ctrl-C, say
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(pub(super) Arc<Cancel>);

impl CancelToken {
    /// Creates a token that cancels nothing yet. Use it for the calls of one client only.
    ///
    /// ```
    /// let cancel = cli_auth::CancelToken::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the calls that have this token, permanently: they return [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// A refresh that was sent is not cancelled. The call waits up to 2 seconds for its tokens, so that they can be
    /// saved, and then leaves this to a thread.
    ///
    /// Idempotent and wait-free. May be called from any thread and from a signal handler.
    ///
    /// ```
    /// let cancel = cli_auth::CancelToken::new();
    /// cancel.cancel();
    /// ```
    pub fn cancel(&self) {
        self.0.set();
    }
}
