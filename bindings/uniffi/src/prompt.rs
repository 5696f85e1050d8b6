//! The prompt, which must be shown to the user.

use cli_auth::Launch;

/// The code and the URL that the user needs to approve a login.
#[derive(uniffi::Object)]
pub(crate) struct Prompt(pub(super) cli_auth::Prompt);

#[uniffi::export]
impl Prompt {
    /// The code. Untrusted.
    fn user_code(&self) -> String {
        self.0.user_code().to_owned()
    }

    /// The URL where the user enters the code. Untrusted.
    fn verification_uri(&self) -> String {
        self.0.verification_uri().to_owned()
    }

    /// The verification URL that includes the code. Untrusted.
    fn verification_uri_complete(&self) -> Option<String> {
        self.0.verification_uri_complete().map(str::to_owned)
    }

    /// The lifetime of the code, in seconds.
    fn expires_in(&self) -> f64 {
        self.0.expires_in().as_secs_f64()
    }

    /// The host of the verification URL, in ASCII form.
    fn host(&self) -> String {
        self.0.host()
    }

    /// The name of the program, without the version.
    fn product(&self) -> Option<String> {
        self.0.product().map(str::to_owned)
    }

    /// The prompt as plain text, without escape sequences. The width defaults to 80 columns.
    fn text(&self, columns: Option<u32>) -> String {
        let columns = columns.and_then(|columns| usize::try_from(columns).ok());
        columns.map_or_else(|| self.0.text(), |columns| self.0.text_wrapped(columns))
    }

    /// The prompt formatted for standard error.
    fn text_for_stderr(&self) -> String {
        self.0.text_for_stderr()
    }

    /// Opens the verification page in the user's browser. Returns the reason if no browser was started.
    fn open_browser(&self) -> Option<String> {
        match self.0.open_browser() {
            Launch::Started => None,
            Launch::NotStarted(why) => Some(why.to_owned()),
        }
    }
}
