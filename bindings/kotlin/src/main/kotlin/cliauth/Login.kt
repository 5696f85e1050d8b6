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
import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.locks.LockSupport
import java.util.function.Consumer
import kotlin.coroutines.coroutineContext
import kotlin.math.min
import kotlin.time.Duration.Companion.seconds
import cliauth.internal.Client as NativeClient
import cliauth.internal.Failure as NativeFailure
import cliauth.internal.Login as NativeLogin
import cliauth.internal.Step as NativeStep

/**
 * One attempt to log in. It comes from [Client.login].
 *
 * [start], [poll], [step] and [steps] suspend; what ends in `Blocking` does the same on the caller's thread, for Java and for programs
 * without coroutines. All threads may use a login, but only one call drives it at a time: a second one gets [BusyException].
 *
 * The end of the coroutine that drives it, by a timeout for instance, cancels the login, and its `CancellationException` comes out
 * as it is. So does the interruption of a thread, as [InterruptedException]. Where a token came at that very moment, it is
 * revoked first if the server can, which may take two seconds.
 */
public class Login internal constructor(private val client: NativeClient, private val native: NativeLogin) : AutoCloseable {
    private val driven = AtomicBoolean()
    private val closed = AtomicBoolean()

    /** What `cancel` does for whoever waits outside of the library. */
    private val sleeper = AtomicReference<Runnable?>()

    @Volatile
    private var cancelled = false

    /** Whether the tokens are in somebody's hands. */
    @Volatile
    private var given = false

    /** The prompt, once there is one. */
    public val prompt: Prompt? get() = native.prompt()?.let(::Prompt)

    /**
     * Asks the server for a code: discovery where needed, then one request. Called again, it gives the same prompt.
     *
     * @throws CliAuthException nothing is tried twice here, since a person is waiting: [NetworkException] means "try again later"
     */
    public suspend fun start(): Prompt = driving { firstPrompt() }

    /**
     * Waits for the person's decision.
     *
     * @param onEvent called between the polls, in the caller's context, with what there is to tell. An exception of it comes out as
     *   it is, and `poll` may be called again.
     * @throws CliAuthException [DeniedException], [ExpiredException], [CancelledException] and [ActionRequiredException] are the ends
     *   that every program meets. Transport trouble is none: it is told as [Event.Retrying], and the login goes on.
     */
    public suspend fun poll(onEvent: suspend (Event) -> Unit = {}): Tokens = driving {
        calling { native.checkStarted() }
        var tokens: Tokens? = null
        while (tokens == null) {
            when (val found = next(null)) {
                is Tokens -> tokens = found
                is Event -> endingWithTheCoroutine { onEvent(found) }
                is Prompt, is Waiting -> {}
            }
        }
        tokens
    }

    /**
     * Drives the login for at most [maxWait]: the primitive under [start] and [poll], for programs with a loop of their own.
     *
     * A request that is under way when the time is up goes on: the next step finds its answer, and it is never sent again. After
     * the outcome every step gives it again.
     */
    public suspend fun step(maxWait: Duration): Step = driving { next(until(maxWait)) }

    /**
     * The whole login as a cold flow: the [Prompt], what there is to tell, and last the [Tokens]. It drives the login while it is
     * collected. A collector that stops before the end gives the login up.
     */
    public fun steps(): Flow<Step> = flow {
        driving {
            try {
                emit(firstPrompt())
                do {
                    val found = next(null)
                    emit(found)
                } while (found !is Tokens)
            } finally {
                withContext(NonCancellable + Dispatchers.IO) { giveUp() }
            }
        }
    }

