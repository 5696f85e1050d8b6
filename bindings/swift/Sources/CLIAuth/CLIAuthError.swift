import CLIAuthNative

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The error of a login or of a request.
///
/// Its ``kind-swift.property`` says what the caller should do next. Its ``message`` is for the user at the terminal and
/// is also its printed form. Printing shows no secret, and all text from the server in the message is sanitised.
///
/// A call that ends because its *task* was cancelled throws Swift's `CancellationError` instead.
public struct CLIAuthError: Error, Sendable {
    /// The kind of error, which says what the caller should do next.
    public let kind: Kind

    /// What happened and what to do next, for the user at the terminal. It is written to follow a colon: "Not logged
    /// in: …".
    public let message: String

    /// The error code from the response (RFC 6749 section 5.2), or the `code` from WorkOS. Untrusted; call
    /// ``sanitize(_:)`` before printing it.
    public let oauthError: String?

    /// The error description from the server (`error_description`), sanitised. The message already contains it.
    public let serverDescription: String?

    /// The technical cause in the words of the operating system, TLS or HTTP, sanitised, such as `Connection refused
    /// (os error 111)`. The message does not contain it. `nil` if there is nothing to add.
    public let detail: String?

    /// The HTTP status of the response that caused the error, if there was one.
    public let httpStatus: Int?

    /// The request ID from the server (`x-request-id`), sanitised. The server's support will ask for it.
    public let requestID: String?

    /// The delay that the server asked for before the next request. The value is not limited; the caller should cap it.
    public let retryAfter: Duration?

    /// The claims challenge of a server such as Microsoft Entra ID, if it came with
    /// ``Kind-swift.struct/actionRequired``. Pass it to a new login as the extra parameter `claims` of both requests.
    /// Untrusted; call ``sanitize(_:)`` before printing it.
    public let claims: String?

    /// The organizations to choose from, if the server listed them with ``Kind-swift.struct/actionRequired``. Otherwise
    /// `nil`.
    public let organizations: [Organization]?

    /// The secret with which a server-side component can complete the step at WorkOS. Completing it requires an API
    /// key, which a program on a user's machine does not have. Such a program should let the user log in again.
    public let pendingAuthenticationToken: Secret?

    /// Every member of the response by name, as raw JSON, exactly as the server sent it:
    /// `error.members["suberror"]?.expose()`. JSON strings include their quotes. The type is ``Secret`` because a
    /// member may contain a secret. The names are untrusted. Empty if there was no response, or if it is not a JSON
    /// object.
    public let members: [String: Secret]

    /// Creates an error as the library throws it, for tests of a program that handles errors.
    public init(
        _ kind: Kind,
        _ message: String,
        oauthError: String? = nil,
        serverDescription: String? = nil,
        detail: String? = nil,
        httpStatus: Int? = nil,
        requestID: String? = nil,
        retryAfter: Duration? = nil,
        claims: String? = nil,
        organizations: [Organization]? = nil,
        pendingAuthenticationToken: Secret? = nil,
        members: [String: Secret] = [:]
    ) {
        self.kind = kind
        self.message = message
        self.oauthError = oauthError
        self.serverDescription = serverDescription
        self.detail = detail
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.retryAfter = retryAfter
        self.claims = claims
        self.organizations = organizations
        self.pendingAuthenticationToken = pendingAuthenticationToken
        self.members = members
    }

    /// The kind of an error, as a word that is the same in every language. Later versions may add kinds.
    public struct Kind: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The word.
        public let rawValue: String

        /// Creates a kind from its word.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The user denied the request. Do not start another login unless the user asks for one.
        public static let denied = Kind(rawValue: "denied")

        /// The code expired, or ``ClientOptions/loginTimeout`` elapsed. Start another login when the user asks for one.
        public static let expired = Kind(rawValue: "expired")

        /// The login was cancelled earlier, or by ``Login/cancel()`` during this call.
        public static let cancelled = Kind(rawValue: "cancelled")

        /// The server requires an action that only the user can take in a browser, such as choosing an organization or
        /// enrolling a second factor.
        public static let actionRequired = Kind(rawValue: "action_required")

        /// The refresh token is no longer valid: it was used, has expired or was revoked. The user must log in again.
        public static let loginRequired = Kind(rawValue: "login_required")

        /// The server refuses this client or this request. Examples are a wrong client ID and a device flow that is not
        /// enabled. Sending the same request again does not help.
        public static let rejected = Kind(rawValue: "rejected")

        /// The server does not support the requested operation.
        public static let unsupported = Kind(rawValue: "unsupported")

        /// The server could not be reached, or is temporarily unavailable. Try again later.
        public static let network = Kind(rawValue: "network")

        /// No secure connection could be established: the server's certificate was rejected, the TLS handshake failed,
        /// or this machine has no trusted roots. Check the clock, the host name and the trusted roots.
        public static let tls = Kind(rawValue: "tls")

        /// The proxy cannot be used: its setting is invalid, it could not be reached, or it refused the connection.
        /// Check the setting.
        public static let proxy = Kind(rawValue: "proxy")

        /// The response violates the standards. Nothing in it was used.
        public static let invalidResponse = Kind(rawValue: "invalid_response")

        /// A setting of the client is invalid. No request was sent.
        public static let invalidConfig = Kind(rawValue: "invalid_config")

        /// A session could not be read or written. No function of this version throws it.
        public static let store = Kind(rawValue: "store")

        /// The API was misused: calls were made in the wrong order, or an argument has an invalid value. The call had
        /// no effect.
        public static let misuse = Kind(rawValue: "misuse")

        /// The process was forked after this login was created. Create a new login in the child.
        public static let forked = Kind(rawValue: "forked")

        /// Another call is driving this login.
        public static let busy = Kind(rawValue: "busy")

        /// A bug in this library, or a lack of system resources.
        public static let `internal` = Kind(rawValue: "internal")

        /// The word.
        public var description: String { rawValue }
    }
}

/// An organization that the user may choose, as returned by WorkOS.
public struct Organization: Sendable, Hashable {
    /// The identifier, such as `org_01H…`. Untrusted; call ``sanitize(_:)`` before printing it.
    public let id: String

    /// The display name. Untrusted; call ``sanitize(_:)`` before printing it.
    public let name: String

    /// Creates an organization, for tests.
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

    /// The error description from the server, or else the technical cause, sanitised.
    public var failureReason: String? { serverDescription ?? detail }

    /// What the user or the administrator of the program can do.
    public var recoverySuggestion: String? {
        switch kind {
        case .denied, .cancelled:
            return "Log in again if you did not mean to stop."
        case .expired:
            return "Log in again, and approve in time."
        case .actionRequired:
            return "Do what the server asks for in the browser, then log in again."
        case .loginRequired:
            return "Log in again."
        case .rejected, .unsupported, .invalidConfig:
            return "Change the settings, here or at the server."
        case .network:
            return "Try again later."
        case .store:
            return "Free some space, unlock the key store, or log in again."
        case .proxy:
            return "Check the settings of the proxy."
        case .tls:
            return "Check the clock, the server's name and the trusted certificates. Behind a company's proxy, add its CA."
        case .invalidResponse:
            return "Tell the administrator of the server."
        case .misuse, .forked, .busy, .internal:
            return "Report this bug to the developers of the program."
        default:
            return nil
        }
    }
}
