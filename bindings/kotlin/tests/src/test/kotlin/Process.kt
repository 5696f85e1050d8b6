import java.io.File
import java.nio.file.Files
import java.nio.file.Path

/** What the kernel knows of this process. */
private fun entries(folder: String): List<String> = File("/proc/self/$folder").list().orEmpty().asList()

fun threads(): Int = entries("task").size

/** The names of all threads, those of the library too. */
fun threadNames(): List<String> =
    entries("task").mapNotNull { runCatching { File("/proc/self/task/$it/comm").readText().trim() }.getOrNull() }

fun sockets(): Int = entries("fd").count {
    // One may be closed meanwhile.
    runCatching { Files.readSymbolicLink(Path.of("/proc/self/fd", it)).toString() }.getOrDefault("").startsWith("socket:")
}

fun descriptors(): Int = entries("fd").size

/** Resident memory, in MB. */
fun memory(): Double =
    File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }.filter(Char::isDigit).toDouble() / 1024
