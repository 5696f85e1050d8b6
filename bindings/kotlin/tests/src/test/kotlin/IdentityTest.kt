import cliauth.Client
import cliauth.Event
import cliauth.Identity
import cliauth.InvalidConfigException
import cliauth.InvalidResponseException
import cliauth.MisuseException
import cliauth.Progress
import cliauth.RejectedException
import cliauth.Secret
import cliauth.Tokens
import cliauth.UnsupportedException
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private val ADA =
    mapOf("id" to "user_ada", "email" to "ada@example.org", "first_name" to "Ada", "last_name" to "Lovelace", "age" to 36)

private val ALL = listOf("openid", "profile", "email", "offline_access")

class IdentityTest {
    private fun adasServer(vararg settings: Pair<String, Any?>) = Server(mapOf("answer" to "approve", "user" to ADA) + settings)

    private fun Client.tokens(): Tokens = login().use { login ->
        login.startBlocking()
        login.pollBlocking()
    }

    /** The parameters of the last request there. */
    private fun Server.form(endpoint: String): List<Pair<String, String>> = requests(endpoint)
        .last()["form"]
        .asJsonArray
        .map { it.asJsonArray }
        .map { it[0].asString to it[1].asString }

    @Test
    fun `the user of AuthKit`() {
        val decision = mapOf("decision" to "approve", "organization_id" to "org_1")
        val organizations = listOf(mapOf("id" to "org_1", "name" to "Acme"), mapOf("id" to "org_2", "name" to "Other"))
        adasServer("answer" to decision, "organizations" to organizations).use { server ->
            val client = server.client()
            val tokens = client.tokens()
            val user = tokens.identity!!
            assertEquals("user_ada", user.subject)
            assertEquals("ada@example.org", user.email)
            assertEquals(true, user.emailVerified)
            assertEquals("Ada Lovelace", user.name)
            assertEquals("org_1", user.organizationId)
            assertEquals("36", user.claims["age"])
            assertEquals("\"user_ada\"", user.claims["id"])
            assertEquals(user.claims.keys.sorted(), user.claims.keys.toList())
            // Another organization of the same user.
            val moved =
                client.refreshBlocking(tokens.refreshToken!!) {
                    subject = user.subject
                    param("organization_id", "org_2")
                }
            assertEquals("org_2", moved.identity?.organizationId)
            assertThrows(UnsupportedException::class.java) { client.userInfoBlocking(tokens.accessToken) }
            tokens.close()
            assertThrows(MisuseException::class.java) { tokens.identity }
            assertEquals("user_ada", user.subject, "it remains usable")
        }
    }

    @Test
    fun `the user of an ID token`() = adasServer().use<Server, Unit> { server ->
        val user = server.issuerClient(ALL).tokens().identity!!
        assertEquals("user_ada", user.subject)
        assertEquals("ada@example.org", user.email)
        assertEquals(true, user.emailVerified)
        assertEquals("Ada Lovelace", user.name)
        assertNull(user.organizationId)
        assertEquals("\"${server.issuer}\"", user.claims["iss"])
        assertEquals(1, server.requests("jwks").size)

        val little = server.issuerClient().tokens().identity!!
        assertEquals("user_ada", little.subject)
        assertEquals(listOf(null, null, null), listOf(little.email, little.emailVerified, little.name))
        assertNull(server.issuerClient(listOf("offline_access")).tokens().identity, "the server did not say")
    }

    @Test
    fun `nothing prints who it is, beyond the subject`() = adasServer().use<Server, Unit> { server ->
        val tokens = server.issuerClient(ALL).tokens()
        assertEquals("Identity(subject=user_ada)", tokens.identity.toString())
        assertEquals("Identity(subject=user_ada)", String.format("%s", tokens.identity))
        for (shown in listOf("$tokens", "${mapOf("a" to tokens.identity)}", "${Result.success(tokens.identity)}")) {
            assertFalse("ada@" in shown || "Lovelace" in shown, shown)
        }
        adasServer("user" to mapOf("id" to "user\u001b[2J")).use { other ->
            assertFalse('\u001b' in "${other.client().tokens().identity}")
        }
    }

