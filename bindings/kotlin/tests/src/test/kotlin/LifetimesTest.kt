import cliauth.CancelledException
import cliauth.Client
import cliauth.Secret
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

class LifetimesTest {
    @Test
    fun `closed twice, and used afterwards`() {
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
            val gone = IllegalStateException::class.java
            assertThrows(gone) { login.startBlocking() }
            assertThrows(gone) { login.pollBlocking() }
            assertThrows(gone) { runBlocking { login.step(Duration.ZERO) } }
            assertThrows(gone) { client.login() }
            assertThrows(gone) { client.refreshBlocking(Secret("a")) }
            assertThrows(gone) { secret.expose() }
            // As arguments they are refused as well, and not used after they were freed.
            server.issuerClient().use {
                assertThrows(gone) { it.refreshBlocking(tokens.refreshToken!!) }
                assertThrows(gone) { it.revokeBlocking(secret) }
                assertThrows(gone) { runBlocking { it.refresh(tokens.refreshToken!!) } }
            }
            assertThrows(gone) { Client.authKit("x") { clientSecret(secret) } }
            assertTrue(secret == secret && secret != Secret("a") && Secret("a") != secret)
            login.cancel()
            for (shown in listOf("$login", "$client", "$tokens", "$secret")) assertFalse("ey" in shown)
        }
    }

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
    fun `closing a login ends the call that drives it`() {
        for (endpoint in listOf("token", "asleep")) {
            (if (endpoint == "asleep") Server("interval" to 60) else silentServer(endpoint)).use { server ->
                val login = server.client().login()
                login.startBlocking()
                val error = AtomicReference<Throwable>()
                val driver = thread { error.set(runCatching { login.pollBlocking() }.exceptionOrNull()) }
                if (endpoint == "token") server.waitFor("token") else Thread.sleep(200)
                val took =
                    seconds {
                        login.close()
                        driver.join()
                    }
                assertTrue(took < SOON, "$took s")
                assertTrue(error.get() is CancelledException, "${error.get()}")
                assertThrows(IllegalStateException::class.java) { login.pollBlocking() }
            }
        }
    }

    @Test
    fun `a job that is cancelled and not waited for may be closed at once`() = runBlocking<Unit>(Dispatchers.Default) {
        repeat(20) {
            silentServer("token").use { server ->
                val login = server.client().login()
                login.start()
                val seen = AtomicReference<Throwable>()
                val job = launch { seen.set(runCatching { login.poll() }.exceptionOrNull()) }
                server.waitFor("token")
                job.cancel()
                login.close()
                job.join()
                assertTrue(seen.get() is CancellationException, "${seen.get()}")
            }
        }
    }

    @Test
    fun `several threads may close`() {
        Server("interval" to 60).use { server ->
            repeat(50) {
                val login = server.client().login()
                val errors = ConcurrentLinkedQueue<Throwable>()
                List(4) { thread { runCatching { login.close() }.onFailure(errors::add) } }.forEach(Thread::join)
                assertTrue(errors.isEmpty(), "$errors")
            }
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
