import cliauth.Pkce
import java.time.Duration

/** The command line is invalid. */
class Usage(override val message: String) : Exception(message)

/** The command line is valid, but this tool cannot do what it says. */
class Refused(override val message: String) : Exception(message)

val HELP =
    """
    usage: login-example [COMMAND] --provider PROVIDER --client-id ID [OPTION]...

    Logs you in, in a browser on this or another device. The command is login, which may be left out, or
    token, status or logout, which need a stored login.

      --provider PROVIDER       authkit (WorkOS AuthKit), connect (WorkOS Connect; needs --domain),
                                oidc (any server that publishes its metadata; needs --issuer),
                                endpoints (any other; needs --device-endpoint and --token-endpoint)
      --client-id ID            how the server knows this tool
      --api-base URL            authkit: another address of the WorkOS API
      --domain HOST_OR_URL      connect: the AuthKit domain
      --issuer URL              oidc: the issuer, exactly as the server writes it
      --device-endpoint URL     endpoints: where a login begins; oidc: if the metadata lacks it
      --token-endpoint URL      endpoints: where the tokens come from; oidc: if the metadata lacks it
      --revocation-endpoint URL endpoints: where tokens are revoked; oidc: if the metadata lacks it
      --client-secret-env NAME  the environment variable that holds a client secret
      --scope S                 a scope to ask for; may be repeated
      --param K=V               an extra parameter of the device authorization request (token: of a refresh);
                                may be repeated
      --token-param K=V         an extra parameter of the token request; may be repeated
      --pkce MODE               auto (if the server's metadata lists it), always or never
      --header 'NAME: VALUE'    an extra header of every request; may be repeated
      --ca-file PEM             certificates to trust beside those of the system
      --insecure-loopback       allow plain http to this machine, for tests
      --app NAME                the program that the stored login belongs to
      --profile NAME            the name of the stored login
      --store STORE             where to store the login: auto, keyring, file or none; this tool can only use
                                none, the default
      --json                    print one JSON object a line on standard output, and nothing else
      --no-browser              login: do not open a browser
      --timeout SECONDS         login: give up after this time
      --begin                   login: store the login and end after the prompt
      --resume                  login: go on with the login that --begin stored
      --min-validity SECONDS    token: how long the token must be valid
      --refused-env NAME        token: the variable with a token that was refused
      --help, --version         print this, or the version
    """.trimIndent()

private val COMMANDS = setOf("login", "token", "status", "logout")
private val FLAGS =
    setOf("--insecure-loopback", "--json", "--no-browser", "--begin", "--resume", "--help", "--version")
private val SETTINGS =
    setOf(
        "--provider", "--client-id", "--api-base", "--domain", "--issuer", "--device-endpoint", "--token-endpoint",
        "--revocation-endpoint", "--client-secret-env", "--scope", "--param", "--token-param", "--pkce", "--header",
        "--ca-file", "--timeout", "--app", "--profile", "--store", "--min-validity", "--refused-env",
    )

private val STORES = setOf("auto", "keyring", "file", "none")

/** Options that only one command has. */
private val COMMAND_OPTIONS =
    mapOf(
        "login" to listOf("--no-browser", "--timeout", "--begin", "--resume"),
        "token" to listOf("--min-validity", "--refused-env"),
    )

/** Returns the command, which is `login` by default, and the arguments by option. */
fun read(words: List<String>): Pair<String, Map<String, List<String>>> {
    val given = mutableMapOf<String, MutableList<String>>()
    val named = words.firstOrNull()?.takeUnless { it.startsWith("-") }
    val command = named ?: "login"
    if (command !in COMMANDS) throw Usage("there is no '$command'; the command is login, token, status or logout")
    val rest = words.drop(if (named == null) 0 else 1).iterator()
    while (rest.hasNext()) {
        val word = rest.next()
        val name = word.substringBefore("=")
        val values = given.getOrPut(name, ::mutableListOf)
        when (name) {
            in FLAGS -> if (name != word) throw Usage("$name takes no value")
            !in SETTINGS -> throw Usage("there is no '$word' here")
            else ->
                values += when {
                    name != word -> word.substringAfter("=")
                    rest.hasNext() -> rest.next()
                    else -> throw Usage("$name needs a value")
                }
        }
    }
    return command to given
}

enum class Provider { AUTHKIT, CONNECT, OIDC, ENDPOINTS }