    /**
     * As [start], on this thread.
     *
     * @throws InterruptedException the thread was interrupted, and the login is cancelled
     */
    @Throws(InterruptedException::class)
    public fun startBlocking(): Prompt = driving {
        var prompt = prompt
        while (prompt == null) {
            nextBlocking(null)
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
    public fun pollBlocking(onEvent: Consumer<in Event> = Consumer {}): Tokens = driving {
        calling { native.checkStarted() }
        var tokens: Tokens? = null
        while (tokens == null) {
            when (val found = nextBlocking(null)) {
                is Tokens -> tokens = found
                is Event -> onEvent.accept(found)
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
    public fun stepBlocking(maxWait: Duration): Step = driving { nextBlocking(until(maxWait)) }

    /**
     * Ends the login: the call that drives it throws [CancelledException] at once, whatever it waits for, and so does every later one.
     * From any thread, as often as you like, also from a shutdown hook. After the outcome it changes nothing.
     */
    public fun cancel() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // It is closed, which ended it.
        }
        cancelled = true
        sleeper.get()?.run()
    }

    /**
     * Cancels the login unless it has its outcome, and gives its memory back. Later calls throw [IllegalStateException]. It takes
     * two seconds at most, where a token that came too late is revoked.
     */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        cancel()
        freeUnlessDriven()
    }

    override fun toString(): String = "Login(prompt=${if (closed.get()) null else prompt})"

    private inline fun <T> driving(work: () -> T): T {
        val first = driven.compareAndSet(false, true)
        if (!first && !closed.get()) throw BusyException("this login is driven by another call already")
        check(first) { CLOSED }
        try {
            check(!closed.get()) { CLOSED }
            return work()
        } finally {
            driven.set(false)
            if (closed.get()) freeUnlessDriven()
        }
    }

    /** A login that was closed is freed by whoever has the turn, or had it last. The turn is not given back. */
    private fun freeUnlessDriven() {
        if (!driven.compareAndSet(false, true)) return
        giveUp()
        native.close()
        client.close()
    }

    private suspend fun firstPrompt(): Prompt {
        var prompt = prompt
        while (prompt == null) {
            next(null)
            prompt = this.prompt
        }
        return prompt
    }

    private fun until(maxWait: Duration): Double = now() + limit("maxWait", maxWait)

    private suspend fun next(until: Double?): Step {
        val found =
            endingWithTheCoroutine {
                withContext(threads) {
                    hearingCancellation {
                        advance(until, nap = { napSuspended(it) }, lookAround = { yield() })
                    }
                }
            }
        given = given || found is Tokens
        return found
    }

    private fun nextBlocking(until: Double?): Step {
        val found =
            try {
                advance(until, nap = { napParked(it) }, lookAround = ::throwIfInterrupted)
            } catch (interrupted: InterruptedException) {
                giveUp()
                throw interrupted
            }
        given = given || found is Tokens
        return found
    }

    /** Goes on to the next thing that somebody has to know, but not beyond [until]. */
    private inline fun advance(until: Double?, nap: (Double) -> Unit, lookAround: () -> Unit): Step {
        var stay = 0.0
        while (true) {
            lookAround()
            val step = calling { native.step(stay) }
            val found = found(step)
            if (step !is NativeStep.Waiting) return found
            val left = if (until == null) LONGEST_NAP else until - now()
            if (left <= 0) return found
            if (step.dueIn > 0) nap(min(step.dueIn, min(left, LONGEST_NAP)))
            stay = if (until == null) SLICE else (until - now()).coerceIn(0.0, SLICE)
        }
    }

    private suspend fun napSuspended(time: Double) {
        val woken = Job()
        sleepingUntil({ woken.complete() }) { withTimeoutOrNull(time.seconds) { woken.join() } }
    }

    private fun napParked(time: Double) {
        val thread = Thread.currentThread()
        sleepingUntil({ LockSupport.unpark(thread) }) { LockSupport.parkNanos(this, (time * NANOS).toLong()) }
    }

    private inline fun sleepingUntil(wake: Runnable, sleep: () -> Unit) {
        sleeper.set(wake)
        try {
            // In this order: `cancel` may come in between.
            if (!cancelled) sleep()
        } finally {
            sleeper.set(null)
        }
    }

    /** The end of this coroutine ends [work], which may be inside the library. */
    private suspend fun <T> hearingCancellation(work: suspend () -> T): T = coroutineScope {
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
            // Where the coroutine's end is why, that is what comes out.
            coroutineContext.ensureActive()
            throw cancelled
        } finally {
            over.set(true)
            listener.cancel()
        }
    }

    /** Gives the login up where the coroutine has ended. */
    private suspend fun <T> endingWithTheCoroutine(work: suspend () -> T): T = try {
        work()
    } catch (end: CancellationException) {
        if (!coroutineContext.isActive) withContext(NonCancellable + Dispatchers.IO) { giveUp() }
        throw end
    }

    /** Cancels the login, and has a token revoked that came but is in nobody's hands. For whoever has the turn. */
    private fun giveUp() {
        cancel()
        if (given) return
        try {
            val step = native.step(0.0)
            if (step is NativeStep.Authorized) revoke(Tokens(step.tokens))
        } catch (failure: NativeFailure) {
            // It was cancelled, or the server cannot revoke.
            failure.close()
        }
    }

    private fun revoke(tokens: Tokens) = tokens.use {
        client.beginRevoke((tokens.refreshToken ?: tokens.accessToken).native).use { revocation ->
            val until = now() + REVOKE_WITHIN
            while (!revocation.step(SLICE) && now() < until) {
                // The library waits.
            }
        }
    }

    private companion object {
        const val NANOS = 1e9
        const val CLOSED = "this login is closed"

        /** Seconds since some moment. */
        fun now(): Double = System.nanoTime() / NANOS
    }
}
