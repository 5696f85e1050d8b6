package cliauth

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

// Which calls block a thread, and for how long.
//
// Between polls a login waits in Kotlin: a suspended coroutine, or a parked thread. While a request is under way a thread must be
// inside the library, which alone looks at the sockets: in slices, after each of which the call may end, and other logins get the
// thread.

/** Longest stay inside the library in one piece, in seconds. `cancel` ends it earlier; an interrupt waits for its end. */
internal const val SLICE = 0.02

/** Longest sleep in one piece, in seconds. The JVM's clock stands still while the machine is suspended, the library's goes on. */
internal const val LONGEST_SLEEP = 5.0

/** Most logins that are inside the library at once. */
private const val MOST_THREADS = 8

/** Where coroutines enter the library. */
internal val threads: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(MOST_THREADS)

internal fun throwIfInterrupted() {
    if (Thread.interrupted()) throw InterruptedException("interrupted while a request was under way")
}
