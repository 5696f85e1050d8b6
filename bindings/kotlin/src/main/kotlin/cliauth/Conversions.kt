package cliauth

import java.time.Duration
import cliauth.internal.Event as NativeEvent
import cliauth.internal.Failure as NativeFailure
import cliauth.internal.InternalException as Panic
import cliauth.internal.Step as NativeStep

/** Calls the library, with its errors as exceptions of this package. */
internal inline fun <T> calling(call: () -> T): T = try {
    call()
} catch (failure: NativeFailure) {
    throw exceptionOf(failure)
} catch (_: Panic) {
    // What it says is for standard error, where it was said already.
    throw InternalException("a defect of cli-auth: please report this")
}

/** What the failure says, which is then given back. */
internal fun exceptionOf(failure: NativeFailure): CliAuthException = failure.use(::exception)

private fun exception(failure: NativeFailure): CliAuthException {
    val message = failure.toString()
    val details =
        CliAuthException.Details(
            oauthError = failure.oauthError(),
            description = failure.description(),
            httpStatus = failure.httpStatus()?.toInt(),
            requestId = failure.requestId(),
            retryAfter = failure.retryAfter()?.let(::duration),
            organizations = failure.organizations()?.map { Organization(it.id, it.name) },
            pendingAuthenticationToken = failure.pendingAuthenticationToken()?.let(::Secret),
        )
    return when (failure.kind()) {
        "denied" -> DeniedException(message, details)
        "expired" -> ExpiredException(message, details)
        "cancelled" -> CancelledException(message, details)
        "action_required" -> ActionRequiredException(message, details)
        "rejected" -> RejectedException(message, details)
        "unsupported" -> UnsupportedException(message, details)
        "network" -> NetworkException(message, details)
        "tls" -> TlsException(message, details)
        "invalid_response" -> InvalidResponseException(message, details)
        "invalid_config" -> InvalidConfigException(message, details)
        "busy" -> BusyException(message, details)
        // A JVM does not fork, so `forked` is one of these.
        else -> InternalException(message, details)
    }
}

/** What a step brought. */
internal fun found(step: NativeStep): Step = when (step) {
    is NativeStep.Prompt -> Prompt(step.prompt)
    is NativeStep.Event -> event(step.event)
    is NativeStep.Waiting -> Waiting(duration(step.dueIn))
    is NativeStep.Authorized -> Tokens(step.tokens)
}

private fun event(event: NativeEvent): Event = when (event) {
    is NativeEvent.Pending -> Event.Pending(duration(event.nextPollIn), duration(event.expiresIn))
    is NativeEvent.SlowedDown -> Event.SlowedDown(duration(event.interval))
    is NativeEvent.Retrying -> Event.Retrying(event.reason, event.attempt.toInt(), duration(event.retryIn))
    is NativeEvent.Resumed -> Event.Resumed(duration(event.suspendedFor))
}

private const val NANOS = 1e9

// More seconds than anybody waits, and fewer than a Duration can hold.
private const val FOREVER = 1e12

internal fun duration(seconds: Double): Duration {
    val bounded = seconds.coerceIn(-FOREVER, FOREVER)
    val whole = bounded.toLong()
    return Duration.ofSeconds(whole, ((bounded - whole) * NANOS).toLong())
}

internal fun seconds(duration: Duration): Double = duration.seconds + duration.nano / NANOS

/** The text, if it is one: half a surrogate pair is no character. */
internal fun checked(name: String, text: String): String {
    val broken = text.indices.any { text[it].isSurrogate() && !isPaired(text, it) }
    if (broken) throw InvalidConfigException("$name is not valid text: it has half a surrogate pair in it")
    return text
}

private fun isPaired(text: String, index: Int): Boolean = if (text[index].isHighSurrogate()) {
    text.getOrNull(index + 1)?.isLowSurrogate() == true
} else {
    text.getOrNull(index - 1)?.isHighSurrogate() == true
}
