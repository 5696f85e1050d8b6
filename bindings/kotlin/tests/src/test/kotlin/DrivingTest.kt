import cliauth.BusyException
import cliauth.CancelledException
import cliauth.Event
import cliauth.Login
import cliauth.MisuseException
import cliauth.Tokens
import cliauth.Waiting
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.time.Duration
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

/** One call drives a login: what other calls get meanwhile, and what becomes of tokens that it cannot return. */
class DrivingTest {
    /** Every call that would drive the login throws. */
    private fun assertBusy(login: Login) {
        val calls =
            mapOf<String, () -> Unit>(
                "start" to { runBlocking { login.start() } },
                "poll" to { runBlocking { login.poll() } },
                "step" to { runBlocking { login.step(Duration.ZERO) } },
                "steps" to { runBlocking { login.steps().first() } },
                "startBlocking" to { login.startBlocking() },
                "pollBlocking" to { login.pollBlocking() },
                "stepBlocking" to { login.stepBlocking(Duration.ZERO) },
            )
        for ((name, call) in calls) {
            assertEquals("busy", assertThrows(BusyException::class.java, { call() }, name).kind)
        }
    }

    private fun approvedAfterOnePoll() = Server("answer" to "approve", "answer_after_polls" to 1)

    @Test
    fun `a callback that would drive is refused, and the call goes on to its tokens`() {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                login.startBlocking()
                val events = mutableListOf<Event>()
                val tokens =
                    login.pollBlocking {
                        assertBusy(login)
                        events += it
                    }
                assertTrue(tokens.accessToken.expose().isNotEmpty())
                assertEquals(1, events.size)
            }
        }
    }

    @Test
    fun `a suspending callback that would drive is refused, and the call goes on to its tokens`() = runBlocking<Unit> {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                login.start()
                val events = mutableListOf<Event>()
                val tokens =
                    login.poll {
                        assertBusy(login)
                        events += it
                    }
                assertTrue(tokens.accessToken.expose().isNotEmpty())
                assertEquals(1, events.size)
            }
        }
    }

    @Test
    fun `a collector that would drive is refused, and the flow goes on to its tokens`() = runBlocking<Unit> {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                var steps = 0
                login.steps().collect {
                    assertBusy(login)
                    steps += 1
                }
                assertEquals(3, steps, "prompt, event, tokens")
                assertTrue(login.step(Duration.ZERO) is Tokens, "the claim was released")
            }
        }
    }

    @Test
    fun `another thread is refused while the first is in its callback`() {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                login.startBlocking()
                val (inside, goOn) = CountDownLatch(1) to CountDownLatch(1)
                val outcome = AtomicReference<Result<Tokens>>()
                val driver =
                    thread {
                        outcome.set(
                            runCatching {
                                login.pollBlocking {
                                    inside.countDown()
                                    goOn.await()
                                }
                            },
                        )
                    }
                inside.await()
                assertBusy(login)
                goOn.countDown()
                driver.join()
                assertTrue(outcome.get().isSuccess, "${outcome.get()}")
            }
        }
    }

    @Test
    fun `another coroutine is refused while the first is in its callback`() = runBlocking<Unit>(Dispatchers.Default) {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                login.start()
                val (inside, goOn) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
                val outcome =
                    async {
                        login.poll {
                            inside.complete(Unit)
                            goOn.await()
                        }
                    }
                inside.await()
                assertBusy(login)
                goOn.complete(Unit)
                assertTrue(outcome.await().accessToken.expose().isNotEmpty())
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["device", "token"])
    fun `another thread is refused while a request is under way`(endpoint: String) {
        silentServer(endpoint).use { server ->
            server.client().login().use { login ->
                val error = AtomicReference<Throwable>()
                val driver =
                    thread {
                        error.set(
                            runCatching {
                                login.startBlocking()
                                login.pollBlocking()
                            }.exceptionOrNull(),
                        )
                    }
                server.waitFor(endpoint)
                assertBusy(login)
                login.cancel()
                driver.join()
                assertTrue(error.get() is CancelledException, "${error.get()}")
                assertThrows(CancelledException::class.java) { login.stepBlocking(Duration.ZERO) }
            }
        }
    }

    /** Drives the login until its tokens have arrived at this machine, where nobody has read them. */
    private fun untilTokensHaveArrived(server: Server, login: Login) {
        login.startBlocking()
        while (server.requests("token").isEmpty()) {
            assertTrue(login.stepBlocking(Duration.ZERO) is Waiting)
            Thread.sleep(10)
        }
        waitUntil("the tokens are sent") { server.requests("token").single()["status"].let { !it.isJsonNull && it.asInt == 200 } }
    }

    @ParameterizedTest
    @ValueSource(strings = ["interrupt", "job", "flow", "cancel", "close"])
    fun `tokens that arrive in that moment are revoked`(way: String) {
        val late = mapOf("token" to listOf(mapOf("delay" to 1.0)))
        Server("answer" to "approve", "script" to late).use { server ->
            server.issuerClient().login().use { login ->
                untilTokensHaveArrived(server, login)
                when (way) {
                    "interrupt" -> {
                        Thread.currentThread().interrupt()
                        assertThrows(InterruptedException::class.java) { login.pollBlocking() }
                    }
                    "job" -> runBlocking {
                        launch {
                            coroutineContext.job.cancel()
                            login.poll()
                        }
                    }
                    "flow" -> runBlocking {
                        launch { login.steps().collect { coroutineContext.job.cancel() } }
                    }
                    "cancel" -> {
                        login.cancel()
                        assertThrows(CancelledException::class.java) { login.pollBlocking() }
                    }
                    else -> login.close()
                }
                // The server records a response after it has sent it.
                waitUntil("the revocation is recorded") { !server.requests("revoke").single()["replied"].isJsonNull }
                assertEquals(200, server.requests("revoke").single()["status"].asInt)
                if (way == "close") {
                    assertThrows(MisuseException::class.java) { login.pollBlocking() }
                } else {
                    assertThrows(CancelledException::class.java) { login.pollBlocking() }
                    assertThrows(CancelledException::class.java) { runBlocking { login.poll() } }
                }
            }
            assertEquals(1, server.requests("revoke").size)
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["poll", "pollBlocking", "step", "flow", "a flow that is left"])
    fun `tokens that were returned are not revoked`(way: String) {
        Server("answer" to "approve").use { server ->
            val client = server.issuerClient()
            val tokens =
                client.login().use { login ->
                    if ("flow" !in way) login.startBlocking()
                    when (way) {
                        "poll" -> runBlocking { login.poll() }
                        "pollBlocking" -> login.pollBlocking()
                        "step" -> login.stepBlocking(Duration.ofSeconds(30))
                        "flow" -> runBlocking { login.steps().last() }
                        else -> runBlocking { login.steps().first { it is Tokens } }
                    }
                } as Tokens
            assertEquals(0, server.requests("revoke").size)
            client.refreshBlocking(tokens.refreshToken!!).close()
        }
    }

    @Test
    fun `the interruption of a callback ends the login`() {
        approvedAfterOnePoll().use { server ->
            server.client().login().use { login ->
                login.startBlocking()
                assertThrows(InterruptedException::class.java) {
                    login.pollBlocking {
                        Thread.currentThread().interrupt()
                        Thread.sleep(1)
                    }
                }
                assertThrows(CancelledException::class.java) { login.pollBlocking() }
            }
        }
    }
}
