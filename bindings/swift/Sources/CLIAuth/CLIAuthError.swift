import CLIAuthNative

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Why a login, a refresh or a revocation did not succeed.
///
/// Its ``kind-swift.property`` says what to do next. Printed, it is its ``message``, a sentence for the user at the terminal. It
/// holds no secret that is shown, and what came from the server in its message is sanitised.
///
/// When the *task* that makes a call is cancelled, the call throws Swift's `CancellationError` instead.
public struct CLIAuthError: Error, Sendable {
    /// What the caller does next.
    public let kind: Kind

    /// What happened and what to do next, for the user at the terminal. No capital letter at its start, no full stop at its end.
    public let message: String

    /// The server's error code as it came (RFC 6749 section 5.2), or WorkOS's `code`. Raw: ``sanitize(_:)`` it before printing.
    public let oauthError: String?

    /// The server's own words (`error_description`), sanitised. The message holds them already.
    public let serverDescription: String?

    /// The HTTP status of the response that ended it, if there was one.
    public let httpStatus: Int?

    /// The server's name for the request, sanitised: what its support will ask for.
    public let requestID: String?

    /// How long the server asked to wait before the next request. As large as it said: cap it.
    public let retryAfter: Duration?

    /// The organizations to choose from, when the server named them with ``Kind-swift.struct/actionRequired``. `nil`: it named none.
    public let organizations: [Organization]?

    /// WorkOS's secret with which a server-side component can complete the step. Completing it needs an API key, which a program on
    /// a user's machine does not have: let the user log in again.
    public let pendingAuthenticationToken: Secret?

    /// An error as the library throws it, for tests of a program that handles them.
    public init(
        _ kind: Kind,
        _ message: String,
        oauthError: String? = nil,
        serverDescription: String? = nil,
        httpStatus: Int? = nil,
        requestID: String? = nil,
        retryAfter: Duration? = nil,
        organizations: [Organization]? = nil,
        pendingAuthenticationToken: Secret? = nil
    ) {
        self.kind = kind
        self.message = message
        self.oauthError = oauthError
        self.serverDescription = serverDescription
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.retryAfter = retryAfter
        self.organizations = organizations
        self.pendingAuthenticationToken = pendingAuthenticationToken
    }

    /// What the caller does next, as a word that is the same in every language. A new version may bring new kinds.
    public struct Kind: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The word.
        public let rawValue: String

        /// A kind by its word.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The user denied the request. Do not start another login unless the user asks for one.
        public static let denied = Kind(rawValue: "denied")

        /// The code, or the time that the program allowed, ran out. Start again when the user wants to.
        public static let expired = Kind(rawValue: "expired")

        /// ``Login/cancel()`` was called.
        public static let cancelled = Kind(rawValue: "cancelled")

        /// The server wants something first that only the user can do in a browser: choose an organization, enrol a second
        /// factor, …
        public static let actionRequired = Kind(rawValue: "action_required")

        /// The server refuses this client or this request: a wrong client id, a used refresh token, the device flow not switched
        /// on. Trying again changes nothing.
        public static let rejected = Kind(rawValue: "rejected")

        /// The server does not offer what was asked for.
        public static let unsupported = Kind(rawValue: "unsupported")

        /// The server was not reached, or said that it cannot respond now. Try again later.
        public static let network = Kind(rawValue: "network")

        /// No secure connection, since the server's certificate was refused. Check the clock, the name and the trusted roots.
        public static let tls = Kind(rawValue: "tls")

        /// The server sent a response that the standards do not allow. Nothing in it was used.
        public static let invalidResponse = Kind(rawValue: "invalid_response")

        /// A setting of the client is wrong. Nothing was sent.
        public static let invalidConfig = Kind(rawValue: "invalid_config")

        /// A call that makes no sense: out of order, or with an argument that has no meaning. Nothing was done.
        public static let misuse = Kind(rawValue: "misuse")

        /// The process was forked after this login was made.
        public static let forked = Kind(rawValue: "forked")

        /// Another call drives this login at the moment.
        public static let busy = Kind(rawValue: "busy")

        /// A defect of this library, or a want of system resources.
        public static let `internal` = Kind(rawValue: "internal")

        /// The word.
        public var description: String { rawValue }
    }
}

/// An organization that a user may choose, as WorkOS names it.
public struct Organization: Sendable, Hashable {
    /// Such as `org_01H…`. Raw: ``sanitize(_:)`` it before printing.
    public let id: String

    /// For people. Raw: ``sanitize(_:)`` it before printing.
    public let name: String

    /// One as a server names it.
    public init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

extension CLIAuthError: CustomStringConvertible, LocalizedError {
    /// The message.
    public var description: String { message }

    /// The message.
    public var errorDescription: String? { message }

    /// The server's own words, sanitised, where it used some.
    public var failureReason: String? { serverDescription }

    /// What the user, or whoever set up the program, can do.
    public var recoverySuggestion: String? {
        switch kind {
        case .denied, .cancelled:
            return "Log in again if you did not mean to stop."
        case .expired:
            return "Log in again, and approve in time."
        case .actionRequired:
            return "Do what the server asks for in the browser, then log in again."
        case .rejected:
            return "Log in again. If that does not help, the settings here or at the server have to be changed."
        case .unsupported, .invalidConfig:
            return "The settings here or at the server have to be changed."
        case .network:
            return "Try again later."
        case .tls:
            return "Check the clock, the server's name and the trusted certificates. Behind a company's proxy, add its CA."
        case .invalidResponse:
            return "Tell whoever runs the server."
        case .misuse, .forked, .busy, .internal:
            return "This is a mistake in the program: tell whoever made it."
        default:
            return nil
        }
    }
}
