package cliauth

import cliauth.internal.UniffiWithHandle
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.function.Consumer
import cliauth.internal.Client as NativeClient
import cliauth.internal.ClientBuilder as NativeBuilder
import cliauth.internal.Tokens as NativeTokens

/**
 * A client of one authorization server: who asks whom. Made once; all threads may use it. It does no I/O before a login starts.
 *
 * ```
 * val client = Client.authKit("client_123") { product = "my-cli/1.0" }
 * val login = client.login()
 * System.err.print(login.start().text())
 * val tokens = login.poll()
 * ```
 *
 * [close] gives its memory and connections back; logins that were made from it live on. A client that is forgotten is closed by
 * the garbage collector.
 */
public class Client private constructor(private val native: NativeClient) : AutoCloseable {
    /** One attempt to log in. No I/O. Close it when it is over. */
    public fun login(): Login {
        // A handle of its own: a token that comes late is revoked also where this client was closed meanwhile.
        val own = NativeClient(UniffiWithHandle, native.callWithHandle { it })
        return Login(own, own.login())
    }

    /**
     * Trades a refresh token for new tokens (RFC 6749 section 6). One request, never repeated by itself.
     *
     * Many servers, WorkOS among them, retire the token that was sent: store the new [Tokens.refreshToken] before anything else,
     * and never refresh one token from two processes at once. The end of the coroutine ends the request; the token may have
     * been used then.
     *
     * @throws RejectedException the token is dead: log in again
     * @throws NetworkException keep the token and try again; it may have been used if the answer was lost
     * @throws ActionRequiredException log in again, in the browser
     */
    public suspend fun refresh(refreshToken: Secret): Tokens = withContext(threads) { refreshing(refreshToken) { yield() } }

    /**
     * As [refresh], on this thread.
     *
     * @throws InterruptedException the thread was interrupted; the token may have been used
     */
    @Throws(InterruptedException::class)
    public fun refreshBlocking(refreshToken: Secret): Tokens = refreshing(refreshToken, ::throwIfInterrupted)

    /**
     * Ends a token's life (RFC 7009). One request. Revoke the refresh token: servers then drop its access tokens too. A token that
     * the server does not know counts as revoked.
     *
     * @throws UnsupportedException the server has no revocation endpoint (WorkOS has none), or cannot revoke this kind of token
     * @throws NetworkException the token still lives
     */
    public suspend fun revoke(token: Secret): Unit = withContext(threads) { revoking(token) { yield() } }

    /**
     * As [revoke], on this thread.
     *
     * @throws InterruptedException the thread was interrupted; nobody knows whether the token still lives
     */
    @Throws(InterruptedException::class)
    public fun revokeBlocking(token: Secret): Unit = revoking(token, ::throwIfInterrupted)

    override fun close(): Unit = native.close()

    override fun toString(): String = "Client"

    private inline fun refreshing(token: Secret, lookAround: () -> Unit): Tokens {
        // First: nothing is sent for somebody who has left already.
        lookAround()
        calling { native.beginRefresh(token.native) }.use { refresh ->
            var tokens: NativeTokens? = calling { refresh.step(SLICE) }
            while (tokens == null) {
                lookAround()
                tokens = calling { refresh.step(SLICE) }
            }
            return Tokens(tokens)
        }
    }

    private inline fun revoking(token: Secret, lookAround: () -> Unit) {
        lookAround()
        calling { native.beginRevoke(token.native) }.use { revocation ->
            while (!calling { revocation.step(SLICE) }) lookAround()
        }
    }

    /** The four ways to say who is asked. */
    public companion object {
        /**
         * A client of WorkOS AuthKit.
         *
         * @param clientId the client id of the environment, which the dashboard shows
         * @throws InvalidConfigException a setting is wrong
         */
        @JvmSynthetic
        public fun authKit(clientId: String, configure: ClientOptions.() -> Unit): Client =
            build(NativeBuilder.authkit(checked("clientId", clientId)), configure)

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun authKit(clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            authKit(clientId) { configure.accept(this) }

        /**
         * A client of WorkOS Connect.
         *
         * @param domain the AuthKit domain: `acme.authkit.app`, or with `https://`
         * @param clientId the client id of the application
         * @throws InvalidConfigException a setting is wrong
         */
        @JvmSynthetic
        public fun connect(domain: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build(NativeBuilder.connect(checked("domain", domain), checked("clientId", clientId)), configure)

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun connect(domain: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            connect(domain, clientId) { configure.accept(this) }

        /**
         * A client of any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.
         *
         * @param issuer the issuer, exactly as the server writes it
         * @param clientId the id under which the server knows this program
         * @throws InvalidConfigException a setting is wrong
         */
        @JvmSynthetic
        public fun discover(issuer: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build(NativeBuilder.discover(checked("issuer", issuer), checked("clientId", clientId)), configure)

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun discover(issuer: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            discover(issuer, clientId) { configure.accept(this) }

        /**
         * A client of any other server, by its endpoints.
         *
         * @param deviceAuthorization the address of the device authorization endpoint
         * @param token the address of the token endpoint
         * @param clientId the id under which the server knows this program
         * @throws InvalidConfigException a setting is wrong
         */
        @JvmSynthetic
        public fun endpoints(
            deviceAuthorization: String,
            token: String,
            clientId: String,
            configure: ClientOptions.() -> Unit,
        ): Client {
            checked("deviceAuthorization", deviceAuthorization)
            checked("token", token)
            return build(NativeBuilder.endpoints(deviceAuthorization, token, checked("clientId", clientId)), configure)
        }

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun endpoints(
            deviceAuthorization: String,
            token: String,
            clientId: String,
            configure: Consumer<ClientOptions> = Consumer {},
        ): Client = endpoints(deviceAuthorization, token, clientId) { configure.accept(this) }

        private fun build(builder: NativeBuilder, configure: ClientOptions.() -> Unit): Client = builder.use {
            val options = ClientOptions().apply(configure)
            calling {
                options.applyTo(builder)
                Client(builder.build())
            }
        }
    }
}
