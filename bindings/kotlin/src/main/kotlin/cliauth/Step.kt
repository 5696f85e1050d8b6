package cliauth

import java.time.Duration

/** The result of [Login.step]: [Progress], or [Waiting]. */
public sealed interface Step

/** An element of [Login.steps]: the [Prompt], an [Event], or the [Tokens]. */
public sealed interface Progress : Step

/**
 * The step has nothing to report yet.
 *
 * @property dueIn the time until the next action of the login; zero while a request is in flight
 */
public data class Waiting(val dueIn: Duration) : Step

/** Progress that the user may want to see while a login waits. No event is an error, and none needs a reaction. */
public sealed interface Event : Progress {
    /**
     * The user has not approved yet.
     *
     * @property nextPollIn the time until the next poll
     * @property expiresIn the time until the code expires
     */
    public data class Pending(val nextPollIn: Duration, val expiresIn: Duration) : Event

    /**
     * The server asked for a longer polling interval (RFC 8628 section 3.5).
     *
     * @property interval the new interval, for this and all later polls
     */
    public data class SlowedDown(val interval: Duration) : Event

    /**
     * A poll failed. The login continues and polls again.
     *
     * @property reason the cause, for programs: `http_502` (any HTTP status), `timeout`, `dns`, `connect`,
     * `connection_lost`, `tls`, `certificate`, `malformed_response` or `blocked` (a bot check, a captive portal or a
     * gateway has responded)
     * @property attempt the number of consecutive failures, starting at 1
     * @property retryIn the time until the next poll
     * @property requestId the ID of the request, as [CliAuthException.requestId]; null without a response, or if the
     * response has none
     */
    public data class Retrying(val reason: String, val attempt: Int, val retryIn: Duration, val requestId: String? = null) : Event

    /**
     * The machine was suspended and has resumed.
     *
     * @property suspendedFor how long it was suspended
     */
    public data class Resumed(val suspendedFor: Duration) : Event

    /**
     * The user approved the login, but the ID token was not verified because the keys of the server could not be
     * fetched. The tokens follow, without an [Identity].
     *
     * @property message why there are no keys: a sentence for the user, sanitised
     */
    public data class IdentityUnverified(val message: String) : Event
}
