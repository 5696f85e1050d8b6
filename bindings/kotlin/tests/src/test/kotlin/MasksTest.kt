import cliauth.ActionRequiredException
import cliauth.CliAuthException
import cliauth.Secret
import cliauth.Tokens
import com.google.gson.Gson
import com.google.gson.JsonIOException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.NotSerializableException
import java.io.ObjectInputStream
import java.io.ObjectOutputStream

private const val CLEAR = "clear-text-of-a-secret"

class MasksTest {
    private fun tokens(): Tokens {
        val answer =
            mapOf(
                "access_token" to "$CLEAR-1",
                "refresh_token" to "$CLEAR-2",
                "id_token" to "$CLEAR-3",
                "extra" to "$CLEAR-4",
                "token_type" to "Bearer",
                "expires_in" to 60,
            )
        Server("script" to mapOf("refresh" to listOf(mapOf("json" to answer)))).use { server ->
            return server.client().refreshBlocking(Secret("$CLEAR-0"))
        }
    }

    private fun serialized(value: Any): ByteArray = ByteArrayOutputStream().also {
        ObjectOutputStream(it).writeObject(value)
    }.toByteArray()

    @Test
    fun `nothing prints a secret`() {
        val tokens = tokens()
        assertEquals("$CLEAR-1", tokens.accessToken.expose())
        assertEquals("\"$CLEAR-4\"", tokens.other("extra")?.expose())
        val secrets = listOf(tokens.accessToken, tokens.refreshToken!!, tokens.idToken!!, tokens.other("extra")!!)
        for (secret in secrets) {
            assertEquals("****", secret.toString())
            assertEquals("****", "$secret")
            assertEquals("****", String.format("%s", secret))
        }
        for (shown in listOf("$tokens", "${mapOf("a" to tokens)}", "${Result.success(tokens)}", "${Secret(CLEAR)}")) {
            assertFalse(CLEAR in shown, shown)
        }
    }

    @Test
    fun `no secret is serialized, by Java or by reflection`() {
        val tokens = tokens()
        for (value in listOf(tokens, tokens.accessToken, Secret(CLEAR))) {
            assertThrows(NotSerializableException::class.java) { serialized(value) }
            val error = assertThrows(JsonIOException::class.java) { Gson().toJson(value) }
            assertFalse(CLEAR in error.stackTraceToString())
        }
    }

    @Test
    fun `there is no copy that shows more`() {
        for (type in listOf(Secret::class.java, Tokens::class.java)) {
            val names = type.methods.map { it.name }
            assertFalse(names.any { it == "copy" || it.startsWith("component") }, "$type $names")
            // What holds the text is native memory: no field of ours is one.
            assertTrue(type.declaredFields.none { it.type == String::class.java || it.type == ByteArray::class.java })
        }
    }

    @Test
    fun `an exception keeps its secret to itself`() {
        val step =
            mapOf(
                "status" to 403,
                "json" to mapOf("code" to "mfa_challenge", "message" to "Do it.", "pending_authentication_token" to CLEAR),
            )
        Server("script" to mapOf("token" to listOf(step))).use { server ->
            server.client().login().use { login ->
                login.startBlocking()
                val error = assertThrows(ActionRequiredException::class.java) { login.pollBlocking() }
                assertEquals(CLEAR, error.pendingAuthenticationToken?.expose())
                assertEquals("\"$CLEAR\"", error.members["pending_authentication_token"]?.expose())
                assertFalse(CLEAR in "${error.members}", "${error.members}")
                assertFalse(CLEAR in error.stackTraceToString())
                val bytes = serialized(error)
                assertFalse(CLEAR in bytes.toString(Charsets.ISO_8859_1))
                val back = ObjectInputStream(ByteArrayInputStream(bytes)).readObject() as CliAuthException
                assertEquals(error.message, back.message)
                assertEquals("mfa_challenge", back.oauthError)
                assertNull(back.pendingAuthenticationToken)
                assertEquals(emptyMap<String, Secret>(), back.members)
            }
        }
    }

    @Test
    fun `secrets are compared by their text, and hashed by nothing`() {
        assertEquals(Secret("a"), Secret("a"))
        assertNotEquals(Secret("a"), Secret("b"))
        assertNotEquals(Secret("a"), "a" as Any)
        assertEquals(Secret("a").hashCode(), Secret("b").hashCode())
    }

    @Test
    fun `text of a server is filtered`() {
        assertEquals("ab", cliauth.sanitize("a\u001b\u202eb").filter(Char::isLetter))
        assertFalse('\u001b' in cliauth.sanitize("a\u001b[2Jb"))
        assertFalse(cliauth.sanitize("\uD800").any(Char::isSurrogate))
    }
}
