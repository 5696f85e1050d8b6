package cliauth

import java.time.Duration
import cliauth.internal.Prompt as NativePrompt

/**
 * The code and the URL that the user needs to approve a login (RFC 8628 section 3.2).
 *
 * [text] is safe to print. Properties that are documented as untrusted are unchanged from the server; call [sanitize]
 * before printing them. A prompt may be shared between threads.
 */
public class Prompt internal constructor(private val native: NativePrompt) : Progress {
    /** The code that the user compares or enters. Untrusted. */
    public val userCode: String get() = native.userCode()

    /** The URL where the user enters the code. Untrusted. */
    public val verificationUri: String get() = native.verificationUri()

    /**
     * The verification URL that includes the code, for a link or a QR code. Null if the server sent none. Untrusted.
     */
    public val verificationUriComplete: String? get() = native.verificationUriComplete()

    /** The lifetime of the code, counted from before the request was sent. */
    public val expiresIn: Duration get() = duration(native.expiresIn())

    /** The host of the verification URL, in ASCII form. */
    public val host: String get() = native.host()

    /** The name of the program, from [ClientOptions.product] without the version. */
    public val product: String? get() = native.product()

    /**
     * Returns the prompt as plain text, wrapped at 80 columns: code, URL, name of the program and a warning. URLs are
     * never wrapped. The text is safe to print on a terminal, contains no escape sequences, and ends with a newline.
     */
    public fun text(): String = native.text(null)

    /**
     * Returns the prompt as plain text, wrapped at [columns].
     *
     * @param columns the width; values below 24 count as 24
     */
    public fun text(columns: Int): String = native.text(columns.coerceAtLeast(0).toUInt())

    /**
     * Returns the prompt formatted for standard error. If that is a terminal, the text is as wide as the terminal and
     * the code is bold. `NO_COLOR` and `TERM=dumb` are honoured.
     */
    public fun textForStderr(): String = native.textForStderr()

    /**
     * Opens the verification page in the user's browser. A browser is started only if standard error is a terminal, the
     * program runs neither over SSH nor in a CI job, and a display is available. `BROWSER`, if set, is tried first,
     * also over SSH and without a display.
     *
     * @return null if a browser was started, otherwise the reason why not, as text for the user
     */
    public fun openBrowser(): String? = native.openBrowser()

    override fun toString(): String = "Prompt(host=$host, userCode=${sanitize(userCode)})"
}
