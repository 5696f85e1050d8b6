import CLIAuthNative

/// The code and the address that a user needs to approve a login (RFC 8628 section 3.2). It comes from ``Login/start()``.
///
/// ``text(columns:)`` is ready for a terminal. The properties are what the server sent, unchanged, for programs: put them through
/// ``sanitize(_:)`` before printing. There is no device code in it.
public struct Prompt: Sendable {
    /// The code that the user compares or types, raw.
    public let userCode: String

    /// Where the user types the code, raw. It is https (or loopback where allowed), without a user name.
    public let verificationURI: String

    /// The same with the code in it, raw, where the server sent one. Show the code beside it all the same.
    public let verificationURIComplete: String?

    /// How long the code lives, counted from before it was asked for.
    public let expiresIn: Duration

    /// The host that the user is sent to, in ASCII form, so that look-alike letters show.
    public let host: String

    /// The program that asks: the name in ``ClientOptions/product``, without the version.
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

    /// The prompt for a user, plain: code, address, product, and a warning. It is safe to print and ends with a line break.
    ///
    /// - Parameter columns: The width. Defaults to 80. Less than 24 count as 24; addresses are never broken.
    public func text(columns: Int = 80) -> String {
        native.text(columns: UInt32(clamping: columns))
    }

    /// As ``text(columns:)``, as wide as standard error, with a bold code where that is a terminal. `NO_COLOR` and `TERM=dumb` are
    /// honoured.
    public func textForStderr() -> String {
        native.textForStderr()
    }

    /// What became of ``openBrowser()``.
    public enum Launch: Sendable, Hashable {
        /// A browser was started. Whether it shows the page is not known.
        case started

        /// None was started, and why, for a user to read.
        case notStarted(String)
    }

    /// Opens the page in the user's browser, where that makes sense: standard error is a terminal, this is no SSH session and no
    /// CI job, and there is a display. `BROWSER` is honoured.
    ///
    /// It returns at once and never fails the login. Show the code first: the page asks the user to compare it.
    @discardableResult
    public func openBrowser() -> Launch {
        native.openBrowser().map(Launch.notStarted) ?? .started
    }
}

extension Prompt: CustomStringConvertible {
    /// The code, the address and the time, safe to print.
    public var description: String {
        "Prompt(userCode: \(sanitize(userCode)), verificationURI: \(sanitize(verificationURI)), expiresIn: \(expiresIn))"
    }
}

/// A text of a server as it may be shown in a terminal: without control and invisible characters, and not endless.
public func sanitize(_ text: String) -> String {
    CLIAuthNative.sanitize(text: text)
}
