import cliauth.Client
import cliauth.Event
import cliauth.Prompt
import cliauth.Step
import cliauth.Tokens
import cliauth.Waiting
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant

class LoginTest {
    @Test
    fun `a whole login at AuthKit`() = runBlocking<Unit> {
        Server("answer" to "approve", "answer_after_polls" to 1).use { server ->
            server.client { product = "my-cli/1.0" }.login().use { login ->
                assertNull(login.prompt)
                val prompt = login.start()
                assertEquals(prompt.userCode, login.start().userCode, "started again, it gives the same prompt")
                assertEquals(prompt.userCode, login.prompt?.userCode)
                assertTrue(prompt.verificationUri.startsWith(server.url))
                assertTrue(prompt.verificationUriComplete!!.contains(prompt.userCode))
                assertEquals(Duration.ofSeconds(300), prompt.expiresIn)
                assertEquals("127.0.0.1", prompt.host)
                assertEquals("my-cli", prompt.product)
                for (part in listOf(prompt.userCode, prompt.verificationUri, "my-cli")) {
                    assertTrue(part in prompt.text(), "$part in\n${prompt.text()}")
                }
                assertTrue(prompt.text(40).lines().size > prompt.text(200).lines().size)
                assertNotNull(prompt.openBrowser(), "the tests have no terminal")

                val events = mutableListOf<Event>()
                val tokens = login.poll { events += it }
                val pending = events.single() as Event.Pending
                assertTrue(pending.nextPollIn >= Duration.ofSeconds(1) && pending.expiresIn < Duration.ofSeconds(300))
                assertTrue(tokens.accessToken.expose().startsWith("ey"))
                assertNotNull(tokens.refreshToken)
                assertNull(tokens.idToken)
                assertEquals("Bearer", tokens.tokenType.replaceFirstChar(Char::uppercase))
                assertTrue(tokens.identity!!.subject.startsWith("user_"))
                assertTrue(tokens.expiresIn!! in Duration.ofSeconds(200)..Duration.ofSeconds(300))
                assertTrue(tokens.expiresAt!! in Instant.now().plusSeconds(200)..Instant.now().plusSeconds(301))
                assertEquals(null, tokens.other("no such member"))
                assertTrue("user" in tokens.otherNames, tokens.otherNames.toString())
                assertEquals(tokens.accessToken, login.poll().accessToken, "polled again, it gives the same tokens")
                assertEquals(1, server.requests("device").size)
                assertEquals(2, server.requests("token").size)
            }
        }
    }

    @Test
    fun `every kind of server`() = runBlocking<Unit> {
        Server("answer" to "approve").use { server ->
            val options: cliauth.ClientOptions.() -> Unit = {
                server.trust(this)
                scopes(listOf("openid", "offline_access"))
                scopes("profile")
                param("audience", "api & more")
                header("X-Tool", "mine")
                connectTimeout = Duration.ofSeconds(5)
                readTimeout = Duration.ofSeconds(5)
                requestTimeout = Duration.ofSeconds(5)
                loginTimeout = Duration.ofSeconds(30)
            }
            val (device, token) = listOf("${server.url}/oauth2/device_authorization", "${server.url}/oauth2/token")
            val clients =
                listOf(
                    Client.workosConnect(server.url, "client_test", options),
                    Client.forIssuer(server.issuer, "client_test", options),
                    Client.withEndpoints(device, token, "client_test", options),
                )
            for (client in clients) {
                client.use {
                    it.login().use { login ->
                        login.start()
                        val tokens = login.poll()
                        assertEquals(listOf("openid", "offline_access", "profile"), tokens.scopes)
                        assertNotNull(tokens.idToken)
                    }
                }
            }
            for (request in server.requests("device")) {
                val form = request["form"].asJsonArray.map { it.asJsonArray.map { word -> word.asString } }
                assertTrue(listOf("audience", "api & more") in form, form.toString())
                val headers = request["headers"].asJsonArray.map { it.asJsonArray.map { word -> word.asString } }
                assertTrue(headers.any { (name, value) -> name.equals("x-tool", true) && value == "mine" })
            }
        }
    }

    @Test
    fun `a loop of steps`() = runBlocking<Unit> {
        Server("answer" to "approve", "answer_after_polls" to 1).use { server ->
            server.client().login().use { login ->
                val kinds = mutableListOf<String>()
                var step: Step
                do {
                    step = login.step(Duration.ZERO)
                    if (step is Waiting) delay(step.dueIn.toMillis().coerceIn(1, 100)) else kinds += kind(step)
                } while (step !is Tokens)
                assertEquals(listOf("prompt", "event", "tokens"), kinds)
                assertTrue(login.step(Duration.ofDays(1)) is Tokens, "the outcome is given again")
            }
        }
    }

    @Test
    fun `a step comes back when its time is up`() = runBlocking<Unit> {
        Server("interval" to 60).use { server ->
            server.client().login().use { login ->
                login.start()
                val took = seconds { assertTrue(login.step(Duration.ofMillis(300)) is Waiting) }
                assertTrue(took in 0.29..0.3 + SOON, "$took s")
                val blocked = seconds { assertTrue(login.stepBlocking(Duration.ofMillis(300)) is Waiting) }
                assertTrue(blocked in 0.29..0.3 + SOON, "$blocked s")
            }
        }
    }

    @Test
    fun `refresh and revoke`() = runBlocking<Unit> {
        Server("answer" to "approve").use { server ->
            val client = server.issuerClient()
            val login = client.login()
            login.start()
            val first = login.poll()
            val second = client.refresh(first.refreshToken!!)
            val third = client.refreshBlocking(second.refreshToken!!)
            assertTrue(first.refreshToken != second.refreshToken && second.accessToken != third.accessToken)
            client.revoke(third.refreshToken!!)
            client.revokeBlocking(third.accessToken)
            assertThrows(cliauth.LoginRequiredException::class.java) { client.refreshBlocking(third.refreshToken!!) }
            assertEquals(2, server.requests("revoke").size)
        }
    }

    private fun kind(step: Step) = when (step) {
        is Prompt -> "prompt"
        is Event -> "event"
        is Tokens -> "tokens"
        is Waiting -> "waiting"
    }
}
