import CLIAuthNative

/// The settings for one authorization server.
///
/// A client may be shared between tasks and threads. It does no I/O before its first request. Create one with
/// ``authKit(clientID:apiBase:options:)``, ``workOSConnect(domain:clientID:options:)``,
/// ``forIssuer(_:clientID:deviceAuthorizationEndpoint:tokenEndpoint:revocationEndpoint:options:)`` or
/// ``withEndpoints(deviceAuthorization:token:revocation:clientID:options:)``. Each checks all settings and throws
/// ``CLIAuthError/Kind/invalidConfig`` if one is invalid. The message names that setting.
///
/// All logins and requests of a client share its connections and one thread of the library, which ends with the last of
/// them.
public struct Client: Sendable {
    let native: CLIAuthNative.Client

    /// Creates a client for WorkOS AuthKit.
    ///
    /// - Parameters:
    ///   - clientID: The client ID of the environment, as shown in the WorkOS dashboard.
    ///   - apiBase: The base URL of the WorkOS API, for a test server for example. Defaults to the WorkOS API.
    ///   - options: The settings common to all clients.
    /// - Throws: ``CLIAuthError`` of the kind `invalidConfig`.
    public static func authKit(
        clientID: String,
        apiBase: String? = nil,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        let builder = ClientBuilder.authkit(clientId: clientID)
        apiBase.map(builder.apiBase(url:))
        return try Client(builder, options)
    }

    /// Creates a client for WorkOS Connect.
    ///
    /// - Parameters:
    ///   - domain: The AuthKit domain, such as `acme.authkit.app`, with or without `https://`.
    ///   - clientID: The client ID of the application.
    ///   - options: The settings common to all clients.
    /// - Throws: ``CLIAuthError`` of the kind `invalidConfig`.
    public static func workOSConnect(
        domain: String,
        clientID: String,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        try Client(ClientBuilder.workosConnect(domain: domain, clientId: clientID), options)
    }

    /// Creates a client for a server that publishes its metadata, as defined by RFC 8414 or else by OpenID Connect
    /// Discovery.
    ///
    /// - Parameters:
    ///   - issuer: The issuer, exactly as the server writes it.
    ///   - clientID: The client ID.
    ///   - deviceAuthorizationEndpoint: The URL of the device authorization endpoint, for a server whose metadata lacks
    ///     it. It takes precedence over that of the metadata.
    ///   - tokenEndpoint: The URL of the token endpoint. It takes precedence over that of the metadata.
    ///   - revocationEndpoint: The URL of the revocation endpoint (RFC 7009). It takes precedence over that of the
    ///     metadata.
    ///   - options: The settings common to all clients.
    /// - Throws: ``CLIAuthError`` of the kind `invalidConfig`.
    public static func forIssuer(
        _ issuer: String,
        clientID: String,
        deviceAuthorizationEndpoint: String? = nil,
        tokenEndpoint: String? = nil,
        revocationEndpoint: String? = nil,
        options: ClientOptions = ClientOptions()
    ) throws -> Client {
        let builder = ClientBuilder.forIssuer(issuer: issuer, clientId: clientID)
        deviceAuthorizationEndpoint.map(builder.deviceAuthorizationEndpoint(url:))
        tokenEndpoint.map(builder.tokenEndpoint(url:))
        revocationEndpoint.map(builder.revocationEndpoint(url:))
        return try Client(builder, options)
    }

    /// Creates a client for any other server, from its endpoint URLs.
    ///
    /// - Parameters:
    ///   - deviceAuthorization: The URL of the device authorization endpoint.
    ///   - token: The URL of the token endpoint.
    ///   - revocation: The URL of the revocation endpoint (RFC 7009).
    ///   - clientID: The client ID.
    ///   - options: The settings common to all clients.
    /// - Throws: ``CLIAuthError`` of the kind `invalidConfig`.
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

    /// Creates a single login attempt. Does no I/O.
    public func login() -> Login {
        Login(native.login())
    }

