import CLIAuthNative

/// The code and the URL that the user needs to approve a login (RFC 8628 section 3.2), returned by ``Login/start()``.
///
/// ``text(columns:)`` is safe to print on a terminal. Properties that are documented as untrusted are unchanged from
/// the server; call ``sanitize(_:)`` before printing them. A prompt does not contain the device code.
public struct Prompt: Sendable {
    /// The code that the user compares or enters. Untrusted.
    public let userCode: String

    /// The URL where the user enters the code. Untrusted. Its scheme is https (or http to this machine if allowed), and
    /// it contains no user name.
    public let verificationURI: String

    /// The verification URL that includes the code, or `nil` if the server sent none. Untrusted. Show the code in
    /// addition to this URL.
    public let verificationURIComplete: String?

    /// The lifetime of the code, counted from before the request was sent.
    public let expiresIn: Duration

    /// The host of the verification URL, in ASCII form, which exposes look-alike letters.
    public let host: String

    /// The name of the program, from ``ClientOptions/product`` without the version.
    public let product: String?

    private let native: CLIAuthNative.Prompt

    init(_ native: CLIAuthNative.Prompt) {
        userCode = native.userCode()
        verificationURI = native.verificationUri()
        verificationURIComplete = native.verificationUriComplete()
        expiresIn = Duration(ofSeconds: native.expiresIn())
        host = native.host()
        product = native.product()
        self.native = native
    }

    /// Returns the prompt as plain text: code, URL, product and a warning. The text is safe to print and ends with a
    /// newline.
    ///
    /// - Parameter columns: The width at which lines are wrapped. Defaults to 80. Values below 24 count as 24. URLs are
    ///   never wrapped.
    public func text(columns: Int = 80) -> String {
        native.text(columns: UInt32(clamping: columns))
    }

    /// Returns the prompt formatted for standard error. If that is a terminal, the text is as wide as the terminal and
    /// the code is bold. `NO_COLOR` and `TERM=dumb` are honoured.
    public func textForStderr() -> String {
        native.textForStderr()
    }

    /// The result of ``openBrowser()``.
    public enum Launch: Sendable, Hashable {
        /// A browser was started. Whether it shows the page is unknown.
        case started

        /// No browser was started. The value is the reason, as text for the user.
        case notStarted(String)
    }

    /// Opens the verification page in the user's browser.
    ///
    /// A browser is started only if standard error is a terminal, the program runs neither over SSH nor in a CI job,
    /// and a display is available. `BROWSER`, if set, is tried first, also over SSH and without a display. This method
    /// returns immediately and never makes the login fail. Show the code first: the page asks the user to compare it.
    @discardableResult
    public func openBrowser() -> Launch {
        native.openBrowser().map(Launch.notStarted) ?? .started
    }
}

extension Prompt: CustomStringConvertible {
    /// The code, the URL and the lifetime, safe to print.
    public var description: String {
        "Prompt(userCode: \(sanitize(userCode)), verificationURI: \(sanitize(verificationURI)), expiresIn: \(expiresIn))"
    }
}

/// Returns text received from a server in a form that is safe to print on a terminal.
///
/// Each run of control characters, and of invisible characters outside of words and emoji that need them, is replaced
/// by one U+FFFD; tabs and line breaks become spaces. White space at both ends is removed. Text over 400 characters is
/// truncated and marked with `…`.
public func sanitize(_ text: String) -> String {
    CLIAuthNative.sanitize(text: text)
}
