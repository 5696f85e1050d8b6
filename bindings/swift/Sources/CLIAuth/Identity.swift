import CLIAuthNative

/// The user who logged in, as the server vouches for it.
///
/// With WorkOS AuthKit, this is the user in the token response. With an OpenID Connect server, it is the verified ID
/// token (OpenID Connect Core section 3.1.3.7), or the response of ``Client/userInfo(for:subject:)``. There is no
/// identity that was not verified.
///
/// Identify the user by ``subject``. All text is untrusted; call ``sanitize(_:)`` before printing it. Printing and
/// dumping the value shows no personal data.
public struct Identity: Sendable, Hashable {
    /// The ID of the user, which never changes: `sub` of OpenID Connect, or the ID of AuthKit's user, such as
    /// `user_01H…`. It is unique at this server only.
    public let subject: String

    /// The e-mail address. It may change, and may belong to another user later: do not identify the user by it. OpenID
    /// Connect servers name it only if the scope `email` was requested.
    public let email: String?

    /// Whether the server has verified that the e-mail address is the user's. `nil` if it does not say.
    public let emailVerified: Bool?

    /// The full name. OpenID Connect servers name it only if the scope `profile` was requested.
    public let name: String?

    /// The ID of the organization that the user logged in to: AuthKit's `organization_id`, or the claim `org_id`.
    public let organizationID: String?

    /// All claims, or all members of AuthKit's user, by name, as raw JSON. JSON strings include their quotes.
    public let claims: [String: String]

    /// Creates an identity, for tests of a program that shows who logged in.
    public init(
        subject: String,
        email: String? = nil,
        emailVerified: Bool? = nil,
        name: String? = nil,
        organizationID: String? = nil,
        claims: [String: String] = [:]
    ) {
        self.subject = subject
        self.email = email
        self.emailVerified = emailVerified
        self.name = name
        self.organizationID = organizationID
        self.claims = claims
    }

    init(_ native: CLIAuthNative.Identity) {
        self.init(
            subject: native.subject,
            email: native.email,
            emailVerified: native.emailVerified,
            name: native.name,
            organizationID: native.organizationId,
            claims: native.claims
        )
    }
}

extension Identity: CustomStringConvertible, CustomReflectable {
    /// The subject only, safe to print.
    public var description: String { "Identity(subject: \(sanitize(subject)))" }

    /// A mirror whose only child is the subject.
    public var customMirror: Mirror {
        Mirror(self, children: ["subject": sanitize(subject)], displayStyle: .struct)
    }
}
