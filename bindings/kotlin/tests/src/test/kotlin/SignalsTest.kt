import cliauth.Client
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import java.util.concurrent.TimeUnit

/** A program that waits for a login, and knows nothing of signals. */
object WaitingProgram {
    @JvmStatic
    fun main(words: Array<String>) {
        val (url, way) = words
        val client =
            Client.authKit("client_test") {
                apiBase = url
                allowInsecureLoopback = true
            }
        val login = client.login()
        if (way == "hook") {
            Runtime.getRuntime().addShutdownHook(
                Thread {
                    login.cancel()
                    println("the hook ran")
                },
            )
        }
        println("waiting")
        if (way == "blocking") {
            login.startBlocking()
            login.pollBlocking()
        } else {
            runBlocking {
                login.start()
                login.poll()
            }
        }
    }
}

class SignalsTest {
    @ParameterizedTest
    @CsvSource("blocking,INT,130", "suspended,INT,130", "suspended,TERM,143", "hook,INT,130")
    fun `a signal ends a program while a request hangs`(way: String, signal: String, status: Int) {
        silentServer("token").use { server ->
            val java = ProcessHandle.current().info().command().get()
            val child =
                ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "WaitingProgram", server.url, way)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start()
            assertEquals("waiting", child.inputReader().readLine())
            server.waitFor("token")
            val took =
                seconds {
                    ProcessBuilder("kill", "-$signal", "${child.pid()}").start().waitFor()
                    assertTrue(child.waitFor(60, TimeUnit.SECONDS), "it hangs")
                }
            assertEquals(status, child.exitValue())
            assertTrue(took < SOON, "$took s")
            assertEquals(if (way == "hook") "the hook ran" else null, child.inputReader().readLine())
        }
    }
}
