package cliauth

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import java.time.Duration
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.locks.LockSupport
import java.util.function.Consumer
import kotlin.coroutines.coroutineContext
import kotlin.math.min
import kotlin.time.Duration.Companion.seconds
import cliauth.internal.Failure as NativeFailure
import cliauth.internal.Login as NativeLogin
import cliauth.internal.Step as NativeStep

/**
 * A single login attempt, created by [Client.login].
 *
 * [start], [poll], [step] and [steps] suspend. The functions whose names end in `Blocking` do the same on the caller's thread,
 * for Java and for programs without coroutines. A login may be shared between threads, but only one call drives it at a time.
 * Until that call has ended, every other such call throws [BusyException], including calls from its callback.
 *
 * Cancelling the coroutine that drives the login, for example by a timeout, cancels the login and throws the
 * `CancellationException` unchanged. Interrupting a blocked thread cancels the login too and throws [InterruptedException]. In
 * both cases, tokens that have arrived but were not returned yet are revoked if the server supports revocation, which may take up
 * to two seconds.
 */
public class Login internal constructor(private val native: NativeLogin) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** Wakes the call that is waiting outside of the library. */
    private val waker = AtomicReference<Runnable?>()

    @Volatile
    private var cancelled = false

    /** The prompt, or null before the server has issued a code. */
    public val prompt: Prompt? get() = native.prompt()?.let(::Prompt)

    /**
     * Requests a code from the server. Performs discovery if needed, then sends one request. Further calls return the same
     * prompt.
     *
     * @throws CliAuthException the login failed. Nothing is retried here because the user is waiting; on [NetworkException], try
     *   again later.
     */
    public suspend fun start(): Prompt = driving { number -> firstPrompt(number) }

    /**
     * Waits for the user's decision. [start] must have been called before.
     *
     * @param onEvent called between polls, in the caller's context. Its exceptions propagate unchanged, and `poll` may then be
     *   called again. A call from it that would drive this login throws [BusyException].
     * @throws CliAuthException [DeniedException], [ExpiredException], [CancelledException] and [ActionRequiredException] are the
     *   outcomes that every program should handle. Transport errors are not thrown; they are reported as [Event.Retrying], and
     *   the login continues.
     * @throws MisuseException [start] was not called, so the user has not seen the code
     */
    public suspend fun poll(onEvent: suspend (Event) -> Unit = {}): Tokens = driving { number ->
        calling { native.checkStarted(number) }
        var tokens: Tokens? = null
        while (tokens == null) {
            when (val step = next(number, null)) {
                is Tokens -> tokens = step
                is Event -> abandoningIfCancelled(number) { onEvent(step) }
                is Prompt, is Waiting -> {}
            }
        }
        tokens
    }

    /**
     * Drives the login for at most [maxWait]. This is the primitive under [start] and [poll], for programs with their own event
     * loop.
     *
     * A request that is in flight when the time is up continues; a later step receives its response, and it is never sent again.
     * After the outcome, every step returns or throws that outcome again.
     *
     * @throws MisuseException [maxWait] is negative
     */
    public suspend fun step(maxWait: Duration): Step = driving { number -> next(number, until(maxWait)) }

    /**
     * Returns the whole login as a cold flow: the [Prompt], the [Event]s, and finally the [Tokens]. The collection drives the
     * login, and counts as one call. A collector that stops before the tokens cancels the login.
     */
    public fun steps(): Flow<Step> = flow {
        driving { number ->
            var step: Step = firstPrompt(number)
            while (step !is Tokens) {
                try {
                    emit(step)
                } catch (stop: Throwable) {
                    abandon(number)
                    throw stop
                }
                step = next(number, null)
            }
            // The collector receives the tokens here, so they count as accepted even if it stops now.
            emit(step)
        }
    }

    /**
     * Blocking version of [start].
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun startBlocking(): Prompt = driving { number ->
        var prompt = prompt
        while (prompt == null) {
            nextBlocking(number, null)
            prompt = this.prompt
        }
        prompt
    }

    /**
     * Blocking version of [poll]. [onEvent] is called on this thread.
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @JvmOverloads
    @Throws(InterruptedException::class)
    public fun pollBlocking(onEvent: Consumer<in Event> = Consumer {}): Tokens = driving { number ->
        calling { native.checkStarted(number) }
        var tokens: Tokens? = null
        while (tokens == null) {
            when (val step = nextBlocking(number, null)) {
                is Tokens -> tokens = step
                is Event -> abandoningIfInterrupted(number) { onEvent.accept(step) }
                is Prompt, is Waiting -> {}
            }
        }
        tokens
    }

    /**
     * Blocking version of [step]. With zero it does not block, except for the step that ends a cancelled login.
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun stepBlocking(maxWait: Duration): Step = driving { number -> nextBlocking(number, until(maxWait)) }

    /**
     * Cancels the login. The call that drives it throws [CancelledException] immediately, whatever it is waiting for. Every later
     * call throws it too, except that [start] still returns an existing prompt.
     *
     * This function may be called from any thread, from a shutdown hook, and more than once. After the outcome it has no effect.
     */
    public fun cancel() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // The login is closed, which has already cancelled it.
        }
        cancelled = true
        waker.get()?.run()
    }

    /**
     * Cancels the login unless it has an outcome, and frees its memory, either immediately or when the call that drives it has
     * ended. Later calls throw [IllegalStateException]. Tokens that arrived too late are revoked, which may take up to two
     * seconds.
     */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        cancel()
        freeUnlessDriven()
    }

    override fun toString(): String = "Login(prompt=${if (closed.get()) null else prompt})"

    /** Claims the login for [work], which drives it under the number of this call. */
    private inline fun <T> driving(work: (ULong) -> T): T {
        check(!closed.get()) { "this login is closed" }
        val number = nextNumber()
        calling { native.claim(number) }
        try {
            return work(number)
        } finally {
            native.release(number)
            // If `close` was called during this call, this call must free the login at its end.
            if (closed.get()) freeUnlessDriven()
        }
    }

    /**
     * Frees a closed login. If a call is driving it, that call frees it at its end. The claim is kept, so that no other call
     * begins.
     */
    private fun freeUnlessDriven() {
        val number = nextNumber()
        try {
            native.claim(number)
        } catch (busy: NativeFailure) {
            busy.close()
            return
        } catch (_: IllegalStateException) {
            // Another thread has freed it.
            return
        }
        native.use { it.abandon(number) }
    }

    private suspend fun firstPrompt(number: ULong): Prompt {
        var prompt = prompt
        while (prompt == null) {
            next(number, null)
            prompt = this.prompt
        }
        return prompt
    }

    private fun until(maxWait: Duration): Double {
        if (maxWait.isNegative) throw MisuseException("maxWait must not be negative: $maxWait")
        return now() + seconds(maxWait)
    }

    private suspend fun next(number: ULong, until: Double?): Step = abandoningIfCancelled(number) {
        withContext(threads) {
            cancellingWithCoroutine {
                advance(number, until, sleep = { sleepSuspended(it) }, throwIfCancelled = { yield() })
            }
        }
    }

    private fun nextBlocking(number: ULong, until: Double?): Step = abandoningIfInterrupted(number) {
        advance(number, until, sleep = { sleepParked(it) }, throwIfCancelled = ::throwIfInterrupted)
    }

    /** Drives the login to the next step that the caller must see, but not beyond [until]. */
    private inline fun advance(number: ULong, until: Double?, sleep: (Double) -> Unit, throwIfCancelled: () -> Unit): Step {
        var slice = 0.0
        while (true) {
            throwIfCancelled()
            val found = calling { native.step(number, slice) }
            val step = stepOf(found)
            if (found !is NativeStep.Waiting) return step
            val left = if (until == null) LONGEST_SLEEP else until - now()
            if (left <= 0) return step
            if (found.dueIn > 0) sleep(min(found.dueIn, min(left, LONGEST_SLEEP)))
            slice = if (until == null) SLICE else (until - now()).coerceIn(0.0, SLICE)
        }
    }

    private suspend fun sleepSuspended(time: Double) {
        val woken = Job()
        sleepingUntil({ woken.complete() }) { withTimeoutOrNull(time.seconds) { woken.join() } }
    }

    private fun sleepParked(time: Double) {
        val thread = Thread.currentThread()
        sleepingUntil({ LockSupport.unpark(thread) }) { LockSupport.parkNanos(this, (time * NANOS).toLong()) }
    }

    private inline fun sleepingUntil(wake: Runnable, sleep: () -> Unit) {
        waker.set(wake)
        try {
            // The check must follow the assignment, because `cancel` may be called between the two.
            if (!cancelled) sleep()
        } finally {
            waker.set(null)
        }
    }

    /** Runs [work], which may be inside the library, and cancels the login if this coroutine is cancelled in the meantime. */
    private suspend fun <T> cancellingWithCoroutine(work: suspend () -> T): T = coroutineScope {
        val over = AtomicBoolean()
        val listener =
            launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                suspendCancellableCoroutine<Unit> {
                    it.invokeOnCancellation { if (!over.get()) cancel() }
                }
            }
        try {
            work()
        } catch (cancelled: CancelledException) {
            // If the coroutine was cancelled, throw its CancellationException instead.
            coroutineContext.ensureActive()
            throw cancelled
        } finally {
            over.set(true)
            listener.cancel()
        }
    }

    /** Revokes tokens that arrive while the coroutine is cancelled in [work], because they can no longer be returned. */
    private suspend inline fun <T> abandoningIfCancelled(number: ULong, work: () -> T): T = try {
        work()
    } catch (end: CancellationException) {
        if (!coroutineContext.isActive) abandon(number)
        throw end
    }

    private inline fun <T> abandoningIfInterrupted(number: ULong, work: () -> T): T = try {
        work()
    } catch (interrupted: InterruptedException) {
        native.abandon(number)
        throw interrupted
    }

    private suspend fun abandon(number: ULong) = withContext(NonCancellable + Dispatchers.IO) { native.abandon(number) }

    private companion object {
        const val NANOS = 1e9
        val numbers = AtomicLong()

        /** Returns a number for a call that drives a login. It is unique in this process. */
        fun nextNumber(): ULong = numbers.incrementAndGet().toULong()

        /** Returns the seconds since an arbitrary time. */
        fun now(): Double = System.nanoTime() / NANOS
    }
}
