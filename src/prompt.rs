//! What the person has to see.

use std::time::Duration;

use url::Url;

use crate::{
    protocol::grant::{Grant, MAX_USER_CODE_BYTES},
    sanitize::{sanitize, sanitize_to},
};

/// The code and the address that a person needs to approve a login (RFC 8628 section 3.2).
///
/// [`text`](Prompt::text) is ready for a terminal. The accessors give what the server sent, unchanged, for programs:
/// [`sanitize`] it before printing.
///
/// It belongs to the caller, goes to any thread, and does not change. There is no device code in it.
///
/// ```no_run
/// # let login = cli_auth::Client::authkit("client_123").build()?.login();
/// let prompt = login.start()?;
/// eprint!("{}", prompt.text());
/// prompt.open_browser(); // after the code was shown
/// # Ok::<(), cli_auth::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Duration,
    product: Option<String>,
}

impl Prompt {
    pub(crate) fn new(grant: &Grant, product: Option<String>) -> Self {
        Self {
            user_code: grant.user_code.clone(),
            verification_uri: grant.verification_uri.clone(),
            verification_uri_complete: grant.verification_uri_complete.clone(),
            expires_in: grant.expires_in,
            product,
        }
    }

    /// The code that the person compares or types, raw. Case and punctuation are the server's business: show it as it is.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let code = cli_auth::sanitize(prompt.user_code());
    /// # }
    /// ```
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the person types the code, raw. It is https (or loopback where allowed) and has no user name in it.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let address = cli_auth::sanitize(prompt.verification_uri());
    /// # }
    /// ```
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The same with the code in it, raw, where the server gives one. Show the code beside it all the same (section 3.3.1).
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let for_a_qr_code = prompt.verification_uri_complete().unwrap_or(prompt.verification_uri());
    /// # }
    /// ```
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long the code lives, counted from before it was asked for.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprintln!("You have {} s.", prompt.expires_in().as_secs());
    /// # }
    /// ```
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// The host that the person is sent to, in ASCII form, so that look-alike letters show.
    ///
    /// It may be another host than the one that was asked for the code (RFC 8628 section 5.3): let the person see it.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprintln!("You log in at {}.", prompt.host());
    /// # }
    /// ```
    pub fn host(&self) -> String {
        let url = Url::parse(&self.verification_uri).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Who asks: the product name that the client was built with.
    ///
    /// Without the version: `my-cli` of `my-cli/1.2`. `None` where no product was set.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let name = prompt.product().unwrap_or("This program");
    /// # }
    /// ```
    pub fn product(&self) -> Option<&str> {
        self.product.as_deref()
    }

    /// The page to open: with the code in it where there is one.
    pub(crate) fn page(&self) -> &str {
        self.verification_uri_complete.as_deref().unwrap_or(&self.verification_uri)
    }

    /// The code as it may be shown.
    pub(crate) fn shown_code(&self) -> String {
        sanitize_to(&self.user_code, MAX_USER_CODE_BYTES)
    }
}

/// An address as it may be shown: the browser's own ASCII form.
pub(crate) fn shown_uri(uri: &str) -> String {
    Url::parse(uri).map(|url| url.to_string()).unwrap_or_else(|_| sanitize(uri))
}
