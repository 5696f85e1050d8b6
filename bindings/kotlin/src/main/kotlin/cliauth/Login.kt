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
import cliauth.internal.InternalException as Panic
import cliauth.internal.Login as NativeLogin
import cliauth.internal.Step as NativeStep

/**
 * A single login attempt, created by [Client.login].
 *
 * [start], [poll], [step] and [steps] suspend. The functions whose names end in `Blocking` do the same on the caller's
 * thread, for Java and for programs without coroutines. A login may be shared between threads, but only one call drives
 * it at a time. Until that call has ended, every other such call throws [BusyException], including calls from its
 * callback.
 *
 * Cancelling the coroutine that drives the login, for example by a timeout, cancels the login and throws the
 * `CancellationException` unchanged. Interrupting a blocked thread cancels the login too and throws
 * [InterruptedException]. In both cases, tokens that have arrived but were not returned yet are revoked if the server
 * supports revocation, which may take up to two seconds.
 *
 * After [close], every call except [cancel], [close] and [toString] throws [MisuseException].
 */
public class Login internal constructor(private val native: NativeLogin) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** Wakes the call that is waiting outside of the library. */
    private val waker = AtomicReference<Runnable?>()

    @Volatile
    private var cancelled = false

    /**
     * The prompt, or null before the server has issued a code. May be read from any thread, also while a call drives
     * the login.
     */
    public val prompt: Prompt? get() {
        throwIfClosed()
        return issued()
    }

    /**
     * Requests a code from the server. Performs discovery if needed, then sends one request, or a second one without
     * PKCE if the server refuses PKCE. Further calls return the same prompt, or throw the exception of a login that has
     * failed.
     *
     * @throws CliAuthException the login failed. Nothing is retried here because the user is waiting; on
     *   [NetworkException], try again later.
     */
    public suspend fun start(): Prompt = drivingSuspended { number -> firstPrompt(number) }

    /**
     * Waits for the user's decision. [start] must have been called before.
     *
     * @param onEvent called between polls, in the caller's context. Its exceptions propagate unchanged, and `poll` may
     *   then be called again. A call from it that would drive this login throws [BusyException].
     * @throws CliAuthException [DeniedException], [ExpiredException], [CancelledException] and
     *   [ActionRequiredException] are the outcomes that every program should handle. Transport errors are not thrown;
     *   they are reported as [Event.Retrying], and the login continues.
     * @throws MisuseException [start] was not called, so the user has not seen the code
     */
    public suspend fun poll(onEvent: suspend (Event) -> Unit = {}): Tokens = drivingSuspended { number ->
        calling(CLOSED) { native.checkStarted(number) }
        var tokens: Tokens? = null
        while (tokens == null) {
            when (val step = nextProgress(number)) {
                is Tokens -> tokens = step
                is Event -> abandoningIfCancelled(number) { onEvent(step) }
                is Prompt -> {}
            }
        }
        tokens
    }

    /**
     * Drives the login for at most [maxWait]. This is the primitive under [start] and [poll], for programs with their
     * own event loop.
     *
     * A request that is in flight when the time is up continues; a later step receives its response, and it is never
     * sent again. After the outcome, every step returns or throws that outcome again.
     *
     * @throws MisuseException [maxWait] is negative
     */
    public suspend fun step(maxWait: Duration): Step = drivingSuspended { number -> next(number, until(maxWait)) }

    /**
     * Returns the login as a cold flow. Each collection drives the login, counts as one call until it ends, and throws
     * what [start] and [poll] throw.
     *
     * A collection starts the login if nothing has started it. It begins with the [Prompt], goes on with the [Event]s,
     * and ends after the [Tokens].
     *
     * A collector that leaves early, by `first()`, `take(1)` or an exception of its own, does not end the login:
     * another collection or [poll] continues it. Cancelling the coroutine that collects cancels the login. Operators
     * such as `buffer` and `flowOn` collect in a coroutine of their own, which an exception of the collector cancels.
     */
    public fun steps(): Flow<Progress> = flow {
        drivingSuspended { number ->
            var step: Progress = firstPrompt(number)
            while (step !is Tokens) {
                abandoningIfCancelled(number) { emit(step) }
                step = nextProgress(number)
            }
            // The collector receives the tokens here, so they count as accepted even if it is cancelled now.
            emit(step)
        }
    }

    /**
     * Blocking version of [start].
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun startBlocking(): Prompt = driving(::throwIfInterrupted) { number ->
        var prompt = started(number)
        while (prompt == null) {
            nextBlocking(number, null)
            prompt = started(number)
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
    public fun pollBlocking(onEvent: Consumer<in Event> = Consumer {}): Tokens = driving(::throwIfInterrupted) { number ->
        calling(CLOSED) { native.checkStarted(number) }
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
     * Blocking version of [step]. With zero it does not wait for the network, except in the step that ends a cancelled
     * login. The step that sends the first request also reads the trusted root certificates.
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun stepBlocking(maxWait: Duration): Step =
        driving(::throwIfInterrupted) { number -> nextBlocking(number, until(maxWait)) }

    /**
     * Cancels the login. The call that drives it throws [CancelledException] immediately, whatever it is waiting for.
     * Every later call throws it too.
     *
     * This function may be called from any thread, from a shutdown hook, and more than once. After the outcome it has
     * no effect.
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
     * Cancels the login unless it has an outcome, and frees its memory, either immediately or when the call that drives
     * it has ended. That call throws [CancelledException], and later calls throw [MisuseException]. Tokens that arrived
     * too late are revoked, which may take up to two seconds.
     *
     * This function throws nothing. It may be called from any thread and more than once; only the first call has an
     * effect.
     */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        cancel()
        freeUnlessDriven()
    }

    override fun toString(): String = "Login(prompt=${runCatching { prompt }.getOrNull()})"

    private fun throwIfClosed() {
        if (closed.get()) throw MisuseException(CLOSED)
    }

    private fun issued(): Prompt? = calling(CLOSED) { native.prompt() }?.let(::Prompt)

    /** What [start] returns, or null if the call must step first. */
    private fun started(number: ULong): Prompt? = calling(CLOSED) { native.started(number) }?.let(::Prompt)

    /**
     * Claims the login for [work], which drives it under the number of this call.
     *
     * @param throwIfCancelled throws if the caller was cancelled. A caller that was cancelled before the login was
     *   closed must see only the former.
     */
    private inline fun <T> driving(throwIfCancelled: () -> Unit, work: (ULong) -> T): T {
        val number = nextNumber()
        try {
            throwIfClosed()
            calling(CLOSED) { native.claim(number) }
        } catch (refused: CliAuthException) {
            throwIfCancelled()
            // It may also have been closed after the check, and claimed by `close` itself.
            throwIfClosed()
            throw refused
        }
        try {
            return work(number)
        } finally {
            native.release(number)
            // If `close` was called during this call, this call must free the login at its end.
            if (closed.get()) freeUnlessDriven()
        }
    }

    private suspend inline fun <T> drivingSuspended(work: (ULong) -> T): T = driving({ coroutineContext.ensureActive() }, work)

    /**
     * Frees a closed login. If a call is driving it, that call frees it at its end. The claim is kept, so that no other
     * call begins.
     */
    private fun freeUnlessDriven() {
        val number = nextNumber()
        try {
            native.claim(number)
            native.use { it.abandon(number) }
        } catch (busy: NativeFailure) {
            busy.close()
        } catch (_: IllegalStateException) {
            // Another thread has freed it.
        } catch (_: Panic) {
            // The library has already printed the details to standard error.
        }
    }

    private suspend fun firstPrompt(number: ULong): Prompt {
        var prompt = started(number)
        while (prompt == null) {
            next(number, null)
            prompt = started(number)
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

    private suspend fun nextProgress(number: ULong): Progress {
        while (true) (next(number, null) as? Progress)?.let { return it }
    }

    private fun nextBlocking(number: ULong, until: Double?): Step = abandoningIfInterrupted(number) {
        preferringInterruption { advance(number, until, sleep = { sleepParked(it) }, throwIfCancelled = ::throwIfInterrupted) }
    }

    /** Drives the login to the next step that the caller must see, but not beyond [until]. */
    private inline fun advance(number: ULong, until: Double?, sleep: (Double) -> Unit, throwIfCancelled: () -> Unit): Step {
        var slice = 0.0
        while (true) {
            throwIfCancelled()
            val found = calling(CLOSED) { native.step(number, slice) }
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

    /**
     * Runs [work], which may be inside the library, and cancels the login if this coroutine is cancelled in the
     * meantime.
     */
    private suspend fun <T> cancellingWithCoroutine(work: suspend () -> T): T = coroutineScope {
        val over = AtomicBoolean()
        val listener =
            launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                suspendCancellableCoroutine<Unit> {
                    it.invokeOnCancellation { cause -> if (!over.get() && !isOfCollector(cause)) cancel() }
                }
            }
        try {
            preferringCancellation { work() }
        } finally {
            over.set(true)
            listener.cancel()
        }
    }

    /**
     * Revokes tokens that arrive while the coroutine is cancelled in [work], because they can no longer be returned.
     */
    private suspend inline fun <T> abandoningIfCancelled(number: ULong, work: () -> T): T = try {
        work()
    } catch (end: CancellationException) {
        if (!coroutineContext.isActive && !isOfCollector(end)) abandon(number)
        throw end
    }

    /**
     * Returns whether a collector of [steps] has left early. Where an operator such as `buffer` collects in a coroutine
     * of its own, that coroutine is then cancelled, and only the exception shows why. Its class is internal to the
     * coroutines' library.
     */
    private fun isOfCollector(end: Throwable?): Boolean =
        listOfNotNull(end, end?.cause).any { it.javaClass.simpleName == "AbortFlowException" }

    private inline fun <T> abandoningIfInterrupted(number: ULong, work: () -> T): T = try {
        work()
    } catch (interrupted: InterruptedException) {
        native.abandon(number)
        throw interrupted
    }

    private suspend fun abandon(number: ULong) = withContext(NonCancellable + Dispatchers.IO) { native.abandon(number) }

    private companion object {
        const val CLOSED = "the login is closed"
        const val NANOS = 1e9
        val numbers = AtomicLong()

        /** Returns a number for a call that drives a login. It is unique in this process. */
        fun nextNumber(): ULong = numbers.incrementAndGet().toULong()

        /** Returns the seconds since an arbitrary time. */
        fun now(): Double = System.nanoTime() / NANOS
    }
}
