//! The user who logged in.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// The user who logged in, as the server vouches for it. Cloning is cheap.
///
/// With WorkOS AuthKit, this is the user in the token response. With an OpenID Connect server, it is the verified ID
/// token (OpenID Connect Core section 3.1.3.7), or the response of
/// [`Client::userinfo`](crate::Client::userinfo). An ID token that was not verified gives no identity.
/// `Debug` shows only the subject.
///
/// Identify the user by [`subject`](Identity::subject). All text is unsanitised: sanitise it before printing.
///
/// ```no_run
/// # let login = cli_auth::Client::authkit("client_123").build()?.login();
/// # login.start()?;
/// let tokens = login.poll(|_event| ())?;
/// if let Some(user) = tokens.identity() {
///     println!("logged in as {}", cli_auth::sanitize(user.email().unwrap_or(user.subject())));
/// }
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Fields>);

pub(crate) struct Fields {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: Option<bool>,
    pub(crate) name: Option<String>,
    pub(crate) organization_id: Option<String>,
    /// Every claim, as raw JSON.
    pub(crate) claims: BTreeMap<String, String>,
}

impl Identity {
    pub(crate) fn new(fields: Fields) -> Self {
        Self(Arc::new(fields))
    }

    /// Returns the id of the user, which never changes: `sub` of OpenID Connect, or the id of AuthKit's user, such as
    /// `user_01H…`. It is unique at this server only.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// println!("{}", cli_auth::sanitize(user.subject()));
    /// # }
    /// ```
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Returns the e-mail address. It may change, and may belong to another user later: do not identify the user by it.
    ///
    /// OpenID Connect servers name it only if the scope `email` was requested.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// let email = user.email().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Returns whether the server has verified that the e-mail address is the user's. `None` if it does not say.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// let trusted = user.email_verified() == Some(true);
    /// # }
    /// ```
    pub fn email_verified(&self) -> Option<bool> {
        self.0.email_verified
    }

    /// Returns the full name. OpenID Connect servers name it only if the scope `profile` was requested.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// let name = user.name().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Returns the id of the organization that the user logged in to: AuthKit's `organization_id`, or the claim
    /// `org_id`.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// let organization = user.organization_id().map(cli_auth::sanitize);
    /// # }
    /// ```
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id.as_deref()
    }

    /// Returns any claim, or any member of AuthKit's user, as raw JSON.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// let groups = user.claim("groups"); // such as ["admin"]
    /// # }
    /// ```
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.0.claims.get(name).map(String::as_str)
    }

    /// Returns the names of all claims, sorted.
    ///
    /// ```
    /// # fn show(user: &cli_auth::Identity) {
    /// for name in user.claim_names() {
    ///     println!("{}", cli_auth::sanitize(name));
    /// }
    /// # }
    /// ```
    pub fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.0.claims.keys().map(String::as_str)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("subject", &self.subject()).finish_non_exhaustive()
    }
}
