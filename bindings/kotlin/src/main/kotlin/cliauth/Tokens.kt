package cliauth

import java.time.Duration
import java.time.Instant
import cliauth.internal.Tokens as NativeTokens

/**
 * The tokens that the server issued (RFC 6749 section 5.1).
 *
 * Who logged in is the [identity]. The access token is for its API, and the library does not look into it. Properties
 * that are documented as untrusted must pass through [sanitize] before they are printed. The object may be shared
 * between threads. [close] overwrites its secrets; otherwise they are overwritten after garbage collection.
 */
public class Tokens internal constructor(@get:JvmSynthetic internal val native: NativeTokens) :
    Progress,
    AutoCloseable {
    /** The access token. Send it over TLS, and only to the API that it was issued for. */
    public val accessToken: Secret = Secret(native.accessToken())

    /**
     * The token for [Client.refresh], or null if the server issued none. Many servers issue one only for the scope
     * `offline_access`. If a refresh response contains no new refresh token, this is the previous one.
     */
    public val refreshToken: Secret? = native.refreshToken()?.let(::Secret)

    /**
     * The OpenID Connect ID token as it was received, for a service that verifies it itself. It was verified if there
     * is an [identity] and the server is not AuthKit.
     */
    public val idToken: Secret? = native.idToken()?.let(::Secret)

    /** The token type as spelled by the server: `Bearer` in any letter case. */
    public val tokenType: String get() = read { tokenType() }

    /**
     * The granted scopes, in the server's order. If the response names no scope, these are the requested scopes (RFC
     * 6749 section 5.1), or null if the client requested none.
     */
    public val scopes: List<String>? get() = read { scopes() }

    /**
     * The lifetime of the access token at the time it was issued. Null if it is unknown; treat the token neither as
     * expired nor as valid forever.
     */
    public val expiresIn: Duration? get() = read { expiresIn() }?.let(::duration)

    /**
     * The expiry time of the access token, or null if it is unknown. It is counted by this machine's clock from before
     * the request was sent. If the server named no lifetime, it is the `exp` claim of a JWT access token.
     */
    public val expiresAt: Instant?
        get() = read { expiresAt() }?.let { Instant.EPOCH.plus(duration(it)) }

    /**
     * The user who logged in. Null if the server did not say, or if its ID token was not verified.
     *
     * With [Client.authKit], this is the user of the response. With [Client.forIssuer] and [Client.workosConnect], it
     * is the verified ID token, which servers issue for the scope `openid`. If the keys for it could not be fetched,
     * [Event.IdentityUnverified] came before the tokens. With [Client.withEndpoints], nothing is known about the keys.
     */
    public val identity: Identity? get() = read { identity() }?.let(::Identity)

    /** The names of all other members of the response, sorted. Untrusted. */
    public val otherNames: List<String> get() = read { otherNames() }

    /**
     * Returns another member of the response as raw JSON, or null if it has no such member. JSON strings include their
     * quotes.
     */
    public fun other(name: String): Secret? = read { other(checked("a name", name)) }?.let(::Secret)

    /**
     * Overwrites the secrets of this object. Later uses of them, and of the other properties, throw [MisuseException].
     * May be called from any thread and more than once.
     */
    override fun close() {
        accessToken.close()
        refreshToken?.close()
        idToken?.close()
        native.close()
    }

    override fun toString(): String = "Tokens(****)"

    private inline fun <T> read(property: NativeTokens.() -> T): T = calling("these tokens are closed") { native.property() }
}
