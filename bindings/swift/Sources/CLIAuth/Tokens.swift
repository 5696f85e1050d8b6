import CLIAuthNative

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The tokens that the server issued (RFC 6749 section 5.1).
///
/// Who logged in is the ``identity``. The access token is for its API, and the library does not look into it. Printing
/// and dumping the value shows no secret. Properties that are documented as untrusted must pass through
/// ``sanitize(_:)`` before they are printed.
public struct Tokens: Sendable {
    /// The access token. Send it as `"Bearer \(tokens.accessToken.expose())"`, over TLS, and only to the API that it
    /// was issued for.
    public let accessToken: Secret

    /// The token for ``Client/refresh(_:options:)``, or `nil` if the server issued none. Many servers issue one only
    /// for the scope `offline_access`. If a refresh response contains no new refresh token, this is the previous one.
    public let refreshToken: Secret?

    /// The OpenID Connect ID token as it was received, for a service that verifies it itself. It was verified if there
    /// is an ``identity`` and the server is not AuthKit.
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

    /// The user who logged in. `nil` if the server did not say, or if its ID token was not verified.
    ///
    /// With AuthKit, this is the user of the response. With
    /// ``Client/forIssuer(_:clientID:deviceAuthorizationEndpoint:tokenEndpoint:revocationEndpoint:options:)`` and
    /// ``Client/workOSConnect(domain:clientID:options:)``, it is the verified ID token, which servers issue for the
    /// scope `openid`. If the keys for it could not be fetched, ``Event/identityUnverified(message:)`` came before the
    /// tokens. With explicit endpoints, nothing is known about the keys.
    public let identity: Identity?

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
        identity = native.identity().map(Identity.init)
        var other: [String: Secret] = [:]
        for name in native.otherNames() {
            other[name] = native.other(name: name).map(Secret.init)
        }
        self.other = other
    }
}

extension Tokens: CustomStringConvertible {
    /// The token type, which tokens are present, without their text, and the subject of the user.
    public var description: String {
        let refresh = refreshToken.map(String.init(reflecting:)) ?? "nil"
        let id = idToken.map(String.init(reflecting:)) ?? "nil"
        return """
            Tokens(tokenType: \(sanitize(tokenType)), accessToken: \(String(reflecting: accessToken)), \
            refreshToken: \(refresh), idToken: \(id), identity: \(identity?.description ?? "nil"))
            """
    }
}
