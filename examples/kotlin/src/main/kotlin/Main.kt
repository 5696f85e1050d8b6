/* Signs a user in from a terminal. A complete example of a tool that uses cliauth; copy it. */

import cliauth.ActionRequiredException
import cliauth.CancelledException
import cliauth.CliAuthException
import cliauth.Client
import cliauth.ClientOptions
import cliauth.DeniedException
import cliauth.ExpiredException
import cliauth.Login
import cliauth.Secret
import kotlinx.coroutines.runBlocking
import sun.misc.Signal
import sun.misc.SignalHandler
import java.io.FileInputStream
import java.io.IOException
import java.time.Duration
import kotlin.concurrent.thread
import kotlin.system.exitProcess

const val VERSION = "0.1.0"

/** Time limit for the end of a cancelled login. Revoking tokens that arrived too late takes up to two seconds. */
private val GRACE = Duration.ofSeconds(3)

/** Maximum size of the certificates in bytes. The library rejects more. */
private const val MOST_CERTIFICATES = 4 * 1024 * 1024

fun main(words: Array<String>) {
    val status =
        try {
            run(words.asList())
        } catch (wrong: Usage) {
            say("login-example: ${wrong.message}\nTry 'login-example --help'.")
            USAGE
        } catch (refused: Refused) {
            say("login-example: ${refused.message}.")
            USAGE
        } catch (_: Closed) {
            // The reader of standard output has closed it.
            1
        }
    exitProcess(status)
}

private fun run(words: List<String>): Int {
    val (command, given) = read(words)
    when {
        "--help" in given -> write(HELP)
        "--version" in given -> write("login-example $VERSION")
        else -> {
            val options = Options(command, given)
            return runBlocking { logIn(options, if (options.json) JsonLines() else Words()) }
        }
    }
    return 0
}

/** Logs in and returns the exit status. */
private suspend fun logIn(options: Options, output: Output): Int {
    options.timeout?.let { leaveAfter(it.plus(GRACE), EXPIRED) }
    val signals = Signals()
    try {
        newClient(options).use { client ->
            client.login().use { login ->
                signals.willCancel(login)
                val prompt = login.start()
                output.prompt(prompt)
                if (!options.json && !options.noBrowser && prompt.openBrowser() == null) {
                    say("A browser should open now. If it does not, open the address yourself.")
                }
                output.authorized(login.poll(output::event))
            }
        }
        return 0
    } catch (wrong: WrongSetting) {
        output.failed(wrong)
        return 1
    } catch (error: CliAuthException) {
        output.failed(error)
        return when (error) {
            is DeniedException -> DENIED
            is ExpiredException -> EXPIRED
            is ActionRequiredException -> ACTION_REQUIRED
            is CancelledException -> SIGNAL + signals.caught
            else -> 1
        }
    }
}

private const val USAGE = 2
private const val DENIED = 3
private const val EXPIRED = 4
private const val ACTION_REQUIRED = 5

/** The exit status after a signal is this value plus the number of the signal. */
private const val SIGNAL = 128

private fun newClient(options: Options): Client {
    val settings: ClientOptions.() -> Unit = {
        product = "login-example/$VERSION"
        apiBase = options.apiBase
        revocationEndpoint = options.revocationEndpoint
        caPem = options.caFile?.let(::readCertificates)
        loginTimeout = options.timeout
        allowInsecureLoopback = options.insecureLoopback
        pkce = options.pkce
        scopes(options.scopes)
        options.params.forEach { (name, value) -> param(name, value) }
        options.tokenParams.forEach { (name, value) -> tokenParam(name, value) }
        options.headers.forEach { (name, value) -> header(name, value) }
        options.clientSecretEnv?.let { clientSecret(readSecret(it)) }
    }
    val id = options.clientId
    return when (options.provider) {
        Provider.AUTHKIT -> Client.authKit(id, settings)
        Provider.CONNECT -> Client.workosConnect(options.domain, id, settings)
        Provider.OIDC -> Client.forIssuer(options.issuer, id) {
            settings()
            deviceAuthorizationEndpoint = options.deviceEndpoint
            tokenEndpoint = options.tokenEndpoint
        }
        Provider.ENDPOINTS ->
            Client.withEndpoints(options.deviceEndpoint.orEmpty(), options.tokenEndpoint.orEmpty(), id, settings)
    }
}

/** An invalid setting that this tool detected itself. */
class WrongSetting(override val message: String) : Exception(message)

private fun readCertificates(path: String): ByteArray = try {
    FileInputStream(path).use { it.readNBytes(MOST_CERTIFICATES + 1) }
} catch (error: IOException) {
    throw WrongSetting("cannot read ${error.message}")
}

private fun readSecret(variable: String): Secret {
    val text = System.getenv(variable)
    if (text == null || '\uFFFD' in text) throw WrongSetting("the variable $variable is not set to a text")
    return Secret(text)
}

/**
 * The first Ctrl-C or SIGTERM cancels the login, which then ends by itself. A second one ends the program immediately.
 */
private class Signals : SignalHandler {
    @Volatile
    var caught = 0
        private set

    @Volatile
    private var login: Login? = null

    init {
        for (signal in SIGNALS) Signal.handle(signal, this)
    }

    /** Sets the login to cancel. Cancels it immediately if a signal has already been received. */
    fun willCancel(login: Login) {
        this.login = login
        if (caught != 0) login.cancel()
    }

    override fun handle(signal: Signal) {
        for (each in SIGNALS) Signal.handle(each, SignalHandler.SIG_DFL)
        caught = signal.number
        leaveAfter(GRACE, SIGNAL + signal.number)
        login?.cancel()
    }

    private companion object {
        val SIGNALS = listOf(Signal("INT"), Signal("TERM"))
    }
}

/** Ends the program after [limit], even if it is blocked on a full pipe that is not read. */
private fun leaveAfter(limit: Duration, status: Int) {
    thread(isDaemon = true) {
        Thread.sleep(limit.toMillis())
        Runtime.getRuntime().halt(status)
    }
}
