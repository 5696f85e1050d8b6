package cliauth

import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.function.Consumer
import cliauth.internal.Client as NativeClient
import cliauth.internal.ClientBuilder as NativeBuilder
import cliauth.internal.Secret as NativeSecret

/**
 * The settings for one authorization server. Create it once and share it between threads. It does no I/O before a login
 * starts.
 *
 * ```
 * val client = Client.authKit("client_123") { product = "my-cli/1.0" }
 * val login = client.login()
 * System.err.print(login.start().text())
 * val tokens = login.poll()
 * ```
 *
 * [close] frees its memory and connections. The garbage collector closes a client that is no longer referenced.
 */
public class Client private constructor(private val native: NativeClient) : AutoCloseable {
    @Volatile
    private var closed = false

    /**
     * Creates a single login attempt. Does no I/O. The caller should close the login when it is finished.
     *
     * @throws MisuseException the client is closed
     */
    public fun login(): Login = calling(CLOSED) { Login(native.login()) }

    /**
     * Exchanges a refresh token for new tokens (RFC 6749 section 6). This is one request, after discovery if needed. It
     * is never retried automatically. If the response has an ID token, it is verified, for which the keys of the server
     * may have to be fetched.
     *
     * Many servers, including WorkOS, invalidate the token that was sent. Store the new [Tokens.refreshToken] before
     * anything else, and never refresh one token from two processes at once. Cancelling the coroutine aborts the
     * request; the server may already have used the token.
     *
     * @param configure asks for more than new tokens: other scopes, an organization, a resource
     * @throws LoginRequiredException the token is no longer valid; the user must log in again
     * @throws NetworkException keep the token and try again later; if the response was lost, the server may already
     *   have used it
     * @throws ActionRequiredException the user must log in again, in the browser
     * @throws InvalidResponseException the ID token was refused, or the tokens are for another user than
     *   [RefreshOptions.subject]; the server has probably used the token
     * @throws InvalidConfigException an option is invalid; nothing was sent
     * @throws CancelledException the client was closed during the call; the server may already have used the token
     * @throws MisuseException the client or the secret is closed
     */
    public suspend fun refresh(refreshToken: Secret, configure: RefreshOptions.() -> Unit = {}): Tokens {
        val options = RefreshOptions().apply(configure)
        return withContext(threads) { preferringCancellation { refreshing(refreshToken, options) { yield() } } }
    }

    /**
     * Blocking version of [refresh].
     *
     * @throws InterruptedException the thread was interrupted; the server may already have used the token
     */
    @JvmSynthetic
    public fun refreshBlocking(refreshToken: Secret, configure: RefreshOptions.() -> Unit): Tokens {
        val options = RefreshOptions().apply(configure)
        return preferringInterruption { refreshing(refreshToken, options, ::throwIfInterrupted) }
    }

    /** Overload for Java. */
    @JvmOverloads
    @Throws(InterruptedException::class)
    public fun refreshBlocking(refreshToken: Secret, configure: Consumer<RefreshOptions> = Consumer {}): Tokens =
        refreshBlocking(refreshToken) { configure.accept(this) }

    /**
     * Revokes a token (RFC 7009). This is one request, after discovery if needed. Revoke the refresh token: servers
     * then revoke its access tokens too. A token that the server does not know counts as revoked.
     *
     * @throws UnsupportedException the server has no revocation endpoint (WorkOS has none), or cannot revoke this type
     *   of token
     * @throws NetworkException the token is still valid
     * @throws CancelledException the client was closed during the call; it is unknown whether the token is still valid
     * @throws MisuseException the client or the secret is closed
     */
    public suspend fun revoke(token: Secret): Unit = withContext(threads) {
        preferringCancellation { revoking(token) { yield() } }
    }

    /**
     * Blocking version of [revoke].
     *
     * @throws InterruptedException the thread was interrupted; it is unknown whether the token is still valid
     */
    @Throws(InterruptedException::class)
    public fun revokeBlocking(token: Secret): Unit = preferringInterruption { revoking(token, ::throwIfInterrupted) }

    /**
     * Asks the server who the user of an access token is (OpenID Connect Core section 5.3). This is one request, after
     * discovery if needed. The access token must have been issued for the scope `openid`.
     *
     * @param subject the [Identity.subject] of the login, if it is known: a response about another user is refused
     * @throws RejectedException the server does not accept the access token
     * @throws InvalidResponseException the response is about another user
     * @throws UnsupportedException the server has no userinfo endpoint, or it is not known, as with [authKit] and
     *   [withEndpoints]
     * @throws NetworkException the request failed, or the server cannot handle it now
     * @throws InvalidConfigException the access token is empty; nothing was sent
     * @throws CancelledException the client was closed during the call
     * @throws MisuseException the client or the secret is closed
     */
    public suspend fun userInfo(accessToken: Secret, subject: String? = null): Identity = withContext(threads) {
        preferringCancellation { asking(accessToken, subject) { yield() } }
    }

    /**
     * Blocking version of [userInfo].
     *
     * @throws InterruptedException the thread was interrupted
     */
    @JvmOverloads
    @Throws(InterruptedException::class)
    public fun userInfoBlocking(accessToken: Secret, subject: String? = null): Identity =
        preferringInterruption { asking(accessToken, subject, ::throwIfInterrupted) }

