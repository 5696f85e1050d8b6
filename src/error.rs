//! Errors, grouped by what the caller should do next.

use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use crate::{Secret, sanitize};

/// The kind of an error. It says what the caller should do next. Kinds may be added: match with a `_` arm.
///
/// In the response to a poll, the codes `access_denied` and `expired_token` (RFC 8628 section 3.5) are
/// [`Denied`](ErrorKind::Denied) and [`Expired`](ErrorKind::Expired). [`Error::oauth_error`] returns the code of any
/// error that has one.
///
/// ```
/// use cli_auth::ErrorKind;
/// assert_eq!(ErrorKind::ActionRequired.as_str(), "action_required");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The user denied the request. Do not start another login unless the user asks for one.
    Denied,
    /// The code expired before the user approved the login, or [`login_timeout`](crate::ClientBuilder::login_timeout)
    /// was reached, or the server asked for a wait longer than the code's lifetime. Start another login when the user
    /// asks for one.
    Expired,
    /// The program cancelled the login or the request, for example with [`Login::cancel`](crate::Login::cancel), or the
    /// program is ending.
    Cancelled,
    /// The user must complete a step in a browser first, such as choosing an organization or enrolling a second factor.
    /// The message names the step.
    ActionRequired,
    /// There is no session, or it has ended: the refresh token was already used, has expired or was revoked. The user
    /// must log in again. [`Error::reason`] says which. A server ends a session only by an error code that says so.
    LoginRequired,
    /// The server refused this client or this request, for example because the client id is wrong or the device flow is
    /// not enabled for the client. Retrying does not help.
    Rejected,
    /// The server does not offer what was requested, or it issued a token of a type that this library cannot use.
    Unsupported,
    /// The server was not reached, or could not handle the request at this time. Try again later.
    Network,
    /// No secure connection was established: the server's certificate was refused, the TLS handshake failed, or this
    /// machine has no trusted root certificates. Check the clock, the host name and the trusted roots.
    Tls,
    /// The proxy cannot be used: its setting is invalid, it was not reached, or it refused the connection. The message
    /// names the setting to check. No request is sent without the proxy.
    Proxy,
    /// The server's response violates the standards. Nothing in it was used.
    InvalidResponse,
    /// A setting of the client is invalid, or the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names cannot be
    /// used. No request was sent.
    InvalidConfig,
    /// A session could not be read or written: the disk, the key store, or what is stored. [`Error::reason`] says
    /// which, and the message names the path. Nothing was lost.
    Store,
    /// The call is invalid: it was made out of order, or with an argument that has no meaning. It had no effect.
    Misuse,
    /// The process was forked after the login was created or the request was sent. In the child, create a new login or
    /// client, or send the request again, as the message says.
    Forked,
    /// Another call is driving this login or waiting for this request, or another process is refreshing this session.
    Busy,
    /// A defect in this library, or the operating system refused a resource.
    Internal,
}

