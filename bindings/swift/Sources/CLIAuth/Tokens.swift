import CLIAuthNative

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The tokens that the server issued (RFC 6749 section 5.1).
///
/// The library verifies none of the contents, only that they came over TLS from the token endpoint. Printing and
/// dumping the value shows no secret. Properties that are documented as untrusted must pass through ``sanitize(_:)``
/// before they are printed.
public struct Tokens: Sendable {
    /// The access token. Send it as `"Bearer \(tokens.accessToken.expose())"`, over TLS, and only to the API that it
    /// was issued for.
    public let accessToken: Secret

    /// The token for ``Client/refresh(_:)``, or `nil` if the server issued none. Many servers issue one only for the
    /// scope `offline_access`. If a refresh response contains no new refresh token, this is the previous one.
    public let refreshToken: Secret?

    /// The OpenID Connect ID token, **unverified**. Verify its signature and claims before reading an identity from it.
    public let idToken: Secret?

    /// The token type as spelled by the server: `Bearer` in any letter case.
    public let tokenType: String

    /// The granted scopes, in the server's order. If the response names no scope, these are the requested scopes (RFC
    /// 6749 section 5.1), or `nil` if the client requested none.
    public let scopes: [String]?

    /// The lifetime of the access token at the time it was issued. `nil` if it is unknown; treat the token neither as
    /// expired nor as valid forever.
    public let expiresIn: Duration?

    /// The expiry time of the access token, or `nil` if it is unknown. It is counted from before the request was sent,
    /// so the duration of the request never makes it too late. If the server named no lifetime, it is the `exp` claim
    /// of a JWT access token.
    public let expiresAt: Date?

    /// The ID of the user at WorkOS AuthKit, such as `user_01H…`. Untrusted. `nil` with other servers.
    public let userID: String?

    /// The ID of the organization that the user logged in to at WorkOS AuthKit. Untrusted.
    public let organizationID: String?

    /// All other members of the response by name, as raw JSON. The type is ``Secret`` because a member may contain a
    /// secret. The names are untrusted.
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
    /// The token type, and which tokens are present, without their text.
    public var description: String {
        let refresh = refreshToken.map(String.init(reflecting:)) ?? "nil"
        let id = idToken.map(String.init(reflecting:)) ?? "nil"
        return """
            Tokens(tokenType: \(sanitize(tokenType)), accessToken: \(String(reflecting: accessToken)), \
            refreshToken: \(refresh), idToken: \(id))
            """
    }
}
