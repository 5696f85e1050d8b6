import cliauth.ActionRequiredException
import cliauth.BusyException
import cliauth.CliAuthException
import cliauth.Client
import cliauth.ClientOptions
import cliauth.DeniedException
import cliauth.ExpiredException
import cliauth.InvalidConfigException
import cliauth.InvalidResponseException
import cliauth.NetworkException
import cliauth.Organization
import cliauth.RejectedException
import cliauth.Secret
import cliauth.TlsException
import cliauth.UnsupportedException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
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
    fun `other ends`() {
        ends<RejectedException>(script("token", mapOf("error" to "invalid_client")))
        ends<InvalidResponseException>(script("token", mapOf("status" to 200, "json" to mapOf("a" to 1))))
        ends<TlsException>("tls" to "untrusted")
        val unreachable = Server().apply { close() }
        assertThrows(NetworkException::class.java) { unreachable.client().login().startBlocking() }
        Server().use { server ->
            val unsupported =
                assertThrows(UnsupportedException::class.java) { server.client().revokeBlocking(Secret("a token")) }
            assertEquals("unsupported", unsupported.kind)
        }
    }

    @Test
    fun `a second driver is told so`() = runBlocking<Unit>(Dispatchers.Default) {
        Server().use { server ->
            server.client().login().use { login ->
                login.start()
                val first = async { login.poll() }
                server.waitFor("device")
                // Until the first one drives.
                waitUntil("a driver") {
                    runCatching { login.stepBlocking(Duration.ZERO) }.exceptionOrNull() is BusyException
                }
                assertThrows(BusyException::class.java) { login.pollBlocking() }
                first.cancelAndJoin()
            }
        }
    }

    @Test
    fun `a wrong setting is named before anything is sent`() {
        val wrong =
            mapOf<String, () -> Unit>(
                "client id" to { Client.authKit("") },
                "scope" to { Client.connect("acme.authkit.app", "x") { scopes("a b") } },
                "proxy" to { Client.authKit("x") { proxy = "ftp://h" } },
                "product" to { Client.authKit("x") { product = "no product" } },
                "header" to { Client.authKit("x") { header("a b", "c") } },
                "certificate" to { Client.authKit("x") { caPem = byteArrayOf(1, 2, 3) } },
                "requestTimeout" to { Client.authKit("x") { requestTimeout = Duration.ofSeconds(-1) } },
                "https" to { Client.discover("http://id.example.com", "x") },
                "clientId" to { Client.authKit("half a pair \uD800") },
                "a secret" to { Secret("\uDC00") },
            )
        for ((word, make) in wrong) {
            val error = assertThrows(InvalidConfigException::class.java, { make() }, word)
            assertTrue(word in error.message!!, "$word in: ${error.message}")
        }
        Server().use { server ->
            val login = server.client().login()
            assertThrows(InvalidConfigException::class.java) { login.stepBlocking(Duration.ofSeconds(-1)) }
            assertEquals(0, server.requests("device").size)
        }
    }

    @Test
    fun `a program can make errors for tests of its own`() {
        val error: CliAuthException = ExpiredException("too late")
        assertEquals("too late", error.message)
        assertNull(error.oauthError)
    }
}
