import cliauth.CliAuthException
import cliauth.Event
import cliauth.Prompt
import cliauth.Tokens
import cliauth.sanitize
import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.NativeLong
import com.sun.jna.Platform
import java.io.FileDescriptor
import java.io.FileOutputStream
import java.io.IOException

/** The output of the tool. */
interface Output {
    fun prompt(prompt: Prompt)

    fun event(event: Event)

    fun authorized(tokens: Tokens)

    fun failed(error: CliAuthException)

    fun failed(wrong: WrongSetting)
}

/** Output for users: the result on standard output, everything else on standard error. */
class Words : Output {
    /** Whether the countdown is the last line on the screen. */
    private var counting = false

    /** Found out late: if JNA cannot be loaded, the package's own error says why. */
    private val inPlace by lazy { Terminal.canRewrite() }

    override fun prompt(prompt: Prompt) = show(prompt.textForStderr())

    override fun event(event: Event) = when (event) {
        is Event.Pending -> countDown(event.expiresIn.seconds)
        is Event.SlowedDown ->
            line("The server asked to slow down. Polling every ${event.interval.seconds} s from now on.")
        is Event.Retrying -> line("No valid response (${event.reason}). Trying again in ${event.retryIn.seconds} s.")
        is Event.Resumed -> line("The computer was suspended.")
        is Event.IdentityUnverified -> line("Note: ${event.message}.")
    }

    override fun authorized(tokens: Tokens) {
        endCountDown()
        write(tokens.identity?.let { "Logged in as ${sanitize(it.subject)}." } ?: "Logged in.")
    }

    override fun failed(error: CliAuthException) {
        line("Not logged in: ${error.message}.")
        error.organizations?.forEach { line("  ${sanitize(it.id)}  ${sanitize(it.name)}") }
        error.requestId?.let { line("Request ID: $it") }
    }

    override fun failed(wrong: WrongSetting) = line("Not logged in: ${wrong.message}.")

    /** Updates the countdown, or prints one line where nothing can be rewritten. */
    private fun countDown(left: Long) {
        if (inPlace) {
            show("\rWaiting for your approval, $left s left. ")
        } else if (!counting) {
            say("Waiting for your approval.")
        }
        counting = true
    }

    private fun endCountDown() {
        if (counting && inPlace) say("")
        counting = false
    }

    private fun line(text: String) {
        endCountDown()
        say(text)
    }
}

/** The terminal on standard error. The JVM knows only those on standard input and output, and not their size. */
private object Terminal {
    private const val NEEDED_COLUMNS = 48

    /** The request for the window size: `TIOCGWINSZ` on Linux and on macOS. */
    private val windowSize = NativeLong(if (Platform.isMac()) 0x40087468 else 0x5413)

    /** Returns whether a line can be rewritten. `ACCESSIBLE` is what users of screen readers set. */
    fun canRewrite(): Boolean {
        val isDumb = System.getenv("TERM").let { it.isNullOrEmpty() || it == "dumb" }
        return !isDumb && System.getenv("ACCESSIBLE").isNullOrEmpty() && columns() >= NEEDED_COLUMNS
    }

    private fun columns(): Int {
        val size = ShortArray(4)
        val process = Native.load(Process::class.java)
        return if (process.ioctl(2, windowSize, size) == 0) size[1].toUShort().toInt() else 0
    }

    private interface Process : Library {
        fun ioctl(descriptor: Int, request: NativeLong, vararg arguments: Any?): Int
    }
}

/** Output for programs: one JSON object per line on standard output. */
class JsonLines : Output {
    override fun prompt(prompt: Prompt) = line(
        "prompt",
        "user_code" to prompt.userCode,
        "verification_uri" to prompt.verificationUri,
        "verification_uri_complete" to prompt.verificationUriComplete,
        "expires_in" to prompt.expiresIn,
    )

    override fun event(event: Event) = when (event) {
        is Event.Pending -> line("pending", "next_poll_in" to event.nextPollIn, "expires_in" to event.expiresIn)
        is Event.SlowedDown -> line("slowed_down", "interval" to event.interval)
        is Event.Retrying ->
            line("retrying", "reason" to event.reason, "attempt" to event.attempt, "retry_in" to event.retryIn)
        is Event.Resumed -> line("resumed", "suspended_for" to event.suspendedFor)
        is Event.IdentityUnverified -> line("identity_unverified", "message" to event.message)
    }

    override fun authorized(tokens: Tokens) = line(
        "authorized",
        "token_type" to tokens.tokenType,
        "expires_in" to tokens.expiresIn,
        "scope" to tokens.scopes,
        "has_refresh_token" to (tokens.refreshToken != null),
        "has_id_token" to (tokens.idToken != null),
        "subject" to tokens.identity?.subject,
        "saved" to null,
    )

    override fun failed(error: CliAuthException) = line(
        "error",
        "kind" to error.kind,
        "oauth_error" to error.oauthError,
        "message" to error.message,
        "http_status" to error.httpStatus,
        "request_id" to error.requestId,
        "organizations" to error.organizations?.map { mapOf("id" to it.id, "name" to it.name) },
        "claims" to error.claims,
    )

    override fun failed(wrong: WrongSetting) = line(
        "error",
        "kind" to "invalid_config",
        "oauth_error" to null,
        "message" to wrong.message,
        "http_status" to null,
        "request_id" to null,
        "organizations" to null,
        "claims" to null,
    )

    private fun line(event: String, vararg members: Pair<String, Any?>) = write(json(linkedMapOf("event" to event, *members)))
}

/** The reader of standard output has closed it. */
class Closed : Exception()

private val out = FileOutputStream(FileDescriptor.out)
private val err = FileOutputStream(FileDescriptor.err)

/** Writes a line to standard output without buffering. `System.out` would hide that the reader has closed it. */
fun write(line: String) = try {
    out.write("$line\n".toByteArray())
} catch (_: IOException) {
    throw Closed()
}

/** Writes a line to standard error. */
fun say(line: String) = show("$line\n")

private fun show(text: String) = try {
    err.write(text.toByteArray())
} catch (_: IOException) {
    // Standard error may be closed, which is not an error.
}
