import cliauth.Client
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class LifetimesTest {
    @Test
    fun `a login lives on without its client`() {
        Server("answer" to "approve").use { server ->
            val login = server.client().use { it.login() }
            login.startBlocking()
            login.pollBlocking()
            login.close()
        }
    }

    @Test
    fun `what is forgotten is given back`() {
        Server().use { server ->
            val before = sockets()
            fun forget() = repeat(20) { server.client().login().startBlocking() }
            forget()
            waitUntil("the sockets of forgotten clients are closed") {
                System.gc()
                sockets() <= before + 1
            }
        }
    }

    @Test
    fun `no thread is left after a login`() {
        Server("answer" to "approve").use { server ->
            fun logIn() = server.client().use { client ->
                client.login().use { login ->
                    login.startBlocking()
                    login.pollBlocking()
                }
            }
            // The JVM's own threads come about in the first.
            logIn()
            val before = threads()
            repeat(3) { logIn() }
            waitUntil("as many threads as before") { threads() <= before }
            assertFalse(threadNames().any { it.startsWith("cli-auth") || it.startsWith("tokio") }, threadNames().toString())
        }
    }

    @Test
    fun `1,000 logins leave nothing behind`() {
        Server("answer" to "approve", "log" to false, "alg" to "es256").use { server ->
            val client: Client = server.client()

            suspend fun logIn() = client.login().use { login ->
                login.start()
                login.poll().use { it.accessToken.expose() }
            }

            fun logInMany(rounds: Int) = runBlocking(Dispatchers.Default) {
                repeat(rounds) { List(100) { async { logIn() } }.awaitAll() }
                System.gc()
            }
            logInMany(4)
            val (memory, descriptors) = memory() to descriptors()
            logInMany(10)
            val grown = memory() - memory
            assertTrue(grown < 24, "memory grew by $grown MB")
            assertTrue(descriptors() <= descriptors + 8, "$descriptors descriptors before, ${descriptors()} after")
            client.close()
        }
    }
}
