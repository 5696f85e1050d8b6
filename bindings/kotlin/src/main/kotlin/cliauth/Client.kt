package cliauth

import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.util.function.Consumer
import cliauth.internal.Client as NativeClient
import cliauth.internal.ClientBuilder as NativeBuilder
import cliauth.internal.Tokens as NativeTokens

/**
 * Holds the settings for one authorization server. Made once; all threads may use it. It does no I/O before a login starts.
 *
 * ```
 * val client = Client.authKit("client_123") { product = "my-cli/1.0" }
 * val login = client.login()
 * System.err.print(login.start().text())
 * val tokens = login.poll()
 * ```
 *
 * [close] frees its memory and connections; logins that were made from it live on. A client that is forgotten is closed by
 * the garbage collector.
 */
public class Client private constructor(private val native: NativeClient) : AutoCloseable {
    /** A single login attempt. Does no I/O. Close it when it is over. */
    public fun login(): Login = Login(native.login())

    /**
     * Trades a refresh token for new tokens (RFC 6749 section 6). One request, never repeated by itself.
     *
     * Many servers, WorkOS among them, retire the token that was sent: store the new [Tokens.refreshToken] before anything else,
     * and never refresh one token from two processes at once. Cancelling the coroutine ends the request; the token may have
     * been used then.
     *
     * @throws RejectedException the token is dead: log in again
     * @throws NetworkException keep the token and try again; it may have been used if the response was lost
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
     * @throws InterruptedException the thread was interrupted; it is unknown whether the token still lives
     */
    @Throws(InterruptedException::class)
    public fun revokeBlocking(token: Secret): Unit = revoking(token, ::throwIfInterrupted)

    override fun close(): Unit = native.close()

    override fun toString(): String = "Client"

    private inline fun refreshing(token: Secret, throwIfCancelled: () -> Unit): Tokens {
        // First: nothing is sent for a call that has ended already.
        throwIfCancelled()
        calling { native.beginRefresh(token.native) }.use { refresh ->
            var tokens: NativeTokens? = calling { refresh.step(SLICE) }
            while (tokens == null) {
                throwIfCancelled()
                tokens = calling { refresh.step(SLICE) }
            }
            return Tokens(tokens)
        }
    }

    private inline fun revoking(token: Secret, throwIfCancelled: () -> Unit) {
        throwIfCancelled()
        calling { native.beginRevoke(token.native) }.use { revocation ->
            while (!calling { revocation.step(SLICE) }) throwIfCancelled()
        }
    }

    /** The four kinds of clients. */
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
        public fun workOSConnect(domain: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build(NativeBuilder.workosConnect(checked("domain", domain), checked("clientId", clientId)), configure)

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun workOSConnect(domain: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            workOSConnect(domain, clientId) { configure.accept(this) }

        /**
         * A client of any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.
         *
         * @param issuer the issuer, exactly as the server writes it
         * @param clientId the id under which the server knows this program
         * @throws InvalidConfigException a setting is wrong
         */
        @JvmSynthetic
        public fun forIssuer(issuer: String, clientId: String, configure: ClientOptions.() -> Unit): Client =
            build(NativeBuilder.forIssuer(checked("issuer", issuer), checked("clientId", clientId)), configure)

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun forIssuer(issuer: String, clientId: String, configure: Consumer<ClientOptions> = Consumer {}): Client =
            forIssuer(issuer, clientId) { configure.accept(this) }

        /**
         * A client of any other server, by its endpoints.
         *
         * @param deviceAuthorization the address of the device authorization endpoint
         * @param token the address of the token endpoint
         * @param clientId the id under which the server knows this program
         * @throws InvalidConfigException a setting is wrong
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
            return build(NativeBuilder.withEndpoints(deviceAuthorization, token, checked("clientId", clientId)), configure)
        }

        /** As above, for Java. */
        @JvmStatic
        @JvmOverloads
        public fun withEndpoints(
            deviceAuthorization: String,
            token: String,
            clientId: String,
            configure: Consumer<ClientOptions> = Consumer {},
        ): Client = withEndpoints(deviceAuthorization, token, clientId) { configure.accept(this) }

        private fun build(builder: NativeBuilder, configure: ClientOptions.() -> Unit): Client = builder.use {
            val options = ClientOptions().apply(configure)
            calling {
                options.applyTo(builder)
                Client(builder.build())
            }
        }
    }
}
