//! What can go wrong, named by what the caller does next.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Secret, sanitize};

/// What the caller does next. The set may grow: match with a `_` arm.
///
/// `access_denied` and `expired_token` of RFC 8628 section 3.5 are [`Denied`](ErrorKind::Denied) and
/// [`Expired`](ErrorKind::Expired); every other code that ends a login is kept in [`Error::oauth_error`].
///
/// ```
/// use cli_auth::ErrorKind;
/// assert_eq!(ErrorKind::ActionRequired.as_str(), "action_required");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The person said no. Do not ask again unasked.
    Denied,
    /// The code, or the time that the program allowed, ran out. Start again when the person wants to.
    Expired,
    /// [`Login::cancel`](crate::Login::cancel) was called.
    Cancelled,
    /// The server wants something first that only the person can do in a browser (choose an organization, enrol a second factor, …).
    ActionRequired,
    /// The refresh token is no longer valid: it was used already, has expired or was revoked. The user must log in again.
    LoginRequired,
    /// The server refuses this client or this request: a wrong client id, or the device flow is not enabled for it. Retrying
    /// changes nothing.
    Rejected,
    /// The server does not offer what was asked for.
    Unsupported,
    /// The server was not reached, or said that it cannot answer now. Try again later.
    Network,
    /// No secure connection: the server's certificate was refused. Check the clock, the name and the trusted roots.
    Tls,
    /// The proxy cannot be used: its setting is wrong, it was not reached, or it refused the connection. Check the setting.
    Proxy,
    /// The server answered something that the standards do not allow. Nothing in it was used.
    InvalidResponse,
    /// A setting of the client is wrong. Nothing was sent.
    InvalidConfig,
    /// A call that makes no sense: out of its order, or with an argument that has no meaning. Nothing was done.
    Misuse,
    /// The process was forked after this login was made. Make a new login in the child.
    Forked,
    /// Another call drives this login at the moment.
    Busy,
    /// A defect of this library or a want of system resources.
    Internal,
}

/// The kinds and their names, each written once.
macro_rules! kinds {
    ($($kind:ident => $name:literal,)*) => {
        impl ErrorKind {
            #[cfg(feature = "__host")]
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            /// The kind in snake_case, the same in every language.
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

/// An organization that a person may choose, as WorkOS names it in an `organization_selection_required` answer.
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
    /// The identifier, such as `org_01H…`. Raw: sanitise it before printing.
    pub id: String,
    /// The name for people. Raw: sanitise it before printing.
    pub name: String,
}

/// Why a login, a refresh or a revocation did not succeed.
///
/// `Display` is a sentence for the person at the terminal: what happened and what to do next. It holds no secret, and
/// every part of it that came from the server is sanitised. Cloning is cheap, and it may go to any thread.
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
    message: String,
    oauth_error: Option<String>,
    description: Option<String>,
    http_status: Option<u16>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    organizations: Option<Vec<Organization>>,
    pending_authentication_token: Option<Secret>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Fields {
            kind,
            message: message.into(),
            oauth_error: None,
            description: None,
            http_status: None,
            request_id: None,
            retry_after: None,
            organizations: None,
            pending_authentication_token: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidConfig, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, message)
    }

    /// What the caller does next.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// match error.kind() {
    ///     cli_auth::ErrorKind::Denied => eprintln!("You said no."),
    ///     cli_auth::ErrorKind::Network => eprintln!("{error}. Try again later."),
    ///     _ => eprintln!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's error code as it came (RFC 6749 section 5.2, RFC 8628 section 3.5), or WorkOS's `code`.
    /// Raw apart from masked secrets: sanitise it before printing.
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

    /// The server's own words, sanitised. The message of `Display` holds them already.
    ///
    /// From `error_description`, else `message`, else `detail`. `None` if the response has none of them.
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

    /// The HTTP status of the answer that ended it.
    ///
    /// `None` where there was no answer.
    ///
    /// ```
    /// # fn show(error: &cli_auth::Error) {
    /// let by_a_gateway = error.http_status() == Some(502);
    /// # }
    /// ```
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The server's id of the request, sanitised: what its support will ask for. From `x-request-id`, or from a similar header
    /// of the server or of a gateway in front of it (`x-ms-request-id`, `cf-ray`, …).
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

    /// How long the server asked to wait before the next request (RFC 9110 section 10.2.3).
    ///
    /// From seconds, or from a date held against the server's own clock. As large as the server said: cap it.
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

    /// The organizations to choose from, when the server named them with [`ErrorKind::ActionRequired`].
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

    /// WorkOS's `pending_authentication_token`: the secret with which a server-side component can complete the step.
    ///
    /// Completing it needs the client secret, which a program on a person's machine does not have: in a command-line tool, let
    /// the person log in again.
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

    fn with(mut self, change: impl FnOnce(&mut Fields)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn with_oauth_error(self, code: Option<String>) -> Self {
        self.with(|f| f.oauth_error = code)
    }

    /// Adds the server's words: to the field, and to the message.
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

    pub(crate) fn with_step_up(
        self,
        organizations: Option<Vec<Organization>>,
        pending: Option<Secret>,
    ) -> Self {
        self.with(|f| {
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

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_sanitised_and_debug_masks_the_pending_token() {
        let error = Error::new(ErrorKind::ActionRequired, "choose")
            .with_description(Some("a\u{1b}[2Jb"))
            .with_http(403, Some("req\u{7}1"), None)
            .with_step_up(None, Some(Secret::new("pend-999")));
        assert_eq!(error.to_string(), "choose (the server says: a\u{fffd}[2Jb)");
        assert_eq!(error.request_id(), Some("req\u{fffd}1"));
        assert!(!format!("{error:?}").contains("pend-999"));
    }
}
