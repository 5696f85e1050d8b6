import cliauth.Client
import cliauth.InvalidConfigException
import cliauth.Secret
import cliauth.sanitize
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectory
import kotlin.io.path.createFile
import kotlin.io.path.writeBytes

private const val LIBRARY = "libcli_auth_uniffi.so"

/** A program that uses the library in every way that needs no object of it, and prints how that ends. */
object LoadingProgram {
    @JvmStatic
    fun main(words: Array<String>) {
        val uses = listOf({ Client.authKit("x").close() }, { Secret("x").close() }, { sanitize("x") })
        for (use in uses) {
            try {
                use()
                println("loaded")
            } catch (error: InvalidConfigException) {
                println("${error.kind}: ${error.message} [${error.cause?.javaClass?.simpleName}]")
            }
        }
    }
}

/** The native library: which one is loaded, and what happens if none can be. */
class LibraryTest {
    @TempDir
    lateinit var directory: Path

    private fun resource(name: String): ByteArray = LibraryTest::class.java.getResourceAsStream("/$name")!!.readBytes()

    private val packed: ByteArray by lazy { resource("linux-x86-64/$LIBRARY") }

    /** The position of the build ID in the packed library: behind the header of the linker's note. */
    private val idAt: Int by lazy {
        val note = "\u0014\u0000\u0000\u0000\u0003\u0000\u0000\u0000GNU\u0000"
        String(packed, Charsets.ISO_8859_1).indexOf(note) + note.length
    }

    private fun build(library: ByteArray) =
        library.drop(idAt).take(6).joinToString("") { (it.toInt() and 0xff).toString(16).padStart(2, '0') }

    /** The packed library as another version and another build. */
    private fun another(): ByteArray {
        val other = String(packed, Charsets.ISO_8859_1).replace("\ncli-auth 0.1.0\n", "\ncli-auth 0.0.9\n")
        return other.toByteArray(Charsets.ISO_8859_1).also { it[idAt] = (it[idAt].toInt() xor 1).toByte() }
    }

    /** What the program prints: the same for each use. */
    private fun uses(
        vararg options: String,
        environment: Map<String, String> = emptyMap(),
        before: List<String> = listOf(),
    ): String {
        val java = ProcessHandle.current().info().command().get()
        val words = listOf(java, "-cp", System.getProperty("java.class.path"), *options, "LoadingProgram")
        val child = ProcessBuilder(before + words).redirectError(ProcessBuilder.Redirect.INHERIT)
        child.environment() += environment
        val process = child.start()
        val lines = process.inputReader().readLines()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it hangs")
        assertEquals(0, process.exitValue(), "$lines")
        assertEquals(3, lines.size, "$lines")
        assertEquals(1, lines.toSet().size, "$lines")
        return lines.first()
    }

    private fun assertSays(said: String, vararg parts: String) {
        for (part in listOf("invalid_config: ", *parts)) assertTrue(part in said, "$part in: $said")
    }

    private fun unpacked(library: ByteArray): Path = directory.resolve(LIBRARY).also { it.writeBytes(library) }

    private fun unpackedJna(): Path =
        directory.resolve("libjnidispatch.so").also { it.writeBytes(resource("com/sun/jna/linux-x86-64/libjnidispatch.so")) }

    private val recipe: Array<String>
        get() {
            val names = listOf("jna.boot.library.path", "jna.library.path", "jna.platform.library.path")
            return (names.map { "-D$it=$directory" } + "-Djna.nounpack=true").toTypedArray()
        }

    @Test
    fun `the library of the jar is loaded, packed or unpacked`() {
        assertEquals("loaded", uses())
        unpackedJna()
        unpacked(packed)
        assertEquals("loaded", uses(*recipe))
    }

    @ParameterizedTest
    @ValueSource(strings = ["the recipe of the guide", "jna.library.path", "LD_LIBRARY_PATH"])
    fun `an unpacked library of another build is refused`(way: String) {
        unpackedJna()
        val library = unpacked(another())
        val said =
            when (way) {
                "jna.library.path" -> uses("-D$way=$directory")
                "LD_LIBRARY_PATH" -> uses(environment = mapOf(way to "$directory"))
                else -> uses(*recipe)
            }
        assertSays(
            said,
            "the native library $library is cli-auth 0.0.9 (build ${build(another())}), ",
            "this package is cli-auth 0.1.0 (build ${build(packed)}): replace it",
        )
    }

    @Test
    fun `a library of something else is refused`() {
        val library = unpacked(Files.readAllBytes(unpackedJna()))
        assertSays(
            uses("-Djna.library.path=$directory"),
            "the native library $library is cli-auth of an unknown version (build unknown)",
        )
    }

    @Test
    fun `the recipe of the guide without the library says so`() {
        unpackedJna()
        assertSays(uses(*recipe), "jna.nounpack is set", "jna.library.path=$directory", "unpack both", "[UnsatisfiedLinkError]")
    }

    @ParameterizedTest
    @ValueSource(strings = ["a file in its place", "a read-only mount", "a mount without execution"])
    fun `a directory that cannot hold the library is named`(way: String) {
        val place = directory.resolve("place")
        if (way == "a file in its place") place.createFile() else place.createDirectory()
        val mount =
            when (way) {
                "a file in its place" -> listOf()
                "a read-only mount" -> mounted(place, "ro")
                else -> mounted(place, "noexec")
            }
        val said = uses("-Djava.io.tmpdir=$place", environment = mapOf("XDG_CACHE_HOME" to "$place"), before = mount)
        assertSays(
            said,
            "$place/JNA/temp, or if that is not writable into $place",
            "set the system property jna.tmpdir",
            "[Unsatisfied",
        )
        val own = uses("-Djna.tmpdir=$place", before = mount)
        assertSays(own, "it is unpacked into $place. If", "set the system property jna.tmpdir", "[Unsatisfied")
        val good = directory.resolve("good").createDirectory()
        assertEquals("loaded", uses("-Djna.tmpdir=$good", environment = mapOf("XDG_CACHE_HOME" to "$place"), before = mount))
    }

    /** The beginning of a command that sees an empty file system with this option at [place], and nobody else does. */
    private fun mounted(place: Path, option: String): List<String> {
        val script = "mount -t tmpfs -o $option tmpfs \"$place\" && exec \"$@\""
        return listOf("unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", script, "sh")
    }
}
