import cliauth.BusyException
import cliauth.CancelledException
import cliauth.Event
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.IOException
import java.time.Duration
import java.util.concurrent.Executors

class CallbackTest {
    @Test
    fun `every event`() = runBlocking<Unit> {
        val script =
            mapOf("token" to listOf(mapOf("status" to 502, "body" to "<html>"), mapOf("error" to "slow_down")))
        Server("answer" to "approve", "script" to script).use { server ->
            server.client { loginTimeout = Duration.ofSeconds(20) }.login().use { login ->
                login.start()
                val events = mutableListOf<Event>()
                login.poll { events += it }
                val retrying = events[0] as Event.Retrying
                assertEquals("http_502", retrying.reason)
                assertEquals(1, retrying.attempt)
                assertTrue(retrying.retryIn > Duration.ofSeconds(1))
                assertEquals(Event.SlowedDown(Duration.ofSeconds(6)), events[1])
            }
        }
    }

    @Test
    fun `it runs in the caller's context`() = runBlocking<Unit> {
        val executor = Executors.newSingleThreadExecutor { Thread(it, "mine") }
        Server("answer" to "approve", "answer_after_polls" to 1).use { server ->
            withContext(executor.asCoroutineDispatcher() + CoroutineName("caller")) {
                server.client().login().use { login ->
                    login.start()
                    var seen = 0
                    login.poll {
                        assertTrue(Thread.currentThread().name.startsWith("mine"))
                        assertEquals("caller", currentCoroutineContext()[CoroutineName]?.name)
                        delay(1)
                        seen += 1
                    }
                    assertEquals(1, seen)
                }
            }
        }
        executor.shutdown()
    }

    @Test
    fun `what it throws comes out as it is, and the login goes on`() = runBlocking<Unit> {
        Server("answer" to "approve", "answer_after_polls" to 2).use { server ->
            server.client().login().use { login ->
                login.start()
                val mine = IOException("mine")
                assertSame(mine, runCatching { login.poll { throw mine } }.exceptionOrNull())
                assertSame(mine, runCatching { login.pollBlocking { throw mine } }.exceptionOrNull())
                login.poll()
                assertEquals(3, server.requests("token").size)
            }
        }
    }

    @Test
    fun `it may cancel, and not drive`() = runBlocking<Unit> {
        Server().use { server ->
            server.client().login().use { login ->
                login.start()
                val ended =
                    runCatching {
                        login.poll {
                            assertThrows(BusyException::class.java) { login.stepBlocking(Duration.ZERO) }
                            assertEquals(login.prompt?.userCode, login.prompt?.userCode)
                            login.cancel()
                        }
                    }
                assertTrue(ended.exceptionOrNull() is CancelledException, "$ended")
                assertEquals(1, server.requests("token").size)
            }
        }
    }
}
