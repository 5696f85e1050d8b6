//! The prompt that the program shows to the user.

use std::time::Duration;

use url::Url;

use crate::{protocol::grant::Grant, sanitize};

/// The code and the URL that a user needs to approve a login (RFC 8628 section 3.2).
///
/// [`text`](Prompt::text) is ready to print on a terminal. The accessors return the server's values unchanged, for
/// programs. They are untrusted input: [`sanitize`] them before printing.
///
/// A prompt is owned by the caller, can be sent to any thread and does not change. It does not contain the device code.
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

    /// Returns the code that the user compares or enters, unsanitised. Show it with the server's case and punctuation.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let code = cli_auth::sanitize(prompt.user_code());
    /// # }
    /// ```
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Returns the URL where the user enters the code, unsanitised. It uses
    /// https (or http on this machine, if allowed) and contains no user name.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let address = cli_auth::sanitize(prompt.verification_uri());
    /// # }
    /// ```
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// Returns the verification URL that includes the code, unsanitised, or `None` if the server sent none. Show the
    /// code beside it (RFC 8628 section 3.3.1).
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let for_a_qr_code = prompt.verification_uri_complete().unwrap_or(prompt.verification_uri());
    /// # }
    /// ```
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// Returns the lifetime of the code, counted from just before the code was requested.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// eprintln!("You have {} s.", prompt.expires_in().as_secs());
    /// # }
    /// ```
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Returns the host of the verification URL in ASCII form, so that look-alike letters are visible.
    ///
    /// It may differ from the host that issued the code (RFC 8628 section 5.3). Show it to the user.
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

    /// Returns the product name that the client was built with. The
    /// prompt names it as the program that requests the login.
    ///
    /// The version is not included: `my-cli` for `my-cli/1.2`. `None` if no product was set.
    ///
    /// ```
    /// # fn show(prompt: &cli_auth::Prompt) {
    /// let name = prompt.product().unwrap_or("This program");
    /// # }
    /// ```
    pub fn product(&self) -> Option<&str> {
        self.product.as_deref()
    }

    /// Returns the page to open: the complete URL if there is one.
    pub(crate) fn page(&self) -> &str {
        self.verification_uri_complete.as_deref().unwrap_or(&self.verification_uri)
    }
}

/// Returns a URL in a form that is safe to print: the ASCII form that a browser shows.
pub(crate) fn shown_uri(uri: &str) -> String {
    Url::parse(uri).map(|url| url.to_string()).unwrap_or_else(|_| sanitize(uri))
}
