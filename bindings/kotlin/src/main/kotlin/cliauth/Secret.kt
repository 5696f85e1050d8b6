package cliauth

import cliauth.internal.Secret as NativeSecret

/**
 * A secret text: a token, or a client secret.
 *
 * It prints as `****` and cannot be serialized; [expose] is the only way out. The text lies in native memory, which is
 * overwritten by [close], or after it became garbage. All threads may use it.
 */
public class Secret internal constructor(@get:JvmSynthetic internal val native: NativeSecret) : AutoCloseable {
    /**
     * Takes a secret text, such as a refresh token that was stored.
     *
     * @throws MisuseException the text contains half a surrogate pair
     */
    public constructor(text: String) : this(NativeSecret(checked("a secret", text)))

    /** The secret in clear text: a string of the JVM, which cannot be overwritten. */
    public fun expose(): String = native.expose()

    /** Overwrites the text. After that, [expose] throws [IllegalStateException]. */
    override fun close(): Unit = native.close()

    /** Whether both are the same text; one that was closed equals itself alone. It does not take constant time. */
    override fun equals(other: Any?): Boolean = this === other || (other is Secret && hasTextOf(other))

    private fun hasTextOf(other: Secret): Boolean = try {
        native == other.native
    } catch (_: IllegalStateException) {
        false
    }

    /** The same for all: a hash would tell something of the text. */
    override fun hashCode(): Int = 0

    override fun toString(): String = "****"
}