    /// Exchanges a refresh token for new tokens (RFC 6749 section 6).
    ///
    /// This is one request, after discovery if needed. It is never retried automatically. If the response has an ID
    /// token, it is verified, for which the keys of the server may have to be fetched.
    ///
    /// Many servers, including WorkOS, invalidate the token that was sent. Store the new ``Tokens/refreshToken`` before
    /// anything else, and never refresh one token from two processes at once.
    ///
    /// - Parameters:
    ///   - refreshToken: The refresh token.
    ///   - options: What to ask for besides new tokens: other scopes, an organization, a resource. Defaults to nothing
    ///     else.
    /// - Throws: ``CLIAuthError``. On `loginRequired` and `actionRequired`, the user must log in again. On `network`,
    ///   keep the token and try again later; if the response was lost, the server may already have used the token. On
    ///   `invalidResponse`, the ID token was refused, or the tokens are for another user than
    ///   ``RefreshOptions/subject``; the server has probably used the token. On `invalidConfig`, the token is empty or
    ///   an option cannot be used, and nothing was sent. `CancellationError` if the task is cancelled, which aborts the
    ///   request; the server may already have used the token.
    public func refresh(_ refreshToken: Secret, options: RefreshOptions = RefreshOptions()) async throws -> Tokens {
        Tokens(
            try await cancellable { cancellation in
                try await native.refreshCancellable(
                    refreshToken: refreshToken.native,
                    options: options.native,
                    cancellation: cancellation
                )
            }
        )
    }

    /// Asks the server who the user of an access token is (OpenID Connect Core section 5.3).
    ///
    /// This is one request, after discovery if needed. The access token must have been issued for the scope `openid`.
    ///
    /// - Parameters:
    ///   - accessToken: The access token.
    ///   - subject: The ``Identity/subject`` of the login, if it is known. A response about another user is refused.
    /// - Throws: ``CLIAuthError``. On `rejected`, the server does not accept the access token. On `invalidResponse`,
    ///   the response is about another user. On `unsupported`, the server has no userinfo endpoint, or it is not known,
    ///   as with AuthKit and explicit endpoints. On `network`, the request failed or the server cannot handle it now.
    ///   On `invalidConfig`, the access token is empty, and nothing was sent. `CancellationError` if the task is
    ///   cancelled, which aborts the request.
    public func userInfo(for accessToken: Secret, subject: String? = nil) async throws -> Identity {
        Identity(
            try await cancellable { cancellation in
                try await native.userinfoCancellable(
                    accessToken: accessToken.native,
                    subject: subject,
                    cancellation: cancellation
                )
            }
        )
    }

    /// Revokes a token (RFC 7009).
    ///
    /// This is one request, after discovery if needed. Revoke the refresh token: servers then revoke its access tokens
    /// too. A token that the server does not know counts as revoked.
    ///
    /// - Throws: ``CLIAuthError``. On `unsupported`, the server has no revocation endpoint (WorkOS has none), or cannot
    ///   revoke this type of token. On `network`, the token is still valid. `CancellationError` if the task is
    ///   cancelled, which aborts the request; the token may still be valid.
    public func revoke(_ token: Secret) async throws {
        try await cancellable { cancellation in
            try await native.revokeCancellable(token: token.native, cancellation: cancellation)
        }
    }
}

extension Client: CustomStringConvertible, CustomReflectable {
    /// The name of the type, without any setting.
    public var description: String { "CLIAuth.Client" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Makes a request that is aborted when this task is cancelled.
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
        for (name, value) in options.tokenParams {
            tokenParam(name: name, value: value)
        }
        for (name, value) in options.refreshParams {
            refreshParam(name: name, value: value)
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
        verifyIdToken(verify: options.verifyIDToken)
        switch options.pkce {
        case .auto: break
        case .always: pkce(always: true)
        case .never: pkce(always: false)
        }
        try (options.connectTimeout?.seconds).map(connectTimeout(limit:))
        try (options.readTimeout?.seconds).map(readTimeout(limit:))
        try (options.requestTimeout?.seconds).map(requestTimeout(limit:))
        try (options.loginTimeout?.seconds).map(loginTimeout(limit:))
        allowInsecureLoopback(allow: options.allowInsecureLoopback)
    }
}
