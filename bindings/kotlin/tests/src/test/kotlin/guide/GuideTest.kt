package guide

import Server
import cliauth.Client
import cliauth.Tokens
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayOutputStream
import java.io.PrintStream

/** The code of the documents, which `cargo xtask test kotlin` puts beside this file. */
class GuideTest {
    /** What [work] prints on both streams. */
    private fun said(work: () -> Unit): String {
        val (out, err) = System.out to System.err
        val bytes = ByteArrayOutputStream()
        val both = PrintStream(bytes, true)
        System.setOut(both)
        System.setErr(both)
        try {
            work()
        } finally {
            System.setOut(out)
            System.setErr(err)
        }
        return bytes.toString()
    }

    private fun program(main: () -> Unit) {
        Server("answer" to "approve").use { server ->
            TestServer.server = server
            val said = said(main)
            assertTrue("Approve only if you started this login yourself" in said, said)
            assertTrue("Logged in as user_" in said, said)
        }
    }

    @Test
    fun `the program of the guide for Kotlin`() = program { runBlocking { guide.guideProgram.main() } }

    @Test
    fun `the program of the README`() = program { runBlocking { guide.readmeProgram.main() } }

    @Test
    fun `the program for Java`() = program { MyTool.main(arrayOf()) }

    private fun <T> at(vararg settings: Pair<String, Any?>, work: suspend CoroutineScope.(Client) -> T): T =
        Server(*settings).use { server -> server.issuerClient().use { runBlocking { work(it) } } }

    @Test
    fun `the functions of the guide for Kotlin`() {
        val soon = arrayOf("answer" to "approve", "answer_after_polls" to 1)
        assertTrue("Waiting, " in said { at(*soon) { withEvents(it) } })
        assertTrue("Waiting, " in said { at(*soon) { asFlow(it) } })
        assertTrue("You denied the request." in said { assertNull(at("answer" to "deny") { withErrors(it) }) })
        at("answer" to "approve") { client ->
            val tokens: Tokens = withinAMinute(client)!!
            assertFalse(tokens.accessToken.expose() in said { authorization(tokens) })
            assertEquals("Bearer ${tokens.accessToken.expose()}", authorization(tokens))
            assertEquals(tokens.identity?.subject, whoAmI(client, tokens))
            val new = switchTo(client, refreshed(client, tokens), "org_1")
            assertFalse(new.refreshToken == tokens.refreshToken)
            logOut(client, new)
            client.login().use {
                cancelOnShutdown(it)
                it.start()
            }
        }
        testClient().close()
    }

    @Test
    fun `the methods of the page for Java`() = at("answer" to "approve", "answer_after_polls" to 1) { client ->
        val pool = java.util.concurrent.Executors.newSingleThreadExecutor()
        assertTrue("Waiting, " in said { GuideMethods.logIn(client) })
        val tokens = GuideMethods.withinAMinute(client, pool)
        val new = GuideMethods.switchTo(client, GuideMethods.refreshed(client, tokens), "org_1")
        assertFalse(new.refreshToken == tokens.refreshToken)
        GuideMethods.logOut(client, new)
        pool.shutdown()
    }
}
