import CLIAuthNative

/// What ``Client/refresh(_:options:)`` asks for besides new tokens.
///
/// ```swift
/// // WorkOS: switch to another organization.
/// let tokens = try await client.refresh(stored, options: .init(params: [("organization_id", "org_123")]))
/// ```
///
/// They are checked by the refresh. If an option is invalid, it throws ``CLIAuthError/Kind/invalidConfig``, and nothing
/// is sent.
public struct RefreshOptions: Sendable {
    /// The scopes of the new access token, which must be among those that the user granted (RFC 6749 section 6).
    /// Defaults to all of them.
    public var scopes: [String]

    /// Extra parameters of the request, such as `resource` (RFC 8707 section 2.2) or WorkOS's `organization_id`. They
    /// replace those of ``ClientOptions/refreshParams`` with the same name. The rules of ``ClientOptions/params``
    /// apply.
    public var params: [(name: String, value: String)]

    /// The user that the tokens must be for: the ``Identity/subject`` of the login. If the response identifies another
    /// user, the refresh throws ``CLIAuthError/Kind/invalidResponse`` (OpenID Connect Core section 12.2). Defaults to
    /// `nil`: every user is accepted.
    public var subject: String?

    /// Creates options. Every omitted argument has its default.
    public init(scopes: [String] = [], params: [(name: String, value: String)] = [], subject: String? = nil) {
        self.scopes = scopes
        self.params = params
        self.subject = subject
    }

    var native: CLIAuthNative.RefreshOptions {
        CLIAuthNative.RefreshOptions(
            scopes: scopes,
            params: params.map { Param(name: $0.name, value: $0.value) },
            subject: subject
        )
    }
}
