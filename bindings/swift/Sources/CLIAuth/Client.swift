import CLIAuthNative

/// The settings for one authorization server.
///
/// Every task and thread may use it at once, and it does no I/O before a login starts. It is made by ``authKit(clientID:apiBase:options:)``,
/// ``workOSConnect(domain:clientID:options:)``, ``forIssuer(_:clientID:options:)`` or
/// ``withEndpoints(deviceAuthorization:token:revocation:clientID:options:)``. All of them check every setting and throw
/// ``CLIAuthError/Kind/invalidConfig``, whose message names what is wrong.
///
/// All logins and requests of a client share its connections and one thread of the library, which ends with the last of them.
public struct Client: Sendable {
    let native: CLIAuthNative.Client

    /// WorkOS AuthKit, by the client id of the environment.
    ///
    /// - Parameters:
    ///   - clientID: The id that WorkOS's dashboard shows.
    ///   - apiBase: Another address of WorkOS's API, such as that of a test server.
    ///   - options: The settings that every client takes.
    public static func authKit(
        clientID: String,
        apiBase: String? = nil,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        let builder = ClientBuilder.authkit(clientId: clientID)
        apiBase.map(builder.apiBase(url:))
        return try Client(builder, options)
    }

    /// WorkOS Connect.
    ///
    /// - Parameters:
    ///   - domain: The AuthKit domain: `acme.authkit.app`, or with `https://`.
    ///   - clientID: The id of the application.
    ///   - options: The settings that every client takes.
    public static func workOSConnect(
        domain: String,
        clientID: String,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        try Client(ClientBuilder.workosConnect(domain: domain, clientId: clientID), options)
    }

    /// Any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.
    ///
    /// - Parameters:
    ///   - issuer: The server's issuer, written exactly as the server writes it.
    ///   - clientID: The id under which the server knows this program.
    ///   - options: The settings that every client takes.
    public static func forIssuer(
        _ issuer: String,
        clientID: String,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        try Client(ClientBuilder.forIssuer(issuer: issuer, clientId: clientID), options)
    }

    /// Any server, by its endpoints.
    ///
    /// - Parameters:
    ///   - deviceAuthorization: The address of the device authorization endpoint.
    ///   - token: The address of the token endpoint.
    ///   - revocation: Where tokens are revoked (RFC 7009).
    ///   - clientID: The id under which the server knows this program.
    ///   - options: The settings that every client takes.
    public static func withEndpoints(
        deviceAuthorization: String,
        token: String,
        revocation: String? = nil,
        clientID: String,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        let builder = ClientBuilder.withEndpoints(
            deviceAuthorization: deviceAuthorization,
            token: token,
            clientId: clientID
        )
        revocation.map(builder.revocationEndpoint(url:))
        return try Client(builder, options)
    }

    private init(_ builder: ClientBuilder, _ options: ClientOptions) throws {
        native = try translated {
            try builder.set(options)
            return try builder.build()
        }
    }

    /// A single login attempt. No I/O.
    public func login() -> Login {
        Login(native.login())
    }

    /// Trades a refresh token for new tokens (RFC 6749 section 6): one request, never repeated by itself.
    ///
    /// Many servers, WorkOS among them, retire the token that was sent: store the new ``Tokens/refreshToken`` before anything else,
    /// and never refresh one token from two processes at once.
    ///
    /// - Throws: ``CLIAuthError`` of the kind `rejected` or `actionRequired`: log in again. Of the kind `network`: keep the token and
    ///   try again; it may have been used if the response was lost. `CancellationError` when the task is cancelled, which ends the
    ///   request; the token may have been used then.
    public func refresh(_ refreshToken: Secret) async throws -> Tokens {
        Tokens(
            try await cancellable { cancellation in
                try await native.refreshCancellable(refreshToken: refreshToken.native, cancellation: cancellation)
            }
        )
    }

    /// Ends a token's life (RFC 7009): one request. Revoke the refresh token: servers then drop its access tokens too. A token that
    /// the server does not know counts as revoked.
    ///
    /// - Throws: ``CLIAuthError`` of the kind `unsupported`: the server has no revocation endpoint (WorkOS has none), or cannot
    ///   revoke this kind of token. Of the kind `network`: the token still lives. `CancellationError` when the task is cancelled,
    ///   which ends the request; the token may live on then.
    public func revoke(_ token: Secret) async throws {
        try await cancellable { cancellation in
            try await native.revokeCancellable(token: token.native, cancellation: cancellation)
        }
    }
}

extension Client: CustomStringConvertible, CustomReflectable {
    /// Says nothing of its settings.
    public var description: String { "CLIAuth.Client" }

    /// A mirror that shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Makes a request that the cancellation of this task ends.
private func cancellable<Response>(_ request: (Cancellation) async throws -> Response) async throws -> Response {
    try Task.checkCancellation()
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
        do {
            return try await request(cancellation)
        } catch {
            throw thrown(for: error)
        }
    } onCancel: {
        cancellation.cancel()
    }
}

extension ClientBuilder {
    fileprivate func set(_ options: ClientOptions) throws {
        options.scopes.forEach(scope(scope:))
        for (name, value) in options.params {
            param(name: name, value: value)
        }
        for (name, value) in options.headers {
            header(name: name, value: value)
        }
        options.caPEM.map(caPem(pem:))
        options.proxy.map(proxy(url:))
        options.product.map(product(product:))
        if let secret = options.clientSecret?.native {
            switch options.clientAuth {
            case .auto: clientSecret(secret: secret)
            case .clientSecretBasic: clientSecretBasic(secret: secret)
            case .clientSecretPost: clientSecretPost(secret: secret)
            }
        }
        try (options.connectTimeout?.seconds).map(connectTimeout(limit:))
        try (options.readTimeout?.seconds).map(readTimeout(limit:))
        try (options.requestTimeout?.seconds).map(requestTimeout(limit:))
        try (options.loginTimeout?.seconds).map(loginTimeout(limit:))
        allowInsecureLoopback(allow: options.allowInsecureLoopback)
    }
}
