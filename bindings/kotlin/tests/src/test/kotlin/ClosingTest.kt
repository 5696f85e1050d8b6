import cliauth.CancelledException
import cliauth.Client
import cliauth.Login
import cliauth.MisuseException
import cliauth.Secret
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

/** Objects that are closed: during a call, before a call, twice, and by several threads. */
class ClosingTest {
    /** Every call of a login that suspends. */
    private val suspending =
        mapOf<String, suspend (Login) -> Unit>(
            "start" to { it.start() },
            "poll" to { it.poll() },
            "step" to { it.step(Duration.ofMinutes(5)) },
            "steps" to { login -> login.steps().collect { } },
        )

    /** Every call of a login that blocks. */
    private val blocking =
        mapOf<String, (Login) -> Unit>(
            "startBlocking" to { it.startBlocking() },
            "pollBlocking" to { it.pollBlocking() },
            "stepBlocking" to { it.stepBlocking(Duration.ofMinutes(5)) },
        )

    private fun assertMisuse(what: String, call: () -> Unit) {
        val error = assertThrows(MisuseException::class.java, { call() }, what)
        assertTrue(what in error.message!!, "$what in: ${error.message}")
    }

    @Test
    fun `what is closed refuses every call and may be closed again`() {
        Server("answer" to "approve").use { server ->
            val client = server.issuerClient()
            val login = client.login()
            login.startBlocking()
            val tokens = login.pollBlocking()
            val secret = tokens.accessToken
            for (each in listOf(login, client, tokens, secret)) {
                each.close()
                each.close()
            }
            for (call in suspending.values) assertMisuse("login is closed") { runBlocking { call(login) } }
            for (call in blocking.values) assertMisuse("login is closed") { call(login) }
            assertMisuse("login is closed") { login.prompt }
            login.cancel()
            assertMisuse("client is closed") { client.login() }
            assertMisuse("client is closed") { client.refreshBlocking(Secret("a")) }
            assertMisuse("client is closed") { client.revokeBlocking(Secret("a")) }
            assertMisuse("client is closed") { runBlocking { client.refresh(Secret("a")) } }
            assertMisuse("client is closed") { runBlocking { client.revoke(Secret("a")) } }
            assertMisuse("client is closed") { client.userInfoBlocking(Secret("a")) }
            assertMisuse("client is closed") { runBlocking { client.userInfo(Secret("a")) } }
            val properties =
                listOf(
                    tokens::tokenType,
                    tokens::scopes,
                    tokens::expiresIn,
                    tokens::expiresAt,
                    tokens::identity,
                    tokens::otherNames,
                    { tokens.other("a") },
                )
            for (property in properties) assertMisuse("tokens are closed") { property() }
            assertMisuse("secret is closed") { secret.expose() }
            // As arguments they are refused as well, and not used after they were freed.
            server.issuerClient().use {
                assertMisuse("secret is closed") { it.refreshBlocking(tokens.refreshToken!!) }
                assertMisuse("secret is closed") { it.revokeBlocking(secret) }
                assertMisuse("secret is closed") { runBlocking { it.refresh(tokens.refreshToken!!) } }
                assertMisuse("secret is closed") { runBlocking { it.revoke(secret) } }
                assertMisuse("secret is closed") { it.userInfoBlocking(secret) }
                assertMisuse("secret is closed") { runBlocking { it.userInfo(secret) } }
            }
            assertMisuse("secret is closed") { Client.authKit("x") { clientSecret(secret) } }
            assertEquals(secret, secret)
            assertNotEquals(secret, Secret("a"))
            assertNotEquals(Secret("a"), secret)
            for (shown in listOf("$login", "$client", "$tokens", "$secret")) assertFalse("ey" in shown)
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["token", "asleep"])
    fun `closing a login ends the call that drives it`(phase: String) = atThe(phase) { server, login ->
        val error = AtomicReference<Throwable>()
        val driver = thread { error.set(runCatching { login.pollBlocking() }.exceptionOrNull()) }
        untilDriven(phase, server, driver)
        val took =
            seconds {
                login.close()
                driver.join()
            }
        assertTrue(took < SOON, "$took s")
        assertEquals(CancelledException::class.java, error.get()?.javaClass)
        assertMisuse("login is closed") { login.pollBlocking() }
    }

    @Test
    fun `closing a login ends the coroutine that drives it`() = atThe("token") { server, login ->
        for ((name, call) in suspending - "start") {
            runBlocking(Dispatchers.Default) {
                val driven = server.client().login()
                driven.start()
                val before = server.requests("token").size
                val error = async { runCatching { call(driven) }.exceptionOrNull() }
                server.waitFor("token", before + 1)
                driven.close()
                assertEquals(CancelledException::class.java, error.await()?.javaClass, name)
            }
        }
        login.close()
    }

    @Test
    fun `a callback may close the login`() {
        Server().use { server ->
            val login = server.client().login()
            login.startBlocking()
            assertThrows(CancelledException::class.java) { login.pollBlocking { login.close() } }
            assertMisuse("login is closed") { login.pollBlocking() }
            assertEquals(1, server.requests("token").size)
        }
    }

    @Test
    fun `a collector may close the login`() {
        Server().use { server ->
            val login = server.client().login()
            assertThrows(CancelledException::class.java) { runBlocking { login.steps().collect { login.close() } } }
            assertMisuse("login is closed") { runBlocking { login.steps().first() } }
            assertEquals(0, server.requests("token").size)
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["refresh", "revoke", "userinfo"])
    fun `closing a client ends its requests`(endpoint: String) = silentServer(endpoint).use { server ->
        val secret = Secret("a-token")
        val client = server.issuerClient()
        val blocked = AtomicReference<Throwable>()
        runBlocking(Dispatchers.Default) {
            val suspended =
                async {
                    runCatching {
                        when (endpoint) {
                            "refresh" -> client.refresh(secret)
                            "revoke" -> client.revoke(secret)
                            else -> client.userInfo(secret)
                        }
                    }
                }
            val driver =
                thread {
                    val call =
                        runCatching {
                            when (endpoint) {
                                "refresh" -> client.refreshBlocking(secret)
                                "revoke" -> client.revokeBlocking(secret)
                                else -> client.userInfoBlocking(secret)
                            }
                        }
                    blocked.set(call.exceptionOrNull())
                }
            server.waitFor(endpoint, 2)
            client.close()
            assertEquals(CancelledException::class.java, suspended.await().exceptionOrNull()?.javaClass)
            driver.join()
            assertEquals(CancelledException::class.java, blocked.get()?.javaClass)
        }
    }

    @Test
    fun `a coroutine that is cancelled before the close sees only its cancellation`() {
        Server("answer" to "approve").use { server ->
            for ((name, call) in suspending) {
                val login = server.client().login()
                login.startBlocking()
                assertCancellation(name) {
                    login.close()
                    call(login)
                }
            }
            val client = server.issuerClient()
            val calls =
                mapOf<String, suspend () -> Unit>(
                    "refresh" to { client.refresh(Secret("a")) },
                    "revoke" to { client.revoke(Secret("a")) },
                    "userinfo" to { client.userInfo(Secret("a")) },
                )
            for ((name, call) in calls) {
                assertCancellation(name) {
                    client.close()
                    call()
                }
            }
        }
    }

    /** Runs [work] in a coroutine that has been cancelled. It must throw the exception of the cancellation. */
    private fun assertCancellation(name: String, work: suspend () -> Unit) = runBlocking {
        val seen = AtomicReference<Throwable>()
        launch {
            coroutineContext.job.cancel(CancellationException("mine"))
            seen.set(runCatching { work() }.exceptionOrNull())
        }.join()
        assertTrue(seen.get() is CancellationException, "$name: ${seen.get()}")
        assertEquals("mine", seen.get().message, name)
    }

    @Test
    fun `a coroutine that is cancelled in a call, and then closed, sees only its cancellation`() {
        silentServer("token").use { server ->
            repeat(20) {
                runBlocking(Dispatchers.Default) {
                    val login = server.client().login()
                    login.start()
                    val seen = AtomicReference<Throwable>()
                    val job = launch { seen.set(runCatching { login.poll() }.exceptionOrNull()) }
                    server.waitFor("token", it + 1)
                    job.cancel(CancellationException("mine"))
                    login.close()
                    job.join()
                    assertTrue(seen.get() is CancellationException, "${seen.get()}")
                    assertEquals("mine", seen.get().message)
                }
            }
        }
    }

    @Test
    fun `a thread that is interrupted before the close sees only the interrupt`() {
        Server("answer" to "approve").use { server ->
            val client = server.issuerClient()
            for ((name, call) in blocking) {
                val login = client.login()
                login.startBlocking()
                Thread.currentThread().interrupt()
                login.close()
                assertThrows(InterruptedException::class.java, { call(login) }, name)
                assertFalse(Thread.interrupted(), name)
            }
            Thread.currentThread().interrupt()
            client.close()
            assertThrows(InterruptedException::class.java) { client.refreshBlocking(Secret("a")) }
        }
    }

    @Test
    fun `a thread that is interrupted in a call, and then closed, sees only the interrupt`() {
        silentServer("token").use { server ->
            repeat(20) {
                val login = server.client().login()
                login.startBlocking()
                val seen = AtomicReference<Throwable>()
                val driver = thread { seen.set(runCatching { login.pollBlocking() }.exceptionOrNull()) }
                server.waitFor("token", it + 1)
                driver.interrupt()
                login.close()
                driver.join()
                assertEquals(InterruptedException::class.java, seen.get()?.javaClass)
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = [false, true])
    fun `several threads may close a login, while it is driven or not`(driven: Boolean) {
        silentServer("token").use { server ->
            repeat(20) {
                val login = server.client().login()
                val seen = AtomicReference<Throwable>()
                var driver: Thread? = null
                if (driven) {
                    login.startBlocking()
                    driver = thread { seen.set(runCatching { login.pollBlocking() }.exceptionOrNull()) }
                    server.waitFor("token", it + 1)
                }
                assertEquals(emptyList<Throwable>(), closedByFour(login))
                driver?.join()
                assertEquals(if (driven) CancelledException::class.java else null, seen.get()?.javaClass)
                assertMisuse("login is closed") { login.startBlocking() }
            }
        }
    }

    @Test
    fun `several threads may close a client, tokens and a secret`() {
        Server("answer" to "approve").use { server ->
            val client = server.issuerClient()
            val login = client.login()
            login.startBlocking()
            val tokens = login.pollBlocking()
            for (each in listOf(client, tokens.accessToken, tokens)) assertEquals(emptyList<Throwable>(), closedByFour(each))
            login.close()
        }
    }

    /** Closes [it] by four threads at once. Returns what they threw. */
    private fun closedByFour(it: AutoCloseable): List<Throwable> {
        val errors = ConcurrentLinkedQueue<Throwable>()
        val together = CyclicBarrier(4)
        val closers =
            List(4) { _ ->
                thread {
                    together.await()
                    runCatching { it.close() }.onFailure(errors::add)
                }
            }
        closers.forEach(Thread::join)
        return errors.toList()
    }

    private fun atThe(phase: String, test: (Server, Login) -> Unit) =
        (if (phase == "asleep") Server("interval" to 60) else silentServer(phase)).use { server ->
            val login = server.client().login()
            login.startBlocking()
            test(server, login)
        }

    private fun untilDriven(phase: String, server: Server, driver: Thread) {
        if (phase != "asleep") return server.waitFor(phase)
        waitUntil("the thread is asleep") { driver.state == Thread.State.TIMED_WAITING }
    }
}