/// Defines the name of each kind once.
macro_rules! kinds {
    ($($kind:ident => $name:literal,)*) => {
        impl ErrorKind {
            #[cfg(feature = "__host")]
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns the kind in snake_case. The name is the same in every language.
            ///
            /// ```
            /// assert_eq!(cli_auth::ErrorKind::Denied.as_str(), "denied");
            /// ```
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    Denied => "denied",
    Expired => "expired",
    Cancelled => "cancelled",
    ActionRequired => "action_required",
    LoginRequired => "login_required",
    Rejected => "rejected",
    Unsupported => "unsupported",
    Network => "network",
    Tls => "tls",
    Proxy => "proxy",
    InvalidResponse => "invalid_response",
    InvalidConfig => "invalid_config",
    Store => "store",
    Misuse => "misuse",
    Forked => "forked",
    Busy => "busy",
    Internal => "internal",
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an error of kind [`LoginRequired`](ErrorKind::LoginRequired) or [`Store`](ErrorKind::Store) was returned.
/// Reasons may be added: match with a `_` arm.
///
/// ```
/// use cli_auth::ErrorReason;
/// assert_eq!(ErrorReason::RecordDamaged.as_str(), "record_damaged");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorReason {
    /// There is no session: the user never logged in, or has logged out.
    NotLoggedIn,
    /// The user logged out while the session was in use.
    LoggedOut,
    /// The server has ended the session: its refresh token was revoked, has expired or was used by another program.
    SessionEnded,
    /// The response to the last refresh was lost, and the server no longer accepts the token that was sent with it.
    Interrupted,
    /// The access token has expired, and the server issued no refresh token.
    TokenExpired,
    /// The key store is locked, for example over SSH. Unlock it, or log in again with another protection.
    KeyStoreLocked,
    /// This machine, or this login session, has no key store.
    KeyStoreUnavailable,
    /// The key store did not respond in time, or failed.
    KeyStoreFailed,
    /// The key store no longer has the key of this session. Log in again.
    KeyMissing,
    /// The operating system does not permit the access.
    Forbidden,
    /// The directory belongs to another user, for example after `sudo`.
    WrongOwner,
    /// The disk is full, or a quota is exhausted.
    NoSpace,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The file cannot be replaced, because it is mounted by itself. Mount its directory instead.
    NotReplaceable,
    /// What is stored is damaged. It is left as it is. A login moves it aside.
    RecordDamaged,
    /// What is stored was written by a newer version. It is left as it is.
    RecordNewer,
    /// What is stored belongs to another server, client or profile.
    RecordForeign,
    /// There is no directory for the session: neither `HOME` nor the user database names one.
    NoDirectory,
    /// Locks do not work in the directory of the session.
    NoLock,
    /// Another failure of the file system, or of a store of the program's own.
    Failed,
}

/// Defines the name of each reason once.
macro_rules! reasons {
    ($($reason:ident => $name:literal,)*) => {
        impl ErrorReason {
            /// Returns the reason in snake_case. The name is the same in every language.
            ///
            /// ```
            /// assert_eq!(cli_auth::ErrorReason::LoggedOut.as_str(), "logged_out");
            /// ```
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

reasons! {
    NotLoggedIn => "not_logged_in",
    LoggedOut => "logged_out",
    SessionEnded => "session_ended",
    Interrupted => "interrupted",
    TokenExpired => "token_expired",
    KeyStoreLocked => "key_store_locked",
    KeyStoreUnavailable => "key_store_unavailable",
    KeyStoreFailed => "key_store_failed",
    KeyMissing => "key_missing",
    Forbidden => "forbidden",
    WrongOwner => "wrong_owner",
    NoSpace => "no_space",
    ReadOnly => "read_only",
    NotReplaceable => "not_replaceable",
    RecordDamaged => "record_damaged",
    RecordNewer => "record_newer",
    RecordForeign => "record_foreign",
    NoDirectory => "no_directory",
    NoLock => "no_lock",
    Failed => "failed",
}

impl fmt::Display for ErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An organization that the user may choose. WorkOS names it in an `organization_selection_required` response.
///
/// ```
/// # fn show(error: &cli_auth::Error) {
/// for organization in error.organizations().unwrap_or_default() {
///     eprintln!("{}  {}", cli_auth::sanitize(&organization.id), cli_auth::sanitize(&organization.name));
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// The identifier, such as `org_01H…`. Unsanitised apart from masked secrets: sanitise it before printing.
    pub id: String,
    /// The display name. Unsanitised apart from masked secrets: sanitise it before printing. Empty if the response has
    /// none.
    pub name: String,
}

/// The reason why a login, a refresh or a revocation failed.
///
/// `Display` is a sentence for the user: what happened and what to do next. It contains no secret, and all text from
/// the server is sanitised. [`detail`](Error::detail) and `source` have the technical cause, if there is one below this
/// library. Cloning is cheap. An error may be sent to and shared between threads.
///
/// ```
/// let error = cli_auth::Client::authkit("").build().unwrap_err();
/// assert_eq!(error.kind(), cli_auth::ErrorKind::InvalidConfig);
/// assert_eq!(error.to_string(), "the client id is empty: give the id that the server's dashboard shows");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Fields>);

#[derive(Clone, Debug)]
struct Fields {
    kind: ErrorKind,
    reason: Option<ErrorReason>,
    message: String,
    oauth_error: Option<String>,
    description: Option<String>,
    http_status: Option<u16>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    claims: Option<String>,
    organizations: Option<Vec<Organization>>,
    pending_authentication_token: Option<Secret>,
    /// Every member of the response, as raw JSON.
    members: BTreeMap<String, Secret>,
    cause: Option<Cause>,
}

#[derive(Clone, Debug)]
struct Cause {
    text: String,
    source: Arc<io::Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Fields {
            kind,
            reason: None,
            message: message.into(),
            oauth_error: None,
            description: None,
            http_status: None,
            request_id: None,
            retry_after: None,
            claims: None,
            organizations: None,
            pending_authentication_token: None,
            members: BTreeMap::new(),
            cause: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidConfig, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn login_required(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LoginRequired, message).with_reason(reason)
    }

    pub(crate) fn store(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Store, message).with_reason(reason)
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, message)
    }

    /// Returns the kind, which says what the caller should do next.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// match error.kind() {
    ///     cli_auth::ErrorKind::Denied => eprintln!("You denied the request."),
    ///     cli_auth::ErrorKind::Network => eprintln!("{error}. Try again later."),
    ///     _ => eprintln!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the reason of an error of kind [`LoginRequired`](ErrorKind::LoginRequired) or
    /// [`Store`](ErrorKind::Store). `None` for every other kind.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if error.reason() == Some(cli_auth::ErrorReason::KeyStoreLocked) {
    ///     eprintln!("Unlock the key store of this machine, or log in again.");
    /// }
    /// # }
    /// ```
    pub fn reason(&self) -> Option<ErrorReason> {
        self.0.reason
    }

    /// Returns the server's error code (RFC 6749 section 5.2, RFC 8628 section 3.5), or WorkOS's `code`. `None` if the
    /// response has neither. Unsanitised apart from masked secrets: sanitise it before printing.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if error.oauth_error() == Some("invalid_client") {
    ///     eprintln!("Check the client id.");
    /// }
    /// # }
    /// ```
    pub fn oauth_error(&self) -> Option<&str> {
        self.0.oauth_error.as_deref()
    }

    /// Returns the server's own text, sanitised. `Display` includes it.
    ///
    /// The value is `error_description`, or else `message`, or else `detail`. `None` if the response has none of them.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if let Some(words) = error.description() {
    ///     eprintln!("The server says: {words}");
    /// }
    /// # }
    /// ```
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Returns the HTTP status of the response that caused the error.
    ///
    /// `None` if there was no response.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// let by_a_gateway = error.http_status() == Some(502);
    /// # }
    /// ```
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Returns the server's id of the request, sanitised. The server's support may ask for it.
    ///
    /// The value is that of `x-request-id`, or of a similar header of the server or of a gateway in front of it
    /// (`x-ms-request-id`, `cf-ray`, …). `None` if the response has none.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if let Some(id) = error.request_id() {
    ///     eprintln!("Request {id}");
    /// }
    /// # }
    /// ```
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns how long the server asked to wait before the next request (`Retry-After`, RFC 9110 section 10.2.3).
    /// `None` if it did not ask.
    ///
    /// A date in the header is measured against the response's `Date` header, or against this machine's clock if there
    /// is none. The value is not limited: apply a maximum.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if let Some(wait) = error.retry_after() {
    ///     eprintln!("Try again in {} s.", wait.as_secs());
    /// }
    /// # }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the claims challenge of a server such as Microsoft Entra ID, if it came with
    /// [`ErrorKind::ActionRequired`]. Unsanitised apart from masked secrets: sanitise it before printing.
    ///
    /// Pass it to a new login as the extra parameter `claims` of both requests.
    ///
    /// ```
    /// # fn retry(error: &cli_auth::Error, builder: cli_auth::ClientBuilder) -> cli_auth::ClientBuilder {
    /// match error.claims() {
    ///     Some(claims) => builder.param("claims", claims).token_param("claims", claims),
    ///     None => builder,
    /// }
    /// # }
    /// ```
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// Returns the organizations to choose from, if the server named them with [`ErrorKind::ActionRequired`].
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// for organization in error.organizations().unwrap_or_default() {
    ///     eprintln!("{}  {}", cli_auth::sanitize(&organization.id), cli_auth::sanitize(&organization.name));
    /// }
    /// # }
    /// ```
    pub fn organizations(&self) -> Option<&[Organization]> {
        self.0.organizations.as_deref()
    }

    /// Returns WorkOS's `pending_authentication_token`, a secret with which a server-side component can complete the
    /// step. `None` if the response has none.
    ///
    /// Completing the step requires the client secret, which a program on the user's machine does not have. In a
    /// command-line tool, let the user log in again.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// if let Some(token) = error.pending_authentication_token() {
    ///     // hand token.expose() to the component that holds the WorkOS API key
    /// }
    /// # }
    /// ```
    pub fn pending_authentication_token(&self) -> Option<&Secret> {
        self.0.pending_authentication_token.as_ref()
    }

    /// Returns any member of the response as raw JSON, exactly as the server sent it. It is a secret because it may
    /// contain one. `None` if the response has no such member, or is not a JSON object.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// let suberror = error.member("suberror").map(|json| json.expose()); // such as "\"bad_token\""
    /// # }
    /// ```
    pub fn member(&self, name: &str) -> Option<&Secret> {
        self.0.members.get(name)
    }

    /// Returns the names of all members of the response, sorted.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// for name in error.member_names() {
    ///     eprintln!("{}", cli_auth::sanitize(name));
    /// }
    /// # }
    /// ```
    pub fn member_names(&self) -> impl Iterator<Item = &str> {
        self.0.members.keys().map(String::as_str)
    }

    /// Returns the technical cause in the words of the operating system, TLS or HTTP, sanitised: why no connection was
    /// made, why a name was not resolved, or which alert ended a handshake. `Display` does not include it. `None` if
    /// there is nothing to add.
    ///
    /// `source` returns the same cause as a [`std::io::Error`].
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// eprintln!("{error}");
    /// if let Some(detail) = error.detail() {
    ///     eprintln!("  cause: {detail}"); // such as "Connection refused (os error 111)"
    /// }
    /// # }
    /// ```
    pub fn detail(&self) -> Option<&str> {
        self.0.cause.as_ref().map(|cause| cause.text.as_str())
    }

    fn with(mut self, change: impl FnOnce(&mut Fields)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn with_reason(self, reason: ErrorReason) -> Self {
        self.with(|f| f.reason = Some(reason))
    }

    pub(crate) fn with_oauth_error(self, code: Option<String>) -> Self {
        self.with(|f| f.oauth_error = code)
    }

    /// Adds the server's text to the field and to the message.
    pub(crate) fn with_description(self, text: Option<&str>) -> Self {
        let clean = text.map(sanitize).filter(|t| !t.is_empty());
        self.with(|f| {
            if let Some(clean) = &clean {
                f.message = format!("{} (the server says: {clean})", f.message);
            }
            f.description = clean;
        })
    }

    pub(crate) fn with_http(
        self,
        status: u16,
        request_id: Option<&str>,
        retry_after: Option<Duration>,
    ) -> Self {
        self.with(|f| {
            f.http_status = Some(status);
            f.request_id = request_id.map(sanitize).filter(|t| !t.is_empty());
            f.retry_after = retry_after;
        })
    }

    pub(crate) fn with_members(self, members: BTreeMap<String, Secret>) -> Self {
        self.with(|f| f.members = members)
    }

    /// Replaces the sentence, to which the server's text is added again.
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        let description = self.0.description.clone();
        self.with(|f| f.message = message.into()).with_description(description.as_deref())
    }

    pub(crate) fn with_cause(self, cause: io::Error) -> Self {
        let text = sanitize(&cause.to_string());
        self.with(|f| f.cause = Some(Cause { text, source: Arc::new(cause) }))
    }

    pub(crate) fn with_cause_of(self, other: &Self) -> Self {
        self.with(|f| f.cause.clone_from(&other.0.cause))
    }

    pub(crate) fn with_step_up(
        self,
        claims: Option<String>,
        organizations: Option<Vec<Organization>>,
        pending: Option<Secret>,
    ) -> Self {
        self.with(|f| {
            f.claims = claims;
            f.organizations = organizations;
            f.pending_authentication_token = pending;
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Error").field(&self.0).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &io::Error = self.0.cause.as_ref()?.source.as_ref();
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_is_sanitized_and_debug_masks_the_pending_token() {
        let error = Error::new(ErrorKind::ActionRequired, "choose")
            .with_description(Some("a\u{1b}[2Jb"))
            .with_http(403, Some("req\u{7}1"), None)
            .with_step_up(None, None, Some(Secret::new("pend-999")))
            .with_members(BTreeMap::from([("x".to_owned(), Secret::new("raw-999"))]));
        assert_eq!(error.to_string(), "choose (the server says: a\u{fffd}[2Jb)");
        assert_eq!(error.request_id(), Some("req\u{fffd}1"));
        assert!(!format!("{error:?}").contains("-999"));
    }
}
