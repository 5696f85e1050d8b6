#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The settings common to all ``Client``s.
///
/// They are checked when a client is created. If a setting is invalid, that call throws
/// ``CLIAuthError/Kind/invalidConfig``.
///
/// Printing and dumping the options shows neither secrets nor header values nor the proxy.
public struct ClientOptions: Sendable {
    /// The scopes to request (RFC 6749 section 3.3). No scope is requested by default; many servers issue a refresh
    /// token only for `offline_access`. WorkOS AuthKit has no scopes.
    public var scopes: [String]

    /// Extra parameters of the device authorization request, such as `audience`. Only `resource` (RFC 8707) may occur
    /// more than once. Must not contain secrets.
    public var params: [(name: String, value: String)]

    /// Extra parameters of the token request, which is sent at every poll. Some servers require `resource` (RFC 8707)
    /// or `audience` here as well as in ``params``, whose rules apply.
    public var tokenParams: [(name: String, value: String)]

    /// Extra parameters of every refresh (RFC 6749 section 6), such as `resource` (RFC 8707 section 2.2). A login does
    /// not send them. ``RefreshOptions/params`` adds some to a single refresh. The rules of ``params`` apply.
    public var refreshParams: [(name: String, value: String)]

    /// Whether an ID token is verified (OpenID Connect Core section 3.1.3.7). If it is not, its keys are not fetched,
    /// nothing in it is checked, and ``Tokens/identity`` is `nil`. AuthKit issues no ID token. Defaults to `true`.
    public var verifyIDToken: Bool

    /// Extra headers of every request. They are sent to every server that the settings or the metadata name. Their
    /// values are treated as secrets.
    public var headers: [(name: String, value: String)]

    /// CA certificates in PEM, trusted in addition to those of the operating system. At most 4 MiB. A server that
    /// presents one of them itself is accepted too, for example with a self-signed one.
    public var caPEM: Data?

    /// The proxy for all requests except those to this machine: a URL with the scheme `http`, `https`, `socks5h` or
    /// `socks4a` (the proxy resolves names), `socks5` or `socks4` (this machine does), or `socks` (read as `socks5h`).
    /// It may contain a user name and a password, percent-encoded. NTLM and Negotiate are not supported. Defaults to
    /// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    public var proxy: String?

    /// The name of the program and optionally its version, such as `my-cli/1.2`. It is the first part of the
    /// User-Agent. The name is shown in the prompt.
    public var product: String?

    /// The client secret, for servers that require one. A secret in a distributed program is not confidential.
    public var clientSecret: Secret?

    /// How the client secret is sent. Defaults to ``ClientAuth/auto``.
    public var clientAuth: ClientAuth

    /// Whether a login uses PKCE. Defaults to ``PKCE/auto``.
    public var pkce: PKCE

    /// Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
    public var connectTimeout: Duration?

    /// Maximum silence of the server within a response. Defaults to 15 seconds.
    public var readTimeout: Duration?

    /// Timeout for a whole request. Defaults to 25 seconds. If a poll times out, the login continues with another poll.
    public var requestTimeout: Duration?

    /// Timeout for a whole login, from its first step. The login then ends with ``CLIAuthError/Kind/expired``. By
    /// default only the lifetime of the code limits a login.
    public var loginTimeout: Duration?

    /// Allows plain http to this machine. For tests and local development only. Defaults to `false`.
    public var allowInsecureLoopback: Bool

    /// Creates options. Every omitted argument has its default.
    public init(
        scopes: [String] = [],
        params: [(name: String, value: String)] = [],
        tokenParams: [(name: String, value: String)] = [],
        refreshParams: [(name: String, value: String)] = [],
        verifyIDToken: Bool = true,
        headers: [(name: String, value: String)] = [],
        caPEM: Data? = nil,
        proxy: String? = nil,
        product: String? = nil,
        clientSecret: Secret? = nil,
        clientAuth: ClientAuth = .auto,
        pkce: PKCE = .auto,
        connectTimeout: Duration? = nil,
        readTimeout: Duration? = nil,
        requestTimeout: Duration? = nil,
        loginTimeout: Duration? = nil,
        allowInsecureLoopback: Bool = false
    ) {
        self.scopes = scopes
        self.params = params
        self.tokenParams = tokenParams
        self.refreshParams = refreshParams
        self.verifyIDToken = verifyIDToken
        self.headers = headers
        self.caPEM = caPEM
        self.proxy = proxy
        self.product = product
        self.clientSecret = clientSecret
        self.clientAuth = clientAuth
        self.pkce = pkce
        self.connectTimeout = connectTimeout
        self.readTimeout = readTimeout
        self.requestTimeout = requestTimeout
        self.loginTimeout = loginTimeout
        self.allowInsecureLoopback = allowInsecureLoopback
    }
}

/// How a client secret is sent (RFC 6749 section 2.3.1).
public enum ClientAuth: Sendable, Hashable {
    /// As specified by the server's metadata, otherwise `client_secret_basic`.
    case auto

    /// `client_secret_basic`: in the `Authorization` header.
    case clientSecretBasic

    /// `client_secret_post`: a parameter in the request body.
    case clientSecretPost
}

/// Whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login.
public enum PKCE: Sendable, Hashable {
    /// If the server's metadata lists the method `S256`, which only a client by issuer reads. If the server then
    /// refuses the first request as invalid, it is sent once more without PKCE.
    case auto

    /// Always. Some servers require PKCE although their metadata does not say so.
    case always

    /// Never.
    case never
}

extension ClientOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The settings, without secrets.
    public var description: String {
        "ClientOptions(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// The settings, without secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }

    private var shown: [Mirror.Child] {
        let mask = "****"
        let all: [(String, Any?)] = [
            ("scopes", scopes.isEmpty ? nil : scopes),
            ("params", params.isEmpty ? nil : params.map { "\($0.name)=\($0.value)" }),
            ("tokenParams", tokenParams.isEmpty ? nil : tokenParams.map { "\($0.name)=\($0.value)" }),
            ("refreshParams", refreshParams.isEmpty ? nil : refreshParams.map { "\($0.name)=\($0.value)" }),
            ("verifyIDToken", verifyIDToken),
            ("headers", headers.isEmpty ? nil : headers.map { "\($0.name): \(mask)" }),
            ("caPEM", caPEM.map { "\($0.count) bytes" }),
            // The URL may contain a password.
            ("proxy", proxy.map { _ in mask }),
            ("product", product),
            ("clientSecret", clientSecret.map { _ in mask }),
            ("clientAuth", clientAuth),
            ("pkce", pkce),
            ("connectTimeout", connectTimeout),
            ("readTimeout", readTimeout),
            ("requestTimeout", requestTimeout),
            ("loginTimeout", loginTimeout),
            ("allowInsecureLoopback", allowInsecureLoopback),
        ]
        return all.compactMap { label, value in value.map { (label: label, value: $0) } }
    }
}
