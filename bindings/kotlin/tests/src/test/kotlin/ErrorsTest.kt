import cliauth.ActionRequiredException
import cliauth.CancelledException
import cliauth.CliAuthException
import cliauth.Client
import cliauth.ClientOptions
import cliauth.DeniedException
import cliauth.Event
import cliauth.ExpiredException
import cliauth.InvalidConfigException
import cliauth.InvalidResponseException
import cliauth.MisuseException
import cliauth.NetworkException
import cliauth.Organization
import cliauth.RejectedException
import cliauth.Secret
import cliauth.TlsException
import cliauth.UnsupportedException
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration

class ErrorsTest {
    /** What a login at a server with these settings ends with, by both ways of waiting. */
    private inline fun <reified E : CliAuthException> ends(
        vararg settings: Pair<String, Any?>,
        noinline configure: ClientOptions.() -> Unit = {},
    ): E {
        val login: (Server) -> cliauth.Login = { it.client(configure).login() }
        Server(*settings).use { server ->
            assertThrows(E::class.java) {
                login(server).use {
                    it.startBlocking()
                    it.pollBlocking()
                }
            }
        }
        return Server(*settings).use { server ->
            assertThrows(E::class.java) {
                runBlocking {
                    login(server).use {
                        it.start()
                        it.poll()
                    }
                }
            }
        }
    }

    private fun script(endpoint: String, step: Map<String, Any?>) = "script" to mapOf(endpoint to listOf(step))

    @Test
    fun `the person said no`() {
        val error = ends<DeniedException>("answer" to "deny")
        assertEquals("denied", error.kind)
        assertEquals("access_denied", error.oauthError)
        assertEquals(400, error.httpStatus)
        assertTrue(error.requestId!!.isNotEmpty())
        assertNull(error.organizations)
    }

    @Test
    fun `the time ran out`() {
        assertEquals("expired", ends<ExpiredException>("expires_in" to 2).kind)
        ends<ExpiredException> { loginTimeout = Duration.ofMillis(300) }
    }

    @Test
    fun `an organization has to be chosen`() {
        val error =
            ends<ActionRequiredException>(
                script(
                    "token",
                    mapOf(
                        "status" to 403,
                        "json" to
                            mapOf(
                                "code" to "organization_selection_required",
                                "message" to "Choose an organization.",
                                "pending_authentication_token" to "a pending token that is secret",
                                "organizations" to listOf(mapOf("id" to "org_1", "name" to "Acme")),
                            ),
                    ),
                ),
            )
        assertEquals("organization_selection_required", error.oauthError)
        assertEquals(listOf(Organization("org_1", "Acme")), error.organizations)
        assertEquals("a pending token that is secret", error.pendingAuthenticationToken?.expose())
    }

    @Test
    fun `every member of the response is there as it came`() {
        val body = mapOf("error" to "invalid_client", "suberror" to "bad_token", "more" to mapOf("a" to listOf(1, null)))
        val error = ends<RejectedException>(script("token", mapOf("status" to 400, "json" to body)))
        assertEquals(listOf("error", "more", "suberror"), error.members.keys.toList())
        assertEquals("\"bad_token\"", error.members["suberror"]?.expose())
        assertEquals("""{"a":[1,null]}""", error.members["more"]?.expose())
        assertNull(error.members["no such member"])
        val page = mapOf("status" to 400, "body" to "<html>", "content_type" to "text/html")
        assertEquals(emptyMap<String, Secret>(), ends<InvalidResponseException>(script("device", page)).members)
    }

    @Test
    fun `a failed poll has the ID of its request`() {
        val steps = listOf(mapOf("status" to 502, "body" to "", "headers" to mapOf("x-request-id" to "req-1")))
        Server("answer" to "approve", "script" to mapOf("token" to steps)).use { server ->
            server.client().login().use { login ->
                val events = mutableListOf<Event>()
                login.startBlocking()
                login.pollBlocking { events += it }
                val retrying = events.filterIsInstance<Event.Retrying>().single()
                assertEquals("http_502", retrying.reason)
                assertEquals("req-1", retrying.requestId)
            }
        }
    }

    @Test
    fun `the technical cause`() {
        val lost = ends<NetworkException>(script("device", mapOf("reset" to "before")))
        assertEquals("Connection reset by peer (os error 104)", lost.detail)
        assertFalse(lost.message!!.contains("os error"))
    }