    @Test
    fun `an ID token that is not verified says nothing`() = adasServer().use<Server, Unit> { server ->
        server.issuerClient(ALL) { verifyIdToken = false }.use { client ->
            val tokens = client.tokens()
            assertNotNull(tokens.idToken)
            assertNull(tokens.identity)
            assertEquals(0, server.requests("jwks").size)
            val user = client.userInfoBlocking(tokens.accessToken)
            assertEquals("user_ada", user.subject)
        }
    }

    @Test
    fun `an ID token of another signer ends the login`() {
        adasServer("id_token" to mapOf("signature" to "bad")).use { server ->
            assertThrows(InvalidResponseException::class.java) { server.issuerClient(ALL).tokens() }
        }
    }

    @Test
    fun `without the keys there is an event, and no identity`() {
        val withoutKeys = listOf(mapOf("real" to true, "remove" to listOf("jwks_uri")))
        val script = mapOf("discovery_oauth" to mapOf("steps" to withoutKeys, "then" to "repeat"))
        adasServer("script" to script).use { server ->
            fun assertTold(progress: List<Progress>) {
                val told = progress.filterIsInstance<Event.IdentityUnverified>().single()
                assertTrue("jwks_uri" in told.message, told.message)
            }
            server.issuerClient(ALL).login().use { login ->
                val events = mutableListOf<Event>()
                login.startBlocking()
                val tokens = login.pollBlocking { events += it }
                assertTold(events)
                assertNotNull(tokens.idToken)
                assertNull(tokens.identity)
            }
            server.issuerClient(ALL).login().use { login ->
                val steps = runBlocking { login.steps().toList() }
                assertTold(steps)
                assertTrue(steps[steps.size - 2] is Event.IdentityUnverified, "$steps")
                assertNull((steps.last() as Tokens).identity)
            }
        }
    }

    @Test
    fun `the server is asked who the user is`() = adasServer().use<Server, Unit> { server ->
        val client = server.issuerClient(ALL)
        val tokens = client.tokens()
        val subject = tokens.identity!!.subject
        val asked: List<Identity> =
            listOf(
                client.userInfoBlocking(tokens.accessToken),
                client.userInfoBlocking(tokens.accessToken, subject),
                runBlocking { client.userInfo(tokens.accessToken) },
                runBlocking { client.userInfo(tokens.accessToken, subject) },
            )
        for (user in asked) {
            assertEquals(listOf(subject, "ada@example.org", "Ada Lovelace"), listOf(user.subject, user.email, user.name))
            assertEquals("Identity(subject=user_ada)", "$user")
        }
        assertEquals(asked.size, server.requests("userinfo").size)

        val of = "somebody else"
        assertThrows(InvalidResponseException::class.java) { client.userInfoBlocking(tokens.accessToken, of) }
        assertThrows(InvalidResponseException::class.java) { runBlocking { client.userInfo(tokens.accessToken, of) } }
        val unknown = assertThrows(RejectedException::class.java) { client.userInfoBlocking(Secret("an-unknown-token")) }
        assertEquals(401, unknown.httpStatus)
        val before = server.requests("userinfo").size
        assertThrows(InvalidConfigException::class.java) { client.userInfoBlocking(Secret("")) }
        assertThrows(MisuseException::class.java) { client.userInfoBlocking(tokens.accessToken, "\uD800") }
        assertThrows(MisuseException::class.java) { runBlocking { client.userInfo(tokens.accessToken, "\uD800") } }
        assertEquals(before, server.requests("userinfo").size)
    }

