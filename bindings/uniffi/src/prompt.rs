//! What the person has to see.

use cli_auth::Launch;

/// The code and the address that a person needs.
#[derive(uniffi::Object)]
pub(crate) struct Prompt(pub(super) cli_auth::Prompt);

#[uniffi::export]
impl Prompt {
    /// The code, raw.
    fn user_code(&self) -> String {
        self.0.user_code().to_owned()
    }

    /// Where the person types the code, raw.
    fn verification_uri(&self) -> String {
        self.0.verification_uri().to_owned()
    }

    /// The same with the code in it, raw.
    fn verification_uri_complete(&self) -> Option<String> {
        self.0.verification_uri_complete().map(str::to_owned)
    }

    /// How long the code lives, in seconds.
    fn expires_in(&self) -> f64 {
        self.0.expires_in().as_secs_f64()
    }

    /// The host that the person is sent to, in ASCII form.
    fn host(&self) -> String {
        self.0.host()
    }

    /// The name of the program that asks.
    fn product(&self) -> Option<String> {
        self.0.product().map(str::to_owned)
    }

    /// The prompt for a person, without escape sequences; 80 columns unless told.
    fn text(&self, columns: Option<u32>) -> String {
        let columns = columns.and_then(|columns| usize::try_from(columns).ok());
        columns.map_or_else(|| self.0.text(), |columns| self.0.text_wrapped(columns))
    }

    /// The prompt as standard error can show it.
    fn text_for_stderr(&self) -> String {
        self.0.text_for_stderr()
    }

    /// Opens the page in the person's browser, where that makes sense. Gives why not.
    fn open_browser(&self) -> Option<String> {
        match self.0.open_browser() {
            Launch::Started => None,
            Launch::NotStarted(why) => Some(why.to_owned()),
        }
    }
}
