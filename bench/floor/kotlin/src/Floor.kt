// The floor in Kotlin: only JNA and the shared library of the floor.
//
// usage: FloorKt LIBRARY https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]

import com.sun.jna.Native

object Floor {
    @Suppress("ktlint:standard:function-naming")
    external fun floor_step(words: String): String?
}

fun main(words: Array<String>) {
    val (library, url, caFile) = words
    val polls = words.getOrNull(3)?.toInt() ?: 0
    val pause = words.getOrNull(4)?.toDouble() ?: 0.0
    Native.register(Floor::class.java, library)

    println(Floor.floor_step("$url $caFile"))
    val process = ProcessHandle.current().info()
    val before = process.totalCpuDuration().get()
    var done = 0
    while (done < polls) {
        Thread.sleep((pause * 1000).toLong())
        done += 1
        if (Floor.floor_step("") == "token") {
            println("token")
            break
        }
    }
    val spent = ProcessHandle.current().info().totalCpuDuration().get() - before
    println("polls $done cpu_us ${spent.toNanos() / 1000}")
}
