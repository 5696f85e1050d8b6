import cliauth.CancelledException
import cliauth.Login
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.coroutines.CoroutineContext

class CancelTest {
    /** A login that waits: for its time between two polls, or for an answer that never comes. */
    private fun waiting(
        phase: String,
        test: (Login, drive: suspend () -> Unit, driveBlocking: () -> Unit, arrived: () -> Unit) -> Unit,
    ) = (if (phase == "asleep") Server("interval" to 60) else silentServer(phase)).use { server ->
        val client = if (phase == "discovery_oauth") server.issuerClient() else server.client()
        client.login().use { login ->
            val endpoint = if (phase == "asleep") "device" else phase
            test(
                login,
                {
                    login.start()
                    login.poll()
                },
                {
                    login.startBlocking()
                    login.pollBlocking()
                },
                {
                    server.waitFor(endpoint)
                    // Long enough to be back in the library, or asleep.
                    Thread.sleep(100)
                },
            )
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["connection", "discovery_oauth", "device", "token", "asleep"])
    fun `the end of the job`(phase: String) = waiting(phase) { login, drive, _, arrived ->
        runBlocking(Dispatchers.Default) {
            val why = CancellationException("mine")
            var seen: Throwable? = null
            val job =
                launch {
                    try {
                        drive()
                    } catch (error: Throwable) {
                        seen = error
                        throw error
                    }
                }
            arrived()
            val took =
                seconds {
                    job.cancel(why)
                    job.join()
                }
            assertTrue(took < SOON, "$took s")
            assertTrue(seen is CancellationException, "$seen")
            assertEquals("mine", seen!!.message, "it came out as it is")
            assertThrows(CancelledException::class.java) { login.stepBlocking(java.time.Duration.ZERO) }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["connection", "discovery_oauth", "device", "token", "asleep"])
    fun `cancel from another thread`(phase: String) = waiting(phase) { login, drive, _, arrived ->
        runBlocking(Dispatchers.Default) {
            val driven = async { runCatching { drive() }.exceptionOrNull() }
            arrived()
            thread { login.cancel() }.join()
            val took = seconds { assertTrue(driven.await() is CancelledException, "${driven.await()}") }
            assertTrue(took < SOON, "$took s")
        }
    }

    @ParameterizedTest
    @ValueSource(strings = ["connection", "discovery_oauth", "device", "token", "asleep"])
    fun `cancel from another thread, of a thread`(phase: String) = waiting(phase) { login, _, drive, arrived ->
        val error = AtomicReference<Throwable>()
        val driver = thread { error.set(runCatching { drive() }.exceptionOrNull()) }
        arrived()
        val took =
            seconds {
                login.cancel()
                driver.join()
            }
        assertTrue(took < SOON, "$took s")
        assertTrue(error.get() is CancelledException, "${error.get()}")
    }

    @ParameterizedTest
    @ValueSource(strings = ["connection", "discovery_oauth", "device", "token", "asleep"])
    fun `an interrupt`(phase: String) = waiting(phase) { login, _, drive, arrived ->
        val error = AtomicReference<Throwable>()
        val driver =
            thread {
                error.set(runCatching { drive() }.exceptionOrNull())
                assertFalse(Thread.currentThread().isInterrupted)
            }
        arrived()
        val took =
            seconds {
                driver.interrupt()
                driver.join()
            }
        assertTrue(took < SOON, "$took s")
        assertTrue(error.get() is InterruptedException, "${error.get()}")
        assertThrows(CancelledException::class.java) { login.pollBlocking() }
    }

    @ParameterizedTest
    @ValueSource(strings = ["device", "token", "asleep"])
    fun `a timeout`(phase: String) = waiting(phase) { login, drive, _, _ ->
        runBlocking {
            val took =
                seconds {
                    try {
                        withTimeout(2500) { drive() }
                        throw AssertionError("it ended well")
                    } catch (_: TimeoutCancellationException) {
                        // As it should.
                    }
                }
            assertTrue(took in 2.4..2.5 + SOON, "$took s")
            assertThrows(CancelledException::class.java) { login.stepBlocking(java.time.Duration.ZERO) }
        }
    }

    @Test
    fun `before it began`() {
        Server().use { server ->
            server.client().login().use { login ->
                login.cancel()
                login.cancel()
                assertThrows(CancelledException::class.java) { runBlocking { login.start() } }
                assertEquals(0, server.requests("device").size)
            }
        }
    }

    @Test
    fun `a refresh that hangs`() = runBlocking<Unit>(Dispatchers.Default) {
        silentServer("refresh").use { server ->
            val client = server.client()
            val refresh = launch { client.refresh(cliauth.Secret("an-old-one")) }
            server.waitFor("refresh")
            val took = seconds { refresh.cancelAndJoin() }
            assertTrue(took < SOON, "$took s")

            val error = AtomicReference<Throwable>()
            val blocked =
                thread { error.set(runCatching { client.refreshBlocking(cliauth.Secret("another")) }.exceptionOrNull()) }
            server.waitFor("refresh", 2)
            blocked.interrupt()
            blocked.join()
            assertTrue(error.get() is InterruptedException, "${error.get()}")
        }
    }

    @Test
    fun `a question for the user that hangs`() = runBlocking<Unit>(Dispatchers.Default) {
        silentServer("userinfo").use { server ->
            val client = server.issuerClient()
            val question = launch { client.userInfo(cliauth.Secret("a-token")) }
            server.waitFor("userinfo")
            val took = seconds { question.cancelAndJoin() }
            assertTrue(took < SOON, "$took s")

            val error = AtomicReference<Throwable>()
            val blocked =
                thread { error.set(runCatching { client.userInfoBlocking(cliauth.Secret("a-token")) }.exceptionOrNull()) }
            server.waitFor("userinfo", 2)
            blocked.interrupt()
            blocked.join()
            assertTrue(error.get() is InterruptedException, "${error.get()}")
        }
    }

    @Test
    fun `who is interrupted already sends nothing`() {
        Server().use { server ->
            val client = server.client()
            Thread.currentThread().interrupt()
            assertThrows(InterruptedException::class.java) { client.refreshBlocking(cliauth.Secret("an-old-one")) }
            Thread.currentThread().interrupt()
            assertThrows(InterruptedException::class.java) { client.revokeBlocking(cliauth.Secret("an-old-one")) }
            Thread.currentThread().interrupt()
            assertThrows(InterruptedException::class.java) { client.userInfoBlocking(cliauth.Secret("an-old-one")) }
            assertEquals(0, server.requests("refresh").size)
        }
    }

    /** Ends the coroutine as soon as the tokens are on their way to it: nobody has them then. */
    private class EndingWhenTheyCome(private val server: Server) : CoroutineDispatcher() {
        lateinit var job: Job

        override fun dispatch(context: CoroutineContext, block: Runnable) {
            if (server.requests("token").any { it["status"].asInt == 200 }) job.cancel()
            Dispatchers.Default.dispatch(context, block)
        }
    }

    @Test
    fun `tokens that nobody has are revoked`() = runBlocking<Unit> {
        Server("answer" to "approve").use { server ->
            // The client is closed: the login can revoke all the same.
            server.issuerClient().use { it.login() }.use { login ->
                val ending = EndingWhenTheyCome(server)
                val job =
                    launch(ending, kotlinx.coroutines.CoroutineStart.LAZY) {
                        ending.job = coroutineContext.job
                        login.start()
                        login.poll()
                    }
                job.start()
                job.join()
                assertTrue(job.isCancelled)
                assertEquals(1, server.requests("revoke").size)
                assertThrows(CancelledException::class.java) { login.pollBlocking() }
            }
        }
    }

    @Test
    fun `tokens that somebody has stay valid`() = runBlocking<Unit> {
        Server("answer" to "approve").use { server ->
            val tokens =
                server.issuerClient().login().use { login ->
                    login.start()
                    login.poll().also {
                        login.cancel()
                        assertEquals(it.accessToken, login.poll().accessToken)
                    }
                }
            assertTrue(tokens.accessToken.expose().isNotEmpty())
            assertEquals(0, server.requests("revoke").size)
        }
    }

    @Test
    fun `an exception of a job that goes on is not the end of the login`() = runBlocking<Unit> {
        Server("answer" to "approve", "answer_after_polls" to 1).use { server ->
            server.client().login().use { login ->
                login.start()
                val mine = CancellationException("of the callback")
                assertSame(mine, runCatching { login.poll { throw mine } }.exceptionOrNull())
                login.poll()
            }
        }
    }

    @Test
    fun `a coroutine that ended already sends nothing`() = runBlocking<Unit> {
        Server().use { server ->
            val login = server.client().login()
            val job =
                launch {
                    coroutineContext.job.cancel()
                    login.start()
                }
            job.join()
            assertEquals(0, server.requests("device").size)
            withContext(Dispatchers.Default) { delay(1) }
        }
    }
}
