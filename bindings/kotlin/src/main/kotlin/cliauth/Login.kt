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
 * A single login attempt. It comes from [Client.login].
 *
 * [start], [poll], [step] and [steps] suspend; what ends in `Blocking` does the same on the caller's thread, for Java and for programs
 * without coroutines. All threads may use a login, but one call drives it at a time, from its begin to its end: another one, also
 * from a callback of the first, throws [BusyException].
 *
 * Cancelling the coroutine that drives it, by a timeout for instance, cancels the login, and the `CancellationException` is rethrown
 * as it is. So does the interruption of a thread, as [InterruptedException]. Tokens that have arrived but were not returned yet are
 * then revoked if the server can, which may take two seconds.
 */
public class Login internal constructor(private val native: NativeLogin) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** Wakes the call that waits outside of the library. */
    private val waker = AtomicReference<Runnable?>()

    @Volatile
    private var cancelled = false

    /** The prompt, once there is one. */
    public val prompt: Prompt? get() = native.prompt()?.let(::Prompt)

    /**
     * Asks the server for a code: discovery where needed, then one request. Called again, it returns the same prompt.
     *
     * @throws CliAuthException nothing is tried twice here, since a user is waiting: [NetworkException] means "try again later"
     */
    public suspend fun start(): Prompt = driving { number -> firstPrompt(number) }

    /**
     * Waits for the user's decision. After [start]: before it, this throws [MisuseException].
     *
     * @param onEvent called between the polls, in the caller's context. An exception of it is rethrown as it is, and `poll` may be
     *   called again. A call from it that would drive this login throws [BusyException].
     * @throws CliAuthException [DeniedException], [ExpiredException], [CancelledException] and [ActionRequiredException] are the ends
     *   that every program meets. Transport trouble is none: it is reported as [Event.Retrying], and the login goes on.
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
     * Drives the login for at most [maxWait]: the primitive under [start] and [poll], for programs with a loop of their own.
     *
     * A request that is under way when the time is up goes on: the next step finds its response, and it is never sent again. After
     * the outcome every step returns it again.
     *
     * @throws MisuseException [maxWait] is negative
     */
    public suspend fun step(maxWait: Duration): Step = driving { number -> next(number, until(maxWait)) }

    /**
     * The whole login as a cold flow: the [Prompt], the [Event]s, and last the [Tokens]. Collecting it drives the login, from begin to
     * end. A collector that stops before the tokens cancels the login.
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
            // The collector has them now: they are accepted, also where it stops here.
            emit(step)
        }
    }

    /**
     * As [start], on this thread.
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
     * As [poll], on this thread, where [onEvent] is called too.
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
     * As [step], on this thread. Zero does not block, but for the step that ends a cancelled login.
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun stepBlocking(maxWait: Duration): Step = driving { number -> nextBlocking(number, until(maxWait)) }

    /**
     * Ends the login: the call that drives it throws [CancelledException] at once, whatever it waits for, and so does every later one.
     * It may be called from any thread and any number of times, also from a shutdown hook. After the outcome it changes nothing.
     */
    public fun cancel() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // It is closed, which ended it.
        }
        cancelled = true
        waker.get()?.run()
    }

    /**
     * Cancels the login unless it has its outcome, and frees its memory: at once, or when the call that drives it has ended. Later
     * calls throw [IllegalStateException]. Tokens that arrived too late are revoked, which may take two seconds.
     */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        cancel()
        freeUnlessDriven()
    }

    override fun toString(): String = "Login(prompt=${if (closed.get()) null else prompt})"

    /** Claims the login for [work], which drives it by the number of this call. */
    private inline fun <T> driving(work: (ULong) -> T): T {
        check(!closed.get()) { "this login is closed" }
        val number = nextNumber()
        calling { native.claim(number) }
        try {
            return work(number)
        } finally {
            native.release(number)
            // `closed` is needed here: a call that `close` has cancelled reports that, so it frees the login only now.
            if (closed.get()) freeUnlessDriven()
        }
    }

    /** Frees a login that was closed. While a call drives it, that call does so at its end. The claim is kept: no other call begins. */
    private fun freeUnlessDriven() {
        val number = nextNumber()
        try {
            native.claim(number)
        } catch (busy: NativeFailure) {
            busy.close()
            return
        } catch (_: IllegalStateException) {
            // It was freed meanwhile.
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

    /** Goes on to the next step that the caller must see, but not beyond [until]. */
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
            // In this order, since `cancel` may come in between.
            if (!cancelled) sleep()
        } finally {
            waker.set(null)
        }
    }

    /** Does [work], which may be inside the library, and cancels the login if this coroutine is cancelled meanwhile. */
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
            // Where the coroutine was cancelled, its own exception is thrown.
            coroutineContext.ensureActive()
            throw cancelled
        } finally {
            over.set(true)
            listener.cancel()
        }
    }

    /** Has tokens revoked that arrive while the coroutine is cancelled in [work]: they can no longer be returned. */
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

        /** The number of a call that drives a login: no other one of this process has it. */
        fun nextNumber(): ULong = numbers.incrementAndGet().toULong()

        /** Seconds since some moment. */
        fun now(): Double = System.nanoTime() / NANOS
    }
}
