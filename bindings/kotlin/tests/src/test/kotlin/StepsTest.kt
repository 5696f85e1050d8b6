import cliauth.BusyException
import cliauth.CancelledException
import cliauth.DeniedException
import cliauth.Event
import cliauth.Login
import cliauth.Progress
import cliauth.Prompt
import cliauth.Tokens
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean

/** The login as a flow. */
class StepsTest {
    private fun kind(step: Progress) = when (step) {
        is Prompt -> "prompt"
        is Event -> "event"
        is Tokens -> "tokens"
    }

    private suspend fun kinds(login: Login) = login.steps().toList().map { kind(it) }

    private fun at(vararg settings: Pair<String, Any?>, test: suspend (Server, Login) -> Unit) =
        Server(*settings).use { server -> server.client().login().use { runBlocking { test(server, it) } } }

    @Test
    fun `it begins when it is collected, and has everything`() =
        at("answer" to "approve", "answer_after_polls" to 1) { server, login ->
            val steps = login.steps()
            assertEquals(0, server.requests("device").size)
            assertEquals(listOf("prompt", "event", "tokens"), steps.toList().map { kind(it) })
            assertEquals(listOf("prompt", "tokens"), kinds(login), "the outcome is given again")
            assertEquals(1, server.requests("device").size)
        }

    @Test
    fun `it begins with the prompt of a login that was started before`() = at("answer" to "approve") { server, login ->
        val prompt = login.start()
        assertEquals(prompt.userCode, (login.steps().first() as Prompt).userCode)
        assertEquals(listOf("prompt", "tokens"), kinds(login))
        assertEquals(1, server.requests("device").size)
    }

    @Test
    fun `it throws the error after the prompt`() = at("answer" to "deny") { _, login ->
        val seen = mutableListOf<String>()
        val error = runCatching { login.steps().collect { seen += kind(it) } }.exceptionOrNull()
        assertEquals(DeniedException::class.java, error?.javaClass)
        assertEquals(listOf("prompt"), seen)
    }

    @ParameterizedTest
    @ValueSource(strings = ["first", "take", "takeWhile", "exception", "buffer", "flowOn"])
    fun `leaving it early leaves the login as it is`(way: String) =
        at("answer" to "approve", "answer_after_polls" to 1) { server, login ->
            val mine = IOException("mine")
            when (way) {
                "first" -> login.steps().first()
                "take" -> login.steps().take(1).collect()
                "takeWhile" -> login.steps().takeWhile { it !is Event }.collect()
                "exception" -> assertSame(mine, runCatching { login.steps().collect { throw mine } }.exceptionOrNull())
                // They collect in another coroutine, which is inside the library when the collector leaves.
                "buffer" -> login.steps().buffer().first()
                "flowOn" -> login.steps().flowOn(Dispatchers.Default).first()
            }
            val rest = if (way == "takeWhile") listOf("prompt", "tokens") else listOf("prompt", "event", "tokens")
            assertEquals(rest, kinds(login))
            login.poll().close()
            assertEquals(1, server.requests("device").size)
            assertEquals(2, server.requests("token").size)
        }

    @Test
    fun `leaving it during a request does not send the request again`() =
        at("script" to mapOf("token" to listOf(mapOf("delay" to 1.0))), "answer" to "approve") { server, login ->
            login.start()
            // Left while the request is under way.
            login.steps().buffer().first {
                server.waitFor("token")
                true
            }
            login.poll().close()
            assertEquals(1, server.requests("token").size)
        }

    @ParameterizedTest
    @ValueSource(strings = ["waiting", "in the collector", "buffer", "timeout"])
    fun `cancelling the coroutine cancels the login`(way: String): Unit = silentServer("token").use { server ->
        server.client().login().use { login ->
            runBlocking(Dispatchers.Default) {
                val buffered = if (way == "buffer") login.steps().buffer() else login.steps()
                when (way) {
                    "in the collector" -> launch { login.steps().collect { coroutineContext.job.cancel() } }.join()
                    "timeout" -> assertNull(withTimeoutOrNull(2000) { buffered.collect() })
                    else -> {
                        val job = launch { buffered.collect() }
                        server.waitFor("token")
                        job.cancelAndJoin()
                    }
                }
            }
            assertThrows(CancelledException::class.java) { login.pollBlocking() }
        }
    }

    @Test
    fun `an exception that only looks like a cancellation does not end the login`() = at("answer" to "approve") { _, login ->
        val mine = CancellationException("of the collector")
        assertSame(mine, runCatching { login.steps().collect { throw mine } }.exceptionOrNull())
        assertEquals(listOf("prompt", "tokens"), kinds(login))
    }

    @Test
    fun `a second collector is refused, and the first goes on`() =
        at("answer" to "approve", "answer_after_polls" to 1) { _, login ->
            val refused = AtomicBoolean()
            val seen = mutableListOf<String>()
            login.steps().collect {
                if (it is Prompt) refused.set(runCatching { login.steps().first() }.exceptionOrNull() is BusyException)
                seen += kind(it)
            }
            assertEquals(true, refused.get())
            assertEquals(listOf("prompt", "event", "tokens"), seen)
        }
}