    /**
     * Frees the memory and the connections of the client. A request that is under way throws [CancelledException];
     * later calls throw [MisuseException]. Logins of this client remain usable. May be called from any thread and more
     * than once.
     */
    override fun close() {
        closed = true
        native.close()
    }

    override fun toString(): String = "Client"

    private inline fun refreshing(token: Secret, options: RefreshOptions, throwIfEnded: () -> Unit): Tokens {
        val asked = options.toNative()
        return Tokens(requesting(token, { beginRefresh(it, asked) }, { it.step(SLICE) }, throwIfEnded))
    }

    private inline fun revoking(token: Secret, throwIfEnded: () -> Unit) {
        requesting(token, { beginRevoke(it) }, { request -> request.step(SLICE).takeIf { it } }, throwIfEnded)
    }

    private inline fun asking(token: Secret, subject: String?, throwIfEnded: () -> Unit): Identity {
        subject?.let { checked("subject", it) }
        return Identity(requesting(token, { beginUserinfo(it, subject) }, { it.step(SLICE) }, throwIfEnded))
    }

    /** Sends a request that contains [token]. Returns what [step] returns once it is not null. */
    private inline fun <R : AutoCloseable, T : Any> requesting(
        token: Secret,
        begin: NativeClient.(NativeSecret) -> R,
        step: (R) -> T?,
        throwIfEnded: () -> Unit,
    ): T {
        // Checked first, so that a cancelled call sends nothing.
        throwIfEnded()
        if (closed) throw MisuseException(CLOSED)
        calling("the client or the secret is closed") { native.begin(token.opened()) }.use { request ->
            var outcome = calling(CLOSED) { step(request) }
            while (outcome == null) {
                throwIfEnded()
                throwIfClosed()
                outcome = calling(CLOSED) { step(request) }
            }
            return outcome
        }
    }

    private fun throwIfClosed() {
        if (closed) throw CancelledException("the client was closed while a request was under way")
    }

    /** Creates clients. */
    public companion object {
        /**
         * Creates a client for WorkOS AuthKit.
         *
         * @param clientId the client ID of the environment, as shown in the WorkOS dashboard
         * @throws InvalidConfigException a setting is invalid, or the native library cannot be loaded
         */
        @JvmSynthetic
        public fun authKit(clientId: String, configure: ClientOptions.() -> Unit): Client =
            build({ NativeBuilder.authkit(checked("clientId", clientId)) }, configure)

        /** Overload for Java. */
        @JvmStatic
        @JvmOverloads
        public fun authKit(clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            authKit(clientId) { configure.accept(this) }

        /**
         * Creates a client for WorkOS Connect.
         *
         * @param domain the AuthKit domain, such as `acme.authkit.app`, with or without `https://`
         * @param clientId the client ID of the application
         * @throws InvalidConfigException a setting is invalid, or the native library cannot be loaded
         */
        @JvmSynthetic
        public fun workosConnect(domain: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build({ NativeBuilder.workosConnect(checked("domain", domain), checked("clientId", clientId)) }, configure)

        /** Overload for Java. */
        @JvmStatic
        @JvmOverloads
        public fun workosConnect(domain: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            workosConnect(domain, clientId) { configure.accept(this) }

        /**
         * Creates a client for a server that publishes its metadata, as defined by RFC 8414 or else by OpenID Connect
         * Discovery.
         *
         * @param issuer the issuer, exactly as the server writes it
         * @param clientId the client ID
         * @throws InvalidConfigException a setting is invalid, or the native library cannot be loaded
         */
        @JvmSynthetic
        public fun forIssuer(issuer: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build({ NativeBuilder.forIssuer(checked("issuer", issuer), checked("clientId", clientId)) }, configure)

        /** Overload for Java. */
        @JvmStatic
        @JvmOverloads
        public fun forIssuer(issuer: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            forIssuer(issuer, clientId) { configure.accept(this) }

        /**
         * Creates a client for any other server, from its endpoint URLs.
         *
         * @param deviceAuthorization the URL of the device authorization endpoint
         * @param token the URL of the token endpoint
         * @param clientId the client ID
         * @throws InvalidConfigException a setting is invalid, or the native library cannot be loaded
         */
        @JvmSynthetic
        public fun withEndpoints(
            deviceAuthorization: String,
            token: String,
            clientId: String,
            configure: ClientOptions.() -> Unit,
        ): Client {
            checked("deviceAuthorization", deviceAuthorization)
            checked("token", token)
            checked("clientId", clientId)
            return build({ NativeBuilder.withEndpoints(deviceAuthorization, token, clientId) }, configure)
        }

        /** Overload for Java. */
        @JvmStatic
        @JvmOverloads
        public fun withEndpoints(
            deviceAuthorization: String,
            token: String,
            clientId: String,
            configure: Consumer<ClientOptions> = Consumer {},
        ): Client = withEndpoints(deviceAuthorization, token, clientId) { configure.accept(this) }

        private inline fun build(create: () -> NativeBuilder, configure: ClientOptions.() -> Unit): Client {
            NativeCode.load()
            return create().use { builder ->
                val options = ClientOptions().apply(configure)
                calling(SECRET_CLOSED) {
                    options.applyTo(builder)
                    Client(builder.build())
                }
            }
        }
    }
}

private const val CLOSED = "the client is closed"
