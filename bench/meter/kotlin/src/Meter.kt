// Measures `cliauth` from inside a program, as bench/meter does for Rust. Each measure prints one JSON object on one
// line.
//
// usage: MeterKt polls  --url URL --ca-file FILE --logins N --seconds S
//        MeterKt cancel --url URL --ca-file FILE --logins N --after SECONDS
//        MeterKt job    --url URL --ca-file FILE --logins N --after SECONDS
//        MeterKt crowd  --url URL --ca-file FILE --logins N
//
// polls   N logins, polled by one thread in turn: processor time of a poll on a kept connection
// cancel  N logins, a client and a thread each: from cancel() on another thread to the return of pollBlocking()
// job     N logins, a client and a coroutine each: from the cancellation of the coroutine to its end
// crowd   N coroutines that log in with one client, from the start to the token

import cliauth.CancelledException
import cliauth.CliAuthException
import cliauth.Client
import cliauth.Event
import cliauth.Login
import com.sun.management.OperatingSystemMXBean
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.PriorityQueue
import kotlin.concurrent.thread
import kotlin.system.exitProcess

// The server's interval plus the client's guard, in seconds.
private const val PERIOD = 1.05

// Pause between two cancels, so that they do not affect each other, in milliseconds.
private const val PAUSE = 5L

// Interval in which open sockets and threads are counted, in milliseconds.
private const val LOOK = 50L

class Options(words: List<String>) {
    private val values = words.chunked(2).associate { (name, value) -> name to value }
    private val url = values.getValue("--url")
    private val caFile = values.getValue("--ca-file")
    val logins = values.getValue("--logins").toInt()
    val seconds get() = values.getValue("--seconds").toDouble()
    val after get() = (values.getValue("--after").toDouble() * 1000).toLong()

    /** Returns a client with explicit endpoints, so that no discovery is needed. */
    fun client(): Client = Client.withEndpoints("$url/oauth2/device_authorization", "$url/oauth2/token", "bench") {
        caPem = File(caFile).readBytes()
    }
}

fun main(words: Array<String>) {
    val options = Options(words.drop(1))
    val measured =
        when (words[0]) {
            "polls" -> polls(options)
            "cancel" -> cancel(options)
            "job" -> job(options)
            "crowd" -> crowd(options)
            else -> error("unknown measure ${words[0]}")
        }
    println(measured)
    exitProcess(0)
}

private class Due(val at: Double, val login: Login) : Comparable<Due> {
    override fun compareTo(other: Due) = at.compareTo(other.at)
}

/**
 * A client waits at least a second between the polls of one login, so many logins share one client here. One thread
 * drives the login that is due next, like a tool drives its only login. The starts are staggered, so that polls do
 * not overlap.
 */
private fun polls(options: Options): String {
    val shared = options.client()
    val due = PriorityQueue<Due>()
    val began = now()
    for (number in 0 until options.logins) {
        sleepUntil(began + PERIOD / options.logins * number)
        val login = shared.login()
        login.startBlocking()
        due += Due(now() + PERIOD, login)
    }
    // The first round is not measured. It brings every login into the state in which later rounds find it.
    val begin = now() + PERIOD
    val end = begin + options.seconds
    var before = -1.0
    var done = 0
    var slept = 0.0
    while (due.first().at < end) {
        val next = due.remove()
        if (before < 0 && next.at >= begin) {
            before = cpu()
            done = 0
            slept = 0.0
        }
        slept += maxOf(0.0, next.at - now())
        val event = next.login.stepBlocking(Duration.ofSeconds(60))
        check(event is Event.Pending) { "expected every poll to be pending, got $event" }
        done += 1
        due += Due(now() + event.nextPollIn.toNanos() / 1e9, next.login)
    }
    val spent = (cpu() - before) * 1e6
    return """{"polls":$done,"slept_s":${slept / done},"cpu_us":$spent,"sockets":${sockets()}}"""
}

private fun cancel(options: Options): String {
    val logins = List(options.logins) { options.client().login() }
    val returned = LongArray(options.logins)
    val threads =
        logins.mapIndexed { number, login ->
            login.startBlocking()
            thread {
                try {
                    login.pollBlocking()
                } catch (_: CancelledException) {
                    returned[number] = System.nanoTime()
                }
            }
        }
    // Long enough to reach the requested state: asleep, or with a request in flight.
    Thread.sleep(options.after)
    val milliseconds =
        logins.mapIndexed { number, login ->
            Thread.sleep(PAUSE)
            val cancelled = System.nanoTime()
            login.cancel()
            threads[number].join()
            (returned[number] - cancelled) / 1e6
        }
    return """{"milliseconds":$milliseconds}"""
}

private fun job(options: Options): String = runBlocking(Dispatchers.Default) {
    val jobs =
        List(options.logins) {
            val login = options.client().login()
            login.start()
            launch { login.poll() }
        }
    delay(options.after)
    val milliseconds =
        jobs.map {
            delay(PAUSE)
            val cancelled = System.nanoTime()
            it.cancelAndJoin()
            (System.nanoTime() - cancelled) / 1e6
        }
    """{"milliseconds":$milliseconds}"""
}

private fun crowd(options: Options): String = runBlocking(Dispatchers.Default) {
    val shared = options.client()
    var mostSockets = 0
    var mostThreads = 0
    val watcher =
        launch {
            while (true) {
                mostSockets = maxOf(mostSockets, sockets())
                mostThreads = maxOf(mostThreads, entries("/proc/self/task").size)
                delay(LOOK)
            }
        }
    val began = now()
    val outcomes = List(options.logins) { async { runCatching { logIn(shared.login()) } } }.awaitAll()
    val wall = now() - began
    val spent = cpu()
    watcher.cancelAndJoin()
    val gaps = outcomes.mapNotNull { it.getOrNull() }.flatten().sorted()
    val failed =
        outcomes
            .mapNotNull { it.exceptionOrNull() }
            .groupingBy { (it as? CliAuthException)?.kind ?: it.javaClass.simpleName }
            .eachCount()
    val told = failed.entries.joinToString(",", "{", "}") { (kind, times) -> "\"$kind\":$times" }
    """{"done":${options.logins - failed.values.sum()},"failed":$told,"wall_s":$wall,"cpu_s":$spent,"peak_kib":${peakKib()},""" +
        """"sockets":$mostSockets,"threads":$mostThreads,"gap_p99_s":${gaps.getOrNull(gaps.size * 99 / 100)}}"""
}

/** Runs one login and returns the seconds from each response to the next, including the request. */
private suspend fun logIn(login: Login): List<Double> {
    login.start()
    val times = mutableListOf(now())
    login.poll { times += now() }
    times += now()
    return times.zipWithNext { earlier, later -> later - earlier }
}

private fun now() = System.nanoTime() / 1e9

private fun sleepUntil(time: Double) = Thread.sleep(maxOf(0.0, (time - now()) * 1000).toLong())

/** Processor time of this process, in seconds. */
private fun cpu() = (ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean).processCpuTime / 1e9

private fun entries(folder: String) = File(folder).list().orEmpty()

/** Open sockets. */
private fun sockets() = entries("/proc/self/fd").count {
    // A descriptor may be closed meanwhile.
    runCatching { Files.readSymbolicLink(Path.of("/proc/self/fd", it)).toString() }.getOrDefault("").startsWith("socket:")
}

/** Peak resident memory. */
private fun peakKib() = File("/proc/self/status").readLines().first { it.startsWith("VmHWM:") }.filter(Char::isDigit)
