package cliauth

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

// How this package waits.
//
// Between polls a login waits in Kotlin: a suspended coroutine, or a parked thread. While a request is under way somebody has to be
// inside the library, whose sockets nobody else looks at: in slices, after each of which the caller may go, and others get the
// thread.

/** Longest stay inside the library in one piece, in seconds. `cancel` ends it earlier; an interrupt waits for its end. */
internal const val SLICE = 0.02

/** Longest wait in one piece, in seconds. The JVM's clock stands still while the machine is suspended, the library's goes on. */
internal const val LONGEST_NAP = 5.0

/** Longest wait for the revocation of a token that came too late, in seconds, as in the library. */
internal const val REVOKE_WITHIN = 2.0

/** Logins that are inside the library at once, however many there are. */
private const val MOST_THREADS = 8

/** Where coroutines enter the library. */
internal val threads: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(MOST_THREADS)

internal fun throwIfInterrupted() {
    if (Thread.interrupted()) throw InterruptedException("interrupted while a server was asked")
}