    @Test
    fun `start after a failure throws its exception`() = Server("answer" to "deny").use<Server, Unit> { server ->
        server.client().login().use { denied ->
            denied.startBlocking()
            assertThrows(DeniedException::class.java) { denied.pollBlocking() }
            assertThrows(DeniedException::class.java) { denied.startBlocking() }
            assertThrows(DeniedException::class.java) { runBlocking { denied.start() } }
            assertNotNull(denied.prompt)
        }
        server.client().login().use { cancelled ->
            cancelled.startBlocking()
            cancelled.cancel()
            assertThrows(CancelledException::class.java) { runBlocking { cancelled.start() } }
            assertThrows(CancelledException::class.java) { cancelled.startBlocking() }
        }
    }

    @Test
    fun `other ends`() {
        ends<RejectedException>(script("token", mapOf("error" to "invalid_client")))
        ends<InvalidResponseException>(script("token", mapOf("status" to 200, "json" to mapOf("a" to 1))))
        ends<TlsException>("tls" to "untrusted")
        val unreachable = Server().apply { close() }
        assertThrows(NetworkException::class.java) { unreachable.client().login().startBlocking() }
        Server().use { server ->
            val unsupported =
                assertThrows(UnsupportedException::class.java) { server.client().revokeBlocking(Secret("a-token")) }
            assertEquals("unsupported", unsupported.kind)
        }
    }

    @Test
    fun `a wrong setting is named before anything is sent`() {
        val wrong =
            mapOf<String, () -> Unit>(
                "client id" to { Client.authKit("") },
                "scope" to { Client.workosConnect("acme.authkit.app", "x") { scopes("a b") } },
                "proxy" to { Client.authKit("x") { proxy = "ftp://h" } },
                "product" to { Client.authKit("x") { product = "no product" } },
                "header" to { Client.authKit("x") { header("a b", "c") } },
                "certificate" to { Client.authKit("x") { caPem = byteArrayOf(1, 2, 3) } },
                "request timeout" to { Client.authKit("x") { requestTimeout = Duration.ofSeconds(-1) } },
                "https" to { Client.forIssuer("http://id.example.com", "x") },
                "grant_type" to { Client.authKit("x") { refreshParam("grant_type", "a") } },
                "audience is there twice" to { Client.authKit("x") { repeat(2) { refreshParam("audience", "a") } } },
                "device authorization endpoint" to { Client.authKit("x") { deviceAuthorizationEndpoint = "https://h/device" } },
                "token endpoint" to { Client.workosConnect("acme.authkit.app", "x") { tokenEndpoint = "https://h/token" } },
                "revocation endpoint" to { Client.authKit("x") { revocationEndpoint = "https://h/revoke" } },
            )
        for ((word, make) in wrong) {
            val error = assertThrows(InvalidConfigException::class.java, { make() }, word)
            assertTrue(word in error.message!!, "$word in: ${error.message}")
        }
    }

    @Test
    fun `a call that makes no sense does nothing`() = Server().use { server ->
        val login = server.client().login()
        val senseless =
            mapOf<String, () -> Unit>(
                "poll was called before start" to { runBlocking { login.poll() } },
                "before start" to { login.pollBlocking() },
                "maxWait" to { runBlocking { login.step(Duration.ofSeconds(-1)) } },
                "maxWait must not be negative" to { login.stepBlocking(Duration.ofNanos(-1)) },
                "clientId" to { Client.authKit("half a pair \uD800") },
                "a secret" to { Secret("\uDC00") },
                "the parameter audience" to { Client.authKit("x") { refreshParam("audience", "\uD800") } },
                "tokenEndpoint" to { Client.forIssuer("https://h", "x") { tokenEndpoint = "https://h/\uD800" } },
            )
        for ((words, call) in senseless) {
            val error = assertThrows(MisuseException::class.java, { call() }, words)
            assertTrue(words in error.message!!, "$words in: ${error.message}")
            assertEquals("misuse", error.kind)
        }
        assertEquals(0, server.requests("device").size)
        login.startBlocking()
        login.close()
    }

    @Test
    fun `a program can make errors for tests of its own`() {
        val error: CliAuthException = ExpiredException("too late")
        assertEquals("too late", error.message)
        assertNull(error.oauthError)
    }
}
