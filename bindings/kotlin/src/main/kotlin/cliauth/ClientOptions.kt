package cliauth

import java.time.Duration
import cliauth.internal.ClientBuilder as NativeBuilder

/** How a client secret is sent. */
public enum class ClientAuth {
    /** As specified by the server's metadata, otherwise [CLIENT_SECRET_BASIC]. */
    AUTO,

    /** `client_secret_basic`: HTTP Basic authentication (RFC 6749 section 2.3.1). */
    CLIENT_SECRET_BASIC,

    /** `client_secret_post`: a parameter in the request body. */
    CLIENT_SECRET_POST,
}

/** Whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login. */
public enum class Pkce {
    /**
     * If the server's metadata lists the method `S256`, which only a client by issuer reads. If the server then refuses
     * the first request as invalid, it is sent once more without PKCE.
     */
    AUTO,

    /** Always. Some servers require PKCE although their metadata does not say so. */
    ALWAYS,

    /** Never. */
    NEVER,
}

/**
 * The settings of a [Client]. They are checked when the client is created. An [InvalidConfigException] names the
 * setting that is invalid.
 *
 * A timeout of null means the default.
 */
public class ClientOptions internal constructor() {
    private val scopes = mutableListOf<String>()
    private val params = mutableListOf<Pair<String, String>>()
    private val tokenParams = mutableListOf<Pair<String, String>>()
    private val refreshParams = mutableListOf<Pair<String, String>>()
    private val headers = mutableListOf<Pair<String, String>>()
    private var secret: Pair<Secret, ClientAuth>? = null

    /**
     * The name of the tool and optionally its version, such as `my-cli/1.2`. It is the first part of the User-Agent,
     * and must be a product as defined by RFC 9110 section 10.1.5. The name is shown in the prompt.
     */
    public var product: String? = null

    /**
     * CA certificates in PEM, trusted in addition to those of the operating system. At most 4 MiB. A server that
     * presents one of them itself is accepted too, for example with a self-signed one.
     */
    public var caPem: ByteArray? = null

    /**
     * The proxy for all requests except those to this machine: a URL with the scheme `http`, `https`, `socks5h` or
     * `socks4a` (the proxy resolves names), `socks5` or `socks4` (this machine does), or `socks` (read as `socks5h`).
     * It may contain a user name and a password, percent-encoded. NTLM and Negotiate are not supported. Defaults to
     * `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
     */
    public var proxy: String? = null

    /** Whether a login uses PKCE. Defaults to [Pkce.AUTO]. */
    public var pkce: Pkce = Pkce.AUTO

    /** WorkOS AuthKit only: the base URL of its API, for a test server for example. */
    public var apiBase: String? = null

    /**
     * [Client.forIssuer] only: the URL of the device authorization endpoint, for a server whose metadata lacks it. It
     * takes precedence over that of the metadata.
     */
    public var deviceAuthorizationEndpoint: String? = null

    /**
     * [Client.forIssuer] only: the URL of the token endpoint, for a server whose metadata lacks it. It takes precedence
     * over that of the metadata.
     */
    public var tokenEndpoint: String? = null

    /**
     * [Client.withEndpoints] and [Client.forIssuer] only: the URL of the revocation endpoint (RFC 7009). It takes
     * precedence over that of the metadata.
     */
    public var revocationEndpoint: String? = null

    /**
     * Whether an ID token is verified (OpenID Connect Core section 3.1.3.7). If it is not, its keys are not fetched,
     * nothing in it is checked, and [Tokens.identity] is null. AuthKit issues no ID token. Defaults to true.
     */
    public var verifyIdToken: Boolean = true

    /** Timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds. */
    public var connectTimeout: Duration? = null

    /** Maximum silence of the server within a response. Defaults to 15 seconds. */
    public var readTimeout: Duration? = null

    /** Timeout for a whole request. Defaults to 25 seconds. */
    public var requestTimeout: Duration? = null

    /**
     * Timeout for a whole login, from its first step. The login then ends with [ExpiredException]. By default only the
     * lifetime of the code limits a login.
     */
    public var loginTimeout: Duration? = null

