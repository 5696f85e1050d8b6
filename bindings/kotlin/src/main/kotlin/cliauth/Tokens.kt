package cliauth

import java.time.Duration
import java.time.Instant
import cliauth.internal.Tokens as NativeTokens

/**
 * The tokens that the server issued (RFC 6749 section 5.1).
 *
 * Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all. What is called *raw* is
 * shown through [sanitize] only. All threads may use it. [close] overwrites the secrets in it; otherwise that happens after it
 * became garbage.
 */
public class Tokens internal constructor(@get:JvmSynthetic internal val native: NativeTokens) :
    Step,
    AutoCloseable {
    /** The token for the API. */
    public val accessToken: Secret = Secret(native.accessToken())

    /** The token for [Client.refresh], if the server issued one: many require the scope `offline_access` for it. */
    public val refreshToken: Secret? = native.refreshToken()?.let(::Secret)

    /** The OpenID Connect ID token. Unverified: do not trust what it says before you verified it. */
    public val idToken: Secret? = native.idToken()?.let(::Secret)

    /** Some spelling of `Bearer`. */
    public val tokenType: String get() = native.tokenType()

    /** What was granted; null if the server does not say, and then it is what was asked for. */
    public val scopes: List<String>? get() = native.scopes()

    /** The access token's lifetime when it was issued. */
    public val expiresIn: Duration? get() = native.expiresIn()?.let(::duration)

    /** When the access token expires, by this machine's clock. */
    public val expiresAt: Instant?
        get() = native.expiresAt()?.let { Instant.EPOCH.plus(duration(it)) }

    /** WorkOS AuthKit: the id of the user, raw. */
    public val userId: String? get() = native.userId()

    /** WorkOS AuthKit: the id of the organization, raw. */
    public val organizationId: String? get() = native.organizationId()

    /** The names of all other members of the response, sorted. */
    public val otherNames: List<String> get() = native.otherNames()

    /** Any other member of the response, as raw JSON: a text has its quotes. */
    public fun other(name: String): Secret? = native.other(checked("a name", name))?.let(::Secret)

    override fun close() {
        accessToken.close()
        refreshToken?.close()
        idToken?.close()
        native.close()
    }

    override fun toString(): String = "Tokens(****)"
}
