import cliauth.Client
import cliauth.ClientOptions
import com.google.gson.Gson
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.net.ProxySelector
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.time.Duration

/** "At once". What would come late here takes minutes, so that a busy machine cannot be taken for it. */
const val SOON = 20.0

/** Timeout of the clients: none ends a request while a test looks at it. */
private val never: Duration = Duration.ofMinutes(5)

/** The project's test server as a process, by its control interface. */
private object Authserver {
    private val url: String
    private val http = HttpClient.newBuilder().proxy(object : ProxySelector() {
        override fun select(uri: URI) = listOf(java.net.Proxy.NO_PROXY)

        override fun connectFailed(uri: URI, address: java.net.SocketAddress, error: java.io.IOException) = Unit
    }).build()

    init {
        val program = System.getenv("CLI_AUTH_AUTHSERVER")
        checkNotNull(program) { "CLI_AUTH_AUTHSERVER must name the authserver program: cargo build -p authserver" }
        // It ends when this process does.
        val process =
            ProcessBuilder(program, "--listen", "127.0.0.1:0", "--control", "--exit-on-eof")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
        val ready = process.inputReader().readLine()
        check(ready.startsWith("READY ")) { ready }
        url = ready.removePrefix("READY ")
    }

    fun request(method: String, path: String, body: Any? = null): JsonObject? {
        val content = body?.let { HttpRequest.BodyPublishers.ofString(Gson().toJson(it)) }
        val request =
            HttpRequest
                .newBuilder(URI("$url/control/$path"))
                .method(method, content ?: HttpRequest.BodyPublishers.noBody())
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(70))
                .build()
        val answer = http.send(request, HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() < 300) { "$method $path: ${answer.body()}" }
        return answer.body().takeIf(String::isNotEmpty)?.let { JsonParser.parseString(it).asJsonObject }
    }
}

/** A virtual server. The settings are the members of `POST /control/servers`. */
class Server(settings: Map<String, Any?>) : AutoCloseable {
    constructor(vararg settings: Pair<String, Any?>) : this(settings.toMap())

    private val made = Authserver.request("POST", "servers", mapOf("interval" to 1) + settings)!!
    private val id = made["id"].asString
    val url: String = made["url"].asString
    val issuer: String = made["issuer"].asString

    /** A client of this server, as AuthKit. */
    fun client(configure: ClientOptions.() -> Unit = {}): Client = Client.authKit("client_test") {
        apiBase = url
        trust(this)
        configure()
    }

    /** A client that gets refresh tokens and can revoke them. */
    fun issuerClient(
        scopes: List<String> = listOf("openid", "offline_access"),
        configure: ClientOptions.() -> Unit = {},
    ): Client = Client.forIssuer(issuer, "client_test") {
        trust(this)
        scopes(scopes)
        configure()
    }

    fun trust(options: ClientOptions) {
        options.allowInsecureLoopback = true
        options.connectTimeout = never
        options.readTimeout = never
        options.requestTimeout = never
        made["ca_pem"].takeIf { !it.isJsonNull }?.let { options.caPem = it.asString.toByteArray() }
    }

    fun answer(decision: String) {
        Authserver.request("POST", "servers/$id/answer", mapOf("decision" to decision))
    }

    fun script(script: Map<String, Any>) {
        Authserver.request("PUT", "servers/$id/script", script)
    }

    /** The requests at an endpoint, in their order. */
    fun requests(endpoint: String): List<JsonObject> = Authserver
        .request("GET", "servers/$id/log")!!["requests"]
        .asJsonArray
        .map { it.asJsonObject }
        .filter { it["endpoint"].asString == endpoint }

    /** Until so many requests have arrived there; for `connection`, so many connections. */
    fun waitFor(endpoint: String, count: Int = 1) = waitUntil("$count at $endpoint") {
        if (endpoint == "connection") {
            Authserver.request("GET", "servers/$id/log")!!["connections"].asJsonArray.size() >= count
        } else {
            requests(endpoint).size >= count
        }
    }

    override fun close() {
        Authserver.request("DELETE", "servers/$id")
    }
}

/** A server that never answers at one endpoint, or in the TLS handshake. */
fun silentServer(phase: String): Server = if (phase == "connection") {
    Server("tls" to "handshake_hang")
} else {
    Server("script" to mapOf(phase to mapOf("steps" to listOf(mapOf("hang" to "before")), "then" to "repeat")))
}

/** Until [what] comes about. */
fun waitUntil(what: String, isTrue: () -> Boolean) {
    val end = System.nanoTime() + 60_000_000_000
    while (!isTrue()) {
        check(System.nanoTime() < end) { "it did not come about: $what" }
        Thread.sleep(10)
    }
}

/** How long [work] takes, in seconds. */
inline fun seconds(work: () -> Unit): Double {
    val began = System.nanoTime()
    work()
    return (System.nanoTime() - began) / 1e9
}
