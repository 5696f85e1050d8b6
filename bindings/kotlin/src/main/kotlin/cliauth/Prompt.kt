package cliauth

import java.time.Duration
import cliauth.internal.Prompt as NativePrompt

/**
 * The code and the address that a person needs to approve a login (RFC 8628 section 3.2).
 *
 * [text] is safe to print. What is called *raw* is as the server wrote it: show it through [sanitize] only. All threads may use
 * it.
 */
public class Prompt internal constructor(private val native: NativePrompt) : Step {
    /** The code, raw. */
    public val userCode: String get() = native.userCode()

    /** Where the person types the code, raw. */
    public val verificationUri: String get() = native.verificationUri()

    /** The same address with the code in it, raw; for a link or a QR code. Not every server has one. */
    public val verificationUriComplete: String? get() = native.verificationUriComplete()

    /** How long the code lives, from when it was granted. */
    public val expiresIn: Duration get() = duration(native.expiresIn())

    /** The host that the person is sent to, in ASCII form. */
    public val host: String get() = native.host()

    /** Who asks, from [ClientOptions.product]. */
    public val asker: String? get() = native.asker()

    /**
     * Everything that the person has to know: code, address, who asks, and a warning. Safe for a terminal, without escape
     * sequences; ends with a line break.
     *
     * @param width columns to break lines at, 20 or more
     */
    @JvmOverloads
    public fun text(width: Int = 80): String = native.text(width.coerceAtLeast(0).toUInt())

    /** The same as standard error can show it: as wide as the terminal, and with styles where it has them. */
    public fun styledText(): String = native.textForStderr()

    /**
     * Opens the page in the person's browser. Not over SSH, in CI or without a display: there it would open where nobody
     * looks.
     *
     * @return why it was not opened, or null if it was
     */
    public fun openBrowser(): String? = native.openBrowser()

    override fun toString(): String = "Prompt(host=$host, userCode=${sanitize(userCode)})"
}