    /** Allows plain http to this machine. For tests and local development only. Defaults to false. */
    public var allowInsecureLoopback: Boolean = false

    /**
     * Adds scopes to request (RFC 6749 section 3.3). No scope is requested by default; many servers issue a refresh
     * token only for `offline_access`. WorkOS AuthKit has no scopes.
     */
    public fun scopes(vararg scopes: String): ClientOptions = apply { this.scopes += scopes }

    /** Adds scopes to request. */
    public fun scopes(scopes: Iterable<String>): ClientOptions = apply { this.scopes += scopes }

    /**
     * Adds a parameter to the device authorization request, such as `audience`. Only `resource` (RFC 8707) may be added
     * more than once. Must not contain secrets.
     */
    public fun param(name: String, value: String): ClientOptions = apply { params += name to value }

    /**
     * Adds a parameter to the token request, which is sent at every poll. Some servers require `resource` (RFC 8707) or
     * `audience` here as well as in the device authorization request. The rules are those of [param].
     */
    public fun tokenParam(name: String, value: String): ClientOptions = apply { tokenParams += name to value }

    /**
     * Adds a parameter to every refresh (RFC 6749 section 6), such as `resource` (RFC 8707 section 2.2). A login does
     * not send it. [RefreshOptions.param] adds one to a single refresh. The rules are those of [param].
     */
    public fun refreshParam(name: String, value: String): ClientOptions = apply { refreshParams += name to value }

    /** Adds a header to every request. It is sent to every server that the settings or the metadata name. */
    public fun header(name: String, value: String): ClientOptions = apply { headers += name to value }

    /**
     * Sets the client secret, for servers that require one. A secret in a distributed program is not confidential. It
     * must not be closed before the client is created.
     */
    @JvmOverloads
    public fun clientSecret(secret: Secret, auth: ClientAuth = ClientAuth.AUTO): ClientOptions =
        apply { this.secret = secret to auth }

    internal fun applyTo(builder: NativeBuilder) {
        scopes.forEach { builder.scope(checked("a scope", it)) }
        params.forEach { (name, value) ->
            builder.param(checked("a parameter's name", name), checked("the parameter $name", value))
        }
        tokenParams.forEach { (name, value) ->
            builder.tokenParam(checked("a parameter's name", name), checked("the parameter $name", value))
        }
        refreshParams.forEach { (name, value) ->
            builder.refreshParam(checked("a parameter's name", name), checked("the parameter $name", value))
        }
        headers.forEach { (name, value) -> builder.header(checked("a header's name", name), checked("the header $name", value)) }
        product?.let { builder.product(checked("product", it)) }
        caPem?.let(builder::caPem)
        proxy?.let { builder.proxy(checked("proxy", it)) }
        if (pkce != Pkce.AUTO) builder.pkce(pkce == Pkce.ALWAYS)
        apiBase?.let { builder.apiBase(checked("apiBase", it)) }
        deviceAuthorizationEndpoint?.let {
            builder.deviceAuthorizationEndpoint(checked("deviceAuthorizationEndpoint", it))
        }
        tokenEndpoint?.let { builder.tokenEndpoint(checked("tokenEndpoint", it)) }
        revocationEndpoint?.let { builder.revocationEndpoint(checked("revocationEndpoint", it)) }
        builder.verifyIdToken(verifyIdToken)
        connectTimeout?.let { builder.connectTimeout(seconds(it)) }
        readTimeout?.let { builder.readTimeout(seconds(it)) }
        requestTimeout?.let { builder.requestTimeout(seconds(it)) }
        loginTimeout?.let { builder.loginTimeout(seconds(it)) }
        builder.allowInsecureLoopback(allowInsecureLoopback)
        secret?.let { (secret, auth) ->
            when (auth) {
                ClientAuth.AUTO -> builder.clientSecret(secret.opened())
                ClientAuth.CLIENT_SECRET_BASIC -> builder.clientSecretBasic(secret.opened())
                ClientAuth.CLIENT_SECRET_POST -> builder.clientSecretPost(secret.opened())
            }
        }
    }
}
