package cliauth

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

// How calls block a thread, and for how long.
//
// Between polls a login waits in Kotlin, as a suspended coroutine or a parked thread. While a request is in flight, a
// thread must be inside the library, because only the library reads the sockets. It stays there in short slices. After
// each slice the call may end, and other logins may use the thread.

/** Longest single call into the library, in seconds. `cancel` ends it earlier; an interrupt takes effect at its end. */
internal const val SLICE = 0.02

/**
 * Longest single sleep, in seconds. The JVM's clock stops while the machine is suspended; the library's clock does not.
 */
internal const val LONGEST_SLEEP = 5.0

/** Maximum number of coroutines that are inside the library at the same time. */
private const val MOST_THREADS = 8

/** The dispatcher on which coroutines enter the library. */
internal val threads: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(MOST_THREADS)

internal fun throwIfInterrupted() {
    if (Thread.interrupted()) throw InterruptedException("interrupted while a request was under way")
}

/** Runs [work]. If it ends as cancelled on an interrupted thread, throws [InterruptedException] instead. */
internal inline fun <T> preferringInterruption(work: () -> T): T = try {
    work()
} catch (cancelled: CancelledException) {
    throwIfInterrupted()
    throw cancelled
}
