package cliauth

import java.time.Duration
import cliauth.internal.ClientBuilder as NativeBuilder

/** How a client secret is sent. */
public enum class ClientAuth {
    /** As the server's metadata says, otherwise as [CLIENT_SECRET_BASIC]. */
    AUTO,

    /** `client_secret_basic`: by HTTP Basic (RFC 6749 section 2.3.1). */
    CLIENT_SECRET_BASIC,

    /** `client_secret_post`: in the body of the request. */
    CLIENT_SECRET_POST,
}

/**
 * The settings of a [Client]. They are checked when the client is made: an [InvalidConfigException] names the one that is wrong.
 *
 * Each timeout limits one kind of wait; null means its default.
 */
public class ClientOptions internal constructor() {
    private val scopes = mutableListOf<String>()
    private val params = mutableListOf<Pair<String, String>>()
    private val headers = mutableListOf<Pair<String, String>>()
    private var secret: Pair<Secret, ClientAuth>? = null

    /**
     * The name and version of your tool, such as `my-cli/1.2`: the first part of the User-Agent, and shown in the prompt. A token
     * and a version as in RFC 9110 section 10.1.5.
     */
    public var product: String? = null

    /**
     * Certificates to trust beside those of the operating system, in PEM. At most 4 MiB.
     */
    public var caPem: ByteArray? = null

    /**
     * The `http://` or `https://` proxy of every request but those to this machine. Without it, `HTTPS_PROXY`, `ALL_PROXY` and
     * `NO_PROXY` are honoured.
     */
    public var proxy: String? = null

    /** WorkOS AuthKit only: another address of its API, such as that of a test server. */
    public var apiBase: String? = null

    /** Explicit endpoints only: where tokens are revoked (RFC 7009). */
    public var revocationEndpoint: String? = null

    /** Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds. */
    public var connectTimeout: Duration? = null

    /** How long a server may be silent within a response. Defaults to 15 seconds. */
    public var readTimeout: Duration? = null

    /** How long one request may take in all. Defaults to 25 seconds. */
    public var requestTimeout: Duration? = null

    /**
     * How long a whole login may take, from its first step; then it ends with [ExpiredException]. Defaults to the lifetime of the
     * code.
     */
    public var loginTimeout: Duration? = null

    /** Allows plain http to this machine. For tests and local development only. */
    public var allowInsecureLoopback: Boolean = false

    /**
     * Asks for these scopes as well (RFC 6749 section 3.3). None by itself: refresh tokens often need `offline_access`. WorkOS
     * AuthKit knows no scopes.
     */
    public fun scopes(vararg scopes: String): ClientOptions = apply { this.scopes += scopes }

    /** Asks for these scopes as well. */
    public fun scopes(scopes: Iterable<String>): ClientOptions = apply { this.scopes += scopes }

    /** Adds a parameter to the device authorization request, such as `audience`. Not for secrets. */
    public fun param(name: String, value: String): ClientOptions = apply { params += name to value }

    /** Adds a header to every request, to every server that the settings or the metadata name. */
    public fun header(name: String, value: String): ClientOptions = apply { headers += name to value }

    /** A client secret, for servers that insist on one. A secret in a program that others run is not confidential. */
    @JvmOverloads
    public fun clientSecret(secret: Secret, auth: ClientAuth = ClientAuth.AUTO): ClientOptions =
        apply { this.secret = secret to auth }

    internal fun applyTo(builder: NativeBuilder) {
        scopes.forEach { builder.scope(checked("a scope", it)) }
        params.forEach { (name, value) ->
            builder.param(checked("a parameter's name", name), checked("the parameter $name", value))
        }
        headers.forEach { (name, value) -> builder.header(checked("a header's name", name), checked("the header $name", value)) }
        product?.let { builder.product(checked("product", it)) }
        caPem?.let(builder::caPem)
        proxy?.let { builder.proxy(checked("proxy", it)) }
        apiBase?.let { builder.apiBase(checked("apiBase", it)) }
        revocationEndpoint?.let { builder.revocationEndpoint(checked("revocationEndpoint", it)) }
        connectTimeout?.let { builder.connectTimeout(seconds(it)) }
        readTimeout?.let { builder.readTimeout(seconds(it)) }
        requestTimeout?.let { builder.requestTimeout(seconds(it)) }
        loginTimeout?.let { builder.loginTimeout(seconds(it)) }
        builder.allowInsecureLoopback(allowInsecureLoopback)
        secret?.let { (secret, auth) ->
            when (auth) {
                ClientAuth.AUTO -> builder.clientSecret(secret.native)
                ClientAuth.CLIENT_SECRET_BASIC -> builder.clientSecretBasic(secret.native)
                ClientAuth.CLIENT_SECRET_POST -> builder.clientSecretPost(secret.native)
            }
        }
    }
}
