package cliauth

import java.time.Duration

/** What a step of a login returns: the [Prompt], an [Event], the [Tokens], or that there is nothing yet ([Waiting]). */
public sealed interface Step

/**
 * Nothing yet.
 *
 * @property dueIn how long nothing will happen; zero while a request is under way
 */
public data class Waiting(val dueIn: Duration) : Step

/** Something that the user may want to see while a login waits. None of it is an error, and none needs a reaction. */
public sealed interface Event : Step {
    /**
     * Not approved yet.
     *
     * @property nextPollIn when the server is asked again
     * @property expiresIn how long the code lives
     */
    public data class Pending(val nextPollIn: Duration, val expiresIn: Duration) : Event

    /**
     * The server requires longer waits, permanently (RFC 8628 section 3.5).
     *
     * @property interval from one poll to the next, from now on
     */
    public data class SlowedDown(val interval: Duration) : Event

    /**
     * The server was not reached or could not answer. The login goes on by itself.
     *
     * @property reason a word for programs: `http_502`, `timeout`, …
     * @property attempt how many times in a row, from 1
     * @property retryIn until the next poll
     */
    public data class Retrying(val reason: String, val attempt: Int, val retryIn: Duration) : Event

    /**
     * The machine was asleep.
     *
     * @property suspendedFor how long it slept
     */
    public data class Resumed(val suspendedFor: Duration) : Event
}
