//! What the person has to see.

use std::time::Duration;

use url::Url;

use crate::{protocol::grant::Grant, sanitize};

/// The code and the address that a person needs to approve a login (RFC 8628 section 3.2).
///
/// [`text`](Prompt::text) is ready for a terminal. The accessors give what the server sent, unchanged, for programs:
/// [`sanitize`] it before printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Duration,
    asker: Option<String>,
}

impl Prompt {
    pub(crate) fn new(grant: &Grant, asker: Option<String>) -> Self {
        Self {
            user_code: grant.user_code.clone(),
            verification_uri: grant.verification_uri.clone(),
            verification_uri_complete: grant.verification_uri_complete.clone(),
            expires_in: grant.expires_in,
            asker,
        }
    }

    /// The code that the person compares or types, raw. Case and punctuation are the server's business: show it as it is.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the person types the code, raw. It is https (or loopback where allowed) and has no user name in it.
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The same with the code in it, raw, where the server gives one. Show the code beside it all the same (section 3.3.1).
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long the code lives, counted from before it was asked for.
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// The host that the person is sent to, in ASCII form, so that look-alike letters show.
    pub fn host(&self) -> String {
        let url = Url::parse(&self.verification_uri).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Who asks: the product name that the client was built with.
    pub fn asker(&self) -> Option<&str> {
        self.asker.as_deref()
    }

    /// The page to open: with the code in it where there is one.
    pub(crate) fn page(&self) -> &str {
        self.verification_uri_complete.as_deref().unwrap_or(&self.verification_uri)
    }

    /// The code as it may be shown.
    pub(crate) fn shown_code(&self) -> String {
        sanitize(&self.user_code)
    }
}

/// An address as it may be shown: the browser's own ASCII form.
pub(crate) fn shown_uri(uri: &str) -> String {
    Url::parse(uri).map(|url| url.to_string()).unwrap_or_else(|_| sanitize(uri))
}
