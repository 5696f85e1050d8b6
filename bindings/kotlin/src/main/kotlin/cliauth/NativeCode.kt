package cliauth

import cliauth.internal.BUILD_ID
import cliauth.internal.VERSION
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import com.sun.jna.Platform
import com.sun.jna.Pointer
import java.io.IOException
import java.io.RandomAccessFile

/**
 * The native library. It is loaded on first use, and must be the one that this package was built with: a library that
 * was unpacked from an older jar has other functions under the same names.
 *
 * Each function that uses the library without an object of it calls [load] first. An error in the initialiser of the
 * generated module would reach the program as a [NoClassDefFoundError].
 */
internal object NativeCode {
    private const val NAME = "cli_auth_uniffi"

    /** A function that every build has. Its address is an address in the library. */
    private const val FUNCTION = "ffi_cli_auth_uniffi_uniffi_contract_version"

    /** The size of the beginning of the library that contains the build ID. The packaging checks that it does. */
    private const val HEAD = 4096L

    /** The size of the end of the file that names the version. */
    private const val TAIL = 64L

    /** How a note with a build ID of 20 bytes begins: the sizes of its name and of the ID, its type, and its name. */
    private const val NOTE = "\u0004\u0000\u0000\u0000\u0014\u0000\u0000\u0000\u0003\u0000\u0000\u0000GNU\u0000"
    private const val ID_BYTES = 20

    /** Enough of a build ID to tell two builds apart. */
    private const val SHOWN = 12

    private class Failure(val message: String, val cause: Throwable?)

    /** The library, or why it cannot be used. JNA does not recover from an error, so nothing is tried twice. */
    private val outcome: Any by lazy {
        try {
            val library = NativeLibrary.getInstance(NAME, NativeCode::class.java.classLoader)
            mismatch(library) ?: library
        } catch (error: Error) {
            if (error is VirtualMachineError) throw error
            Failure(advice(), error)
        }
    }

    /**
     * Loads the library.
     *
     * @throws InvalidConfigException it cannot be loaded, or it is of another build
     */
    fun load(): NativeLibrary {
        when (val found = outcome) {
            is NativeLibrary -> return found
            else -> {
                val failure = found as Failure
                throw InvalidConfigException(failure.message).apply { initCause(failure.cause) }
            }
        }
    }

    /** Compares the build ID in memory, which is that of the file that was loaded, wherever it was found. */
    private fun mismatch(library: NativeLibrary): Failure? {
        var path = library.file?.path ?: NAME
        var build: String? = null
        try {
            val found = Memory(4L * Native.POINTER_SIZE)
            // `dladdr` writes the path, the address of the library, and two members that are not used.
            if (library.getFunction("dladdr").invokeInt(arrayOf(library.getFunction(FUNCTION), found)) != 0) {
                path = found.getPointer(0).getString(0)
                build = buildId(found.getPointer(Native.POINTER_SIZE.toLong()))
            }
        } catch (_: UnsatisfiedLinkError) {
            // Not a library of this package: it has no such function.
        }
        if (build == BUILD_ID) return null
        return Failure(
            "the native library $path is ${named(version(path), build)}, but this package is ${named(VERSION, BUILD_ID)}: " +
                "replace it with the library from the jar, or remove it from jna.library.path and LD_LIBRARY_PATH",
            null,
        )
    }

    private fun buildId(library: Pointer): String? {
        val head = String(library.getByteArray(0, HEAD.toInt()), Charsets.ISO_8859_1)
        val note = head.indexOf(NOTE)
        val id = note + NOTE.length
        if (note < 0 || id + ID_BYTES > head.length) return null
        return buildString {
            for (at in id until id + ID_BYTES) {
                append(Character.forDigit(head[at].code shr 4, 16)).append(Character.forDigit(head[at].code and 15, 16))
            }
        }
    }

    /** Returns the version that the packaging has written to the end of the file, or null. */
    private fun version(path: String): String? = try {
        RandomAccessFile(path, "r").use { file ->
            file.seek(maxOf(0, file.length() - TAIL))
            val tail = ByteArray(minOf(file.length(), TAIL).toInt()).also(file::readFully)
            Regex("\ncli-auth (\\S+)\n$").find(String(tail, Charsets.ISO_8859_1))?.groupValues?.get(1)
        }
    } catch (_: IOException) {
        null
    }

    private fun named(version: String?, build: String?): String =
        "cli-auth ${version ?: "of an unknown version"} (build ${build?.take(SHOWN) ?: "unknown"})"

    /** Says what to do if the library cannot be loaded. */
    private fun advice(): String {
        val file = "${Platform.RESOURCE_PREFIX}/${System.mapLibraryName(NAME)}"
        return when {
            System.getProperty("jna.nounpack").toBoolean() ->
                "cannot load the native library: jna.nounpack is set, and ${property("jna.boot.library.path")} and " +
                    "${property("jna.library.path")} do not lead to the libraries of this package and its JNA: unpack both " +
                    "from their jars again, or remove jna.nounpack"
            NativeCode::class.java.classLoader?.getResource(file) == null ->
                "cannot load the native library: the jar has none for this platform ($file)"
            else ->
                "cannot load the native library: it is unpacked into ${unpackedInto()}. If this directory is not writable or " +
                    "forbids execution, set the system property jna.tmpdir to one that allows both. The library needs " +
                    "glibc 2.17 or newer"
        }
    }

    private fun property(name: String): String = "$name=${System.getProperty(name) ?: ""}"

    /** Returns the directories that JNA chooses from. */
    private fun unpackedInto(): String = System.getProperty("jna.tmpdir") ?: run {
        val cache = System.getenv("XDG_CACHE_HOME")?.takeIf { it.isNotBlank() } ?: "${System.getProperty("user.home")}/.cache"
        "$cache/JNA/temp, or if that is not writable into ${System.getProperty("java.io.tmpdir")}"
    }
}
