#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The settings that every ``Client`` takes. One that is wrong makes the call that takes them throw
/// ``CLIAuthError/Kind/invalidConfig``; nothing is checked before.
///
/// Printing and dumping it shows neither the secrets nor the values of headers.
public struct ClientOptions: Sendable {
    /// What to ask for (RFC 6749 section 3.3). Nothing by itself: refresh tokens often need `offline_access`. WorkOS AuthKit knows no
    /// scopes.
    public var scopes: [String]

    /// Extra parameters of the device authorization request, such as `audience`. `resource` (RFC 8707) may be there
    /// more than once, all others once. Not for secrets.
    public var params: [(name: String, value: String)]

    /// Extra headers of every request, to every server that the settings or the metadata name. Their values count as secrets.
    public var headers: [(name: String, value: String)]

    /// Certificates in PEM to trust beside those of the operating system. At most 4 MiB.
    public var caPEM: Data?

    /// The `http://` or `https://` proxy of every request but those to this machine. Without it, `HTTPS_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY` are honoured.
    public var proxy: String?

    /// The program's name and version, such as `my-cli/1.2`: the first part of the User-Agent. The name is shown in the prompt.
    public var product: String?

    /// For servers that insist on one. A secret in a program that others run is not confidential.
    public var clientSecret: Secret?

    /// How the client secret is sent.
    public var clientAuth: ClientAuth

    /// Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
    public var connectTimeout: Duration?

    /// How long a server may be silent within a response. Defaults to 15 seconds.
    public var readTimeout: Duration?

    /// How long one request may take in all. Defaults to 25 seconds. A poll that takes longer counts as lost, and the login goes on.
    public var requestTimeout: Duration?

    /// How long a whole login may take, from its first step; no limit by default. After that it ends with ``CLIAuthError/Kind/expired``.
    public var loginTimeout: Duration?

    /// Allows plain http to this machine. For tests and local development only.
    public var allowInsecureLoopback: Bool

    /// The usual settings, but for those that are given.
    public init(
        scopes: [String] = [],
        params: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        caPEM: Data? = nil,
        proxy: String? = nil,
        product: String? = nil,
        clientSecret: Secret? = nil,
        clientAuth: ClientAuth = .auto,
        connectTimeout: Duration? = nil,
        readTimeout: Duration? = nil,
        requestTimeout: Duration? = nil,
        loginTimeout: Duration? = nil,
        allowInsecureLoopback: Bool = false
    ) {
        self.scopes = scopes
        self.params = params
        self.headers = headers
        self.caPEM = caPEM
        self.proxy = proxy
        self.product = product
        self.clientSecret = clientSecret
        self.clientAuth = clientAuth
        self.connectTimeout = connectTimeout
        self.readTimeout = readTimeout
        self.requestTimeout = requestTimeout
        self.loginTimeout = loginTimeout
        self.allowInsecureLoopback = allowInsecureLoopback
    }
}

/// How a client secret is sent (RFC 6749 section 2.3.1).
public enum ClientAuth: Sendable, Hashable {
    /// As the server's metadata says, otherwise by `client_secret_basic`.
    case auto

    /// `client_secret_basic`: in the `Authorization` header.
    case clientSecretBasic

    /// `client_secret_post`: as a parameter in the body of the request.
    case clientSecretPost
}

extension ClientOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is set, without the secrets.
    public var description: String {
        "ClientOptions(\(shown.map { "\($0.label ?? ""): \($0.value)" }.joined(separator: ", ")))"
    }

    /// As ``description``.
    public var debugDescription: String { description }

    /// What is set, without the secrets.
    public var customMirror: Mirror { Mirror(self, children: shown, displayStyle: .struct) }

    private var shown: [Mirror.Child] {
        let mask = "****"
        let all: [(String, Any?)] = [
            ("scopes", scopes.isEmpty ? nil : scopes),
            ("params", params.isEmpty ? nil : params.map { "\($0.name)=\($0.value)" }),
            ("headers", headers.isEmpty ? nil : headers.map { "\($0.name): \(mask)" }),
            ("caPEM", caPEM.map { "\($0.count) bytes" }),
            // There may be a password in it.
            ("proxy", proxy.map { _ in mask }),
            ("product", product),
            ("clientSecret", clientSecret.map { _ in mask }),
            ("clientAuth", clientAuth),
            ("connectTimeout", connectTimeout),
            ("readTimeout", readTimeout),
            ("requestTimeout", requestTimeout),
            ("loginTimeout", loginTimeout),
            ("allowInsecureLoopback", allowInsecureLoopback),
        ]
        return all.compactMap { label, value in value.map { (label: label, value: $0) } }
    }
}
