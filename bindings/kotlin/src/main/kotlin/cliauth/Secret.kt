package cliauth

import cliauth.internal.Secret as NativeSecret

/**
 * A secret text: a token, or a client secret.
 *
 * It prints as `****` and cannot be serialized. Only [expose] returns the text. The text is stored in native memory,
 * which is overwritten by [close] or after garbage collection. A secret may be shared between threads.
 */
public class Secret internal constructor(private val native: NativeSecret) : AutoCloseable {
    /**
     * Creates a secret from its text, such as a stored refresh token.
     *
     * @throws MisuseException the text contains half a surrogate pair
     */
    public constructor(text: String) : this(create(text))

    /**
     * Returns the secret in clear text. The JVM string cannot be overwritten.
     *
     * @throws MisuseException the secret is closed
     */
    public fun expose(): String = calling(SECRET_CLOSED) { native.expose() }

    /**
     * Overwrites the text, at the end of a call that is using it. Later uses of this secret throw [MisuseException].
     * May be called from any thread and more than once.
     */
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

    /** Returns the native object, for use as an argument. */
    @JvmSynthetic
    internal fun opened(): NativeSecret {
        // The generated module finds it closed as well, but only after it has counted the receiver of the call once
        // more.
        if (native.uniffiIsDestroyed) throw MisuseException(SECRET_CLOSED)
        return native
    }
}

internal const val SECRET_CLOSED = "the secret is closed"

private fun create(text: String): NativeSecret {
    NativeCode.load()
    return NativeSecret(checked("a secret", text))
}
