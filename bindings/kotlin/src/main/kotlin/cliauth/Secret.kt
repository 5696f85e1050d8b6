package cliauth

import cliauth.internal.Secret as NativeSecret

/**
 * A secret text: a token, or a client secret.
 *
 * It prints as `****` and cannot be serialized. Only [expose] returns the text. The text is stored in native memory, which is
 * overwritten by [close] or after garbage collection. A secret may be shared between threads.
 */
public class Secret internal constructor(@get:JvmSynthetic internal val native: NativeSecret) : AutoCloseable {
    /**
     * Creates a secret from its text, such as a stored refresh token.
     *
     * @throws MisuseException the text contains half a surrogate pair
     */
    public constructor(text: String) : this(NativeSecret(checked("a secret", text)))

    /** Returns the secret in clear text. The JVM string cannot be overwritten. */
    public fun expose(): String = native.expose()

    /** Overwrites the text. [expose] throws [IllegalStateException] afterwards. */
    override fun close(): Unit = native.close()

    /** Compares the texts. A closed secret equals only itself. The comparison does not take constant time. */
    override fun equals(other: Any?): Boolean = this === other || (other is Secret && hasTextOf(other))

    private fun hasTextOf(other: Secret): Boolean = try {
        native == other.native
    } catch (_: IllegalStateException) {
        false
    }

    /** Returns the same value for all secrets, because a hash would reveal information about the text. */
    override fun hashCode(): Int = 0

    override fun toString(): String = "****"
}
