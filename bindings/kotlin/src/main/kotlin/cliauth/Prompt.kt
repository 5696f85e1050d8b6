package cliauth

import java.time.Duration
import cliauth.internal.Prompt as NativePrompt

/**
 * The code and the address that the user needs to approve a login (RFC 8628 section 3.2).
 *
 * [text] is safe to print. What is called *raw* is as the server wrote it: show it through [sanitize] only. All threads may use
 * it.
 */
public class Prompt internal constructor(private val native: NativePrompt) : Step {
    /** The code, raw. */
    public val userCode: String get() = native.userCode()

    /** Where the user enters the code, raw. */
    public val verificationUri: String get() = native.verificationUri()

    /** The same address with the code in it, raw; for a link or a QR code. Not every server has one. */
    public val verificationUriComplete: String? get() = native.verificationUriComplete()

    /** How long the code lives, from when it was granted. */
    public val expiresIn: Duration get() = duration(native.expiresIn())

    /** The host that the user is sent to, in ASCII form. */
    public val host: String get() = native.host()

    /** The name of the program that asks, from [ClientOptions.product]. */
    public val product: String? get() = native.product()

    /**
     * The prompt as plain text, in lines of 80 columns: code, address, the program that asks, and a warning. Safe for a terminal,
     * without escape sequences; ends with a line break.
     */
    public fun text(): String = native.text(null)

    /**
     * As above, in lines of other width.
     *
     * @param columns 20 or more
     */
    public fun text(columns: Int): String = native.text(columns.coerceAtLeast(0).toUInt())

    /** The same as standard error can show it: as wide as the terminal, and styled where it supports that. */
    public fun textForStderr(): String = native.textForStderr()

    /**
     * Opens the page in the user's browser. Not over SSH, in CI or without a display, where the user would not see it.
     *
     * @return why it was not opened, or null if it was
     */
    public fun openBrowser(): String? = native.openBrowser()

    override fun toString(): String = "Prompt(host=$host, userCode=${sanitize(userCode)})"
}