    @Test
    fun `a refresh asks for more than new tokens`() = adasServer().use<Server, Unit> { server ->
        val client = server.issuerClient(ALL) { refreshParam("audience", "api & more").refreshParam("resource", "https://a") }
        val first = client.tokens()
        assertFalse(server.form("token").any { (name, _) -> name == "audience" || name == "resource" })
        val second = client.refreshBlocking(first.refreshToken!!)
        assertEquals(listOf("api & more"), server.form("refresh").filter { it.first == "audience" }.map { it.second })
        assertFalse(server.form("refresh").any { (name, _) -> name == "scope" })

        fun assertAsked() {
            val form = server.form("refresh")
            assertTrue("scope" to "openid email" in form, "$form")
            assertTrue("audience" to "api & more" in form, "$form")
            val resources = form.filter { it.first == "resource" }.map { it.second }
            assertEquals(listOf("https://b", "https://c"), resources, "it replaces that of the client")
        }
        val third =
            client.refreshBlocking(second.refreshToken!!) {
                scopes("openid", "email")
                param("resource", "https://b").param("resource", "https://c")
                subject = "user_ada"
            }
        assertAsked()
        assertEquals("user_ada", third.identity?.subject)
        val fourth =
            runBlocking {
                client.refresh(third.refreshToken!!) {
                    scopes(listOf("openid")).scopes("email")
                    param("resource", "https://b").param("resource", "https://c")
                }
            }
        assertAsked()

        val foreign = assertThrows(InvalidResponseException::class.java) {
            client.refreshBlocking(fourth.refreshToken!!) { subject = "somebody else" }
        }
        assertTrue("another user" in foreign.message!!, foreign.message)
        server.client().use { authKit ->
            val old = authKit.tokens().refreshToken!!
            assertThrows(InvalidResponseException::class.java) {
                runBlocking { authKit.refresh(old) { subject = "somebody else" } }
            }
        }
    }

    @Test
    fun `a refresh with a wrong option sends nothing`() = adasServer().use<Server, Unit> { server ->
        val client = server.issuerClient()
        val token = Secret("a-token")
        val wrong =
            mapOf<String, cliauth.RefreshOptions.() -> Unit>(
                "scope" to { scopes("a b") },
                "grant_type" to { param("grant_type", "password") },
                "audience is there twice" to { param("audience", "a").param("audience", "b") },
            )
        for ((word, configure) in wrong) {
            val error =
                assertThrows(InvalidConfigException::class.java, { client.refreshBlocking(token, configure) }, word)
            assertTrue(word in error.message!!, "$word in: ${error.message}")
            assertThrows(InvalidConfigException::class.java) { runBlocking { client.refresh(token, configure) } }
        }
        val broken =
            mapOf<String, cliauth.RefreshOptions.() -> Unit>(
                "a scope" to { scopes("\uD800") },
                "a parameter's name" to { param("\uD800", "a") },
                "the parameter audience" to { param("audience", "\uDC00") },
                "subject" to { subject = "a\uD800b" },
            )
        for ((word, configure) in broken) {
            val error = assertThrows(MisuseException::class.java, { client.refreshBlocking(token, configure) }, word)
            assertTrue(word in error.message!!, "$word in: ${error.message}")
            assertThrows(MisuseException::class.java) { runBlocking { client.refresh(token, configure) } }
        }
        val mine = IllegalArgumentException("mine")
        val own = assertThrows(IllegalArgumentException::class.java) { client.refreshBlocking(token) { throw mine } }
        assertEquals(mine, own)
        assertEquals(0, server.requests("refresh").size)
    }

    @Test
    fun `endpoints beside the issuer take precedence`() {
        val elsewhere =
            listOf("device_authorization_endpoint", "token_endpoint", "revocation_endpoint")
                .associateWith { "{issuer}/elsewhere" }
        val steps = listOf(mapOf("merge" to elsewhere))
        val script = mapOf("discovery_oauth" to mapOf("steps" to steps, "then" to "repeat"))
        adasServer("script" to script).use { server ->
            val client =
                server.issuerClient(ALL) {
                    deviceAuthorizationEndpoint = "${server.url}/oauth2/device_authorization"
                    tokenEndpoint = "${server.url}/oauth2/token"
                    revocationEndpoint = "${server.url}/oauth2/revoke"
                }
            val tokens = client.tokens()
            assertEquals("user_ada", tokens.identity?.subject)
            client.revokeBlocking(client.refreshBlocking(tokens.refreshToken!!).accessToken)
            assertEquals(1, server.requests("revoke").size)
            assertEquals(0, server.requests("other").size)
        }
    }
}