/** Options of some providers: the providers that accept the option, and the one that requires it. */
private val PROVIDER_OPTIONS =
    listOf(
        Triple("--api-base", listOf(Provider.AUTHKIT), null),
        Triple("--domain", listOf(Provider.CONNECT), Provider.CONNECT),
        Triple("--issuer", listOf(Provider.OIDC), Provider.OIDC),
        Triple("--device-endpoint", listOf(Provider.ENDPOINTS, Provider.OIDC), Provider.ENDPOINTS),
        Triple("--token-endpoint", listOf(Provider.ENDPOINTS, Provider.OIDC), Provider.ENDPOINTS),
        Triple("--revocation-endpoint", listOf(Provider.ENDPOINTS, Provider.OIDC), null),
    )

/** The parsed command line. */
class Options(private val command: String, private val given: Map<String, List<String>>) {
    val provider: Provider = provider(needed("--provider"))
    val clientId: String = needed("--client-id")
    val apiBase: String? = last("--api-base")
    val domain: String get() = needed("--domain")
    val issuer: String get() = needed("--issuer")
    val deviceEndpoint: String? = last("--device-endpoint")
    val tokenEndpoint: String? = last("--token-endpoint")
    val revocationEndpoint: String? = last("--revocation-endpoint")
    val clientSecretEnv: String? = last("--client-secret-env")
    val scopes: List<String> = given["--scope"].orEmpty()
    val params: List<Pair<String, String>> = pairs("--param", '=', "NAME=VALUE")
    val tokenParams: List<Pair<String, String>> = pairs("--token-param", '=', "NAME=VALUE")
    val pkce: Pkce = last("--pkce")?.let(::pkce) ?: Pkce.AUTO
    val headers: List<Pair<String, String>> =
        pairs("--header", ':', "'Name: value'").map { (name, value) -> name.trim() to value.trim() }
    val caFile: String? = last("--ca-file")
    val timeout: Duration? = last("--timeout")?.let(::seconds)
    val insecureLoopback: Boolean = "--insecure-loopback" in given
    val json: Boolean = "--json" in given
    val noBrowser: Boolean = "--no-browser" in given

    init {
        for ((owner, options) in COMMAND_OPTIONS.filterKeys { it != command }) {
            options.find { it in given }?.let { throw Usage("$it is for $owner") }
        }
        for ((option, owners, needing) in PROVIDER_OPTIONS) {
            if (option in given && provider !in owners) {
                throw Usage("$option is for --provider ${owners.joinToString(" and ") { it.name.lowercase() }}")
            }
            if (option !in given && provider == needing) throw Usage("--provider ${provider.name.lowercase()} needs $option")
        }
        checkStore(last("--store") ?: "none")
    }

    /** Refuses what needs a stored login, because this tool does not store any. */
    private fun checkStore(store: String) {
        val pending = listOf("--begin", "--resume").filter { it in given }
        when {
            store !in STORES -> throw Usage("--store: write auto, keyring, file or none")
            pending.size == 2 -> throw Usage("--begin and --resume cannot be used together")
            store != "none" -> throw Refused("this tool cannot store a login yet, so --store must be none")
            command != "login" -> throw Refused("$command needs a stored login, and --store is none")
            pending.isNotEmpty() -> throw Usage("${pending.first()} needs a store, and --store is none")
        }
    }

    private fun last(option: String): String? = given[option]?.last()

    private fun needed(option: String): String = last(option) ?: throw Usage("$option is missing")

    private fun pairs(option: String, separator: Char, form: String): List<Pair<String, String>> = given[option].orEmpty().map {
        if (separator !in it) throw Usage("$option: write it as $form")
        it.substringBefore(separator) to it.substringAfter(separator)
    }
}

private fun provider(word: String): Provider = Provider.entries.find { it.name.lowercase() == word }
    ?: throw Usage("--provider: there is no '$word'; it is authkit, connect, oidc or endpoints")

private fun pkce(word: String): Pkce = Pkce.entries.find { it.name.lowercase() == word }
    ?: throw Usage("--pkce: write auto, always or never")

private const val MILLIS = 1e3

private fun seconds(word: String): Duration {
    // Excludes the notations that only Java accepts: "1f", "0x1p3", "NaN".
    val number = word.takeIf { it.all { c -> c in "+-.0123456789eE" } }?.toDoubleOrNull()
    if (number == null || !(number > 0) || number.isInfinite()) throw Usage("--timeout: give a number of seconds above 0")
    // Longer than any wait, and within the range of every clock.
    val millis = minOf(number, 1e12) * MILLIS
    return Duration.ofMillis(maxOf(millis.toLong(), 1))
}
