import cliauth.Client
import cliauth.Event
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

class ManyTest {
    /** The most threads that there are while [work] is done. */
    private fun mostThreads(work: suspend () -> Unit): Int = runBlocking(Dispatchers.Default) {
        var most = 0
        val watcher =
            launch {
                while (isActive) {
                    most = maxOf(most, threads())
                    delay(10)
                }
            }
        work()
        watcher.cancel()
        most
    }

    private suspend fun logIn(client: Client): List<Event> = client.login().use { login ->
        login.start()
        val events = mutableListOf<Event>()
        login.poll { events += it }
        events
    }

    @ParameterizedTest
    @ValueSource(ints = [1, 50])
    fun `200 logins at once need a few threads`(count: Int) {
        Server("answer" to "approve", "answer_after_polls" to 1, "log" to false, "alg" to "es256").use { server ->
            val clients = List(count) { server.client() }
            val before = threads()
            val most =
                mostThreads {
                    kotlinx.coroutines.coroutineScope {
                        val events = List(200) { async { logIn(clients[it % count]) } }.awaitAll()
                        assertTrue(events.all { it.size == 1 && it.single() is Event.Pending }, "$events")
                    }
                }
            assertTrue(most - before < 30, "$most threads, $before before")
            clients.forEach(Client::close)
        }
    }

    @Test
    fun `200 requests that hang need a few threads, and end together`() {
        silentServer("device").use { server ->
            val clients = List(10) { server.client() }
            val before = threads()
            var took = 0.0
            val most =
                mostThreads {
                    took =
                        seconds {
                            withTimeoutOrNull(1500) {
                                List(200) { async { logIn(clients[it % clients.size]) } }.awaitAll()
                            }.also { assertEquals(null, it) }
                        }
                }
            assertTrue(most - before < 30, "$most threads, $before before")
            assertTrue(took < 1.5 + 2 * SOON, "$took s")
            clients.forEach(Client::close)
        }
    }

    @Test
    fun `requests that hang leave room for others`() = runBlocking<Unit>(Dispatchers.Default) {
        silentServer("device").use { silent ->
            Server("answer" to "approve").use { server ->
                val hanging = List(24) { launch { silent.client().login().start() } }
                silent.waitFor("device", 24)
                val took = seconds { logIn(server.client()) }
                assertTrue(took < 1.1 + 2 * SOON, "$took s")
                val cancelled = seconds { hanging.last().cancelAndJoin() }
                assertTrue(cancelled < SOON, "$cancelled s")
                hanging.forEach { it.cancel() }
            }
        }
    }
}
