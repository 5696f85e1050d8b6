package cliauth

import kotlinx.coroutines.ensureActive
import java.time.Duration
import kotlin.coroutines.coroutineContext
import cliauth.internal.Event as NativeEvent
import cliauth.internal.Failure as NativeFailure
import cliauth.internal.InternalException as Panic
import cliauth.internal.Step as NativeStep

/**
 * Calls the library, and throws its errors as exceptions of this package.
 *
 * @param closed the message of the [MisuseException] if an object in the call is closed
 */
internal inline fun <T> calling(closed: String, call: () -> T): T = try {
    call()
} catch (failure: NativeFailure) {
    throw exceptionOf(failure)
} catch (_: IllegalStateException) {
    // The generated module has no other use for this exception.
    throw MisuseException(closed)
} catch (_: Panic) {
    // The library has already printed the details to standard error.
    throw InternalException("a defect of cli-auth: please report this")
}

/** Runs [work]. If it fails in a cancelled coroutine, throws the `CancellationException` of the coroutine instead. */
internal suspend inline fun <T> preferringCancellation(work: () -> T): T = try {
    work()
} catch (error: CliAuthException) {
    coroutineContext.ensureActive()
    throw error
}

/** Returns the exception for a failure, and frees the failure. */
internal fun exceptionOf(failure: NativeFailure): CliAuthException = failure.use(::exception)

private fun exception(failure: NativeFailure): CliAuthException {
    val message = failure.toString()
    val details =
        CliAuthException.Details(
            oauthError = failure.oauthError(),
            description = failure.description(),
            detail = failure.detail(),
            httpStatus = failure.httpStatus()?.toInt(),
            requestId = failure.requestId(),
            retryAfter = failure.retryAfter()?.let(::duration),
            claims = failure.claims(),
            organizations = failure.organizations()?.map { Organization(it.id, it.name) },
            pendingAuthenticationToken = failure.pendingAuthenticationToken()?.let(::Secret),
            members = members(failure),
        )
    return when (failure.kind()) {
        "denied" -> DeniedException(message, details)
        "expired" -> ExpiredException(message, details)
        "cancelled" -> CancelledException(message, details)
        "action_required" -> ActionRequiredException(message, details)
        "login_required" -> LoginRequiredException(message, details)
        "rejected" -> RejectedException(message, details)
        "unsupported" -> UnsupportedException(message, details)
        "network" -> NetworkException(message, details)
        "tls" -> TlsException(message, details)
        "proxy" -> ProxyException(message, details)
        "invalid_response" -> InvalidResponseException(message, details)
        "invalid_config" -> InvalidConfigException(message, details)
        "store" -> StoreException(message, details)
        "misuse" -> MisuseException(message, details)
        "busy" -> BusyException(message, details)
        // Includes `forked`, because a JVM does not fork.
        else -> InternalException(message, details)
    }
}

private fun members(failure: NativeFailure): Map<String, Secret> {
    val members = linkedMapOf<String, Secret>()
    for (name in failure.memberNames()) failure.member(name)?.let { members[name] = Secret(it) }
    return members
}

/** Returns the public result of a step. */
internal fun stepOf(step: NativeStep): Step = when (step) {
    is NativeStep.Prompt -> Prompt(step.prompt)
    is NativeStep.Event -> event(step.event)
    is NativeStep.Waiting -> Waiting(duration(step.dueIn))
    is NativeStep.Authorized -> Tokens(step.tokens)
}

private fun event(event: NativeEvent): Event = when (event) {
    is NativeEvent.Pending -> Event.Pending(duration(event.nextPollIn), duration(event.expiresIn))
    is NativeEvent.SlowedDown -> Event.SlowedDown(duration(event.interval))
    is NativeEvent.Retrying ->
        Event.Retrying(event.reason, event.attempt.toInt(), duration(event.retryIn), event.requestId)
    is NativeEvent.Resumed -> Event.Resumed(duration(event.suspendedFor))
    is NativeEvent.IdentityUnverified -> Event.IdentityUnverified(event.message)
}

private const val NANOS = 1e9

// Longer than any wait, and within the range of a Duration.
private const val MOST_SECONDS = 1e12

internal fun duration(seconds: Double): Duration {
    val bounded = seconds.coerceIn(-MOST_SECONDS, MOST_SECONDS)
    val whole = bounded.toLong()
    return Duration.ofSeconds(whole, ((bounded - whole) * NANOS).toLong())
}

internal fun seconds(duration: Duration): Double = duration.seconds + duration.nano / NANOS

/** Returns [text], or throws [MisuseException] if it contains half a surrogate pair. */
internal fun checked(name: String, text: String): String {
    val broken = text.indices.any { text[it].isSurrogate() && !isPaired(text, it) }
    if (broken) throw MisuseException("$name is not valid text: it contains half a surrogate pair")
    return text
}

private fun isPaired(text: String, index: Int): Boolean = if (text[index].isHighSurrogate()) {
    text.getOrNull(index + 1)?.isLowSurrogate() == true
} else {
    text.getOrNull(index - 1)?.isHighSurrogate() == true
}
