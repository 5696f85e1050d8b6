import CLIAuthNative

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the server gave out (RFC 6749 section 5.1).
///
/// Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all. Printing and dumping
/// it shows no secret.
public struct Tokens: Sendable {
    /// The token for the API: `"Bearer \(tokens.accessToken.expose())"`, over TLS, and only to the API that it is for.
    public let accessToken: Secret

    /// The token for ``Client/refresh(_:)``. Many servers give one only for the scope `offline_access`. After a refresh without a
    /// new one, the old one.
    public let refreshToken: Secret?

    /// The OpenID Connect ID token, **unverified**: do not read an identity from it before you checked it.
    public let idToken: Secret?

    /// As the server spelled it: some spelling of `Bearer`.
    public let tokenType: String

    /// What was granted, in the server's order. `nil` where neither the server nor the client named a scope.
    public let scopes: [String]?

    /// The access token's lifetime when it was given out. `nil` is unknown: neither zero nor for ever.
    public let expiresIn: Duration?

    /// When the access token ends. Never too late by the time that the response took.
    public let expiresAt: Date?

    /// WorkOS AuthKit: the id of the user, such as `user_01H…`, raw. `nil` with other servers.
    public let userID: String?

    /// WorkOS AuthKit: the id of the organization that the user logged in to, raw.
    public let organizationID: String?

    /// Every other member of the response by its name, as raw JSON. Secrets, since they may be.
    public let other: [String: Secret]

    init(_ native: CLIAuthNative.Tokens) {
        accessToken = Secret(native.accessToken())
        refreshToken = native.refreshToken().map(Secret.init)
        idToken = native.idToken().map(Secret.init)
        tokenType = native.tokenType()
        scopes = native.scopes()
        expiresIn = native.expiresIn().map(Duration.init(ofSeconds:))
        expiresAt = native.expiresAt().map(Date.init(timeIntervalSince1970:))
        userID = native.userId()
        organizationID = native.organizationId()
        var other: [String: Secret] = [:]
        for name in native.otherNames() {
            other[name] = native.other(name: name).map(Secret.init)
        }
        self.other = other
    }
}

extension Tokens: CustomStringConvertible {
    /// What is no secret, and which secrets there are.
    public var description: String {
        let refresh = refreshToken.map(String.init(reflecting:)) ?? "nil"
        let id = idToken.map(String.init(reflecting:)) ?? "nil"
        return """
            Tokens(tokenType: \(sanitize(tokenType)), accessToken: \(String(reflecting: accessToken)), \
            refreshToken: \(refresh), idToken: \(id))
            """
    }
}
