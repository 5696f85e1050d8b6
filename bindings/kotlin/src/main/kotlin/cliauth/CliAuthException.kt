package cliauth

import java.io.Serializable
import java.time.Duration

/**
 * An organization that the user may choose. Both texts are raw: show them through [sanitize] only.
 *
 * @property id such as `org_01H…`
 * @property name for display
 */
public data class Organization(val id: String, val name: String) : Serializable

/**
 * Why something did not succeed. Each subclass says what to do next, and [message] says it to the user at the terminal: it holds no
 * secret, and nothing from a server that was not sanitised.
 */
public sealed class CliAuthException(message: String, details: Details?) : RuntimeException(message) {
    /** The kind of error as a word that is the same in every language: `denied`, `action_required`, … */
    public abstract val kind: String

    /** The server's error code as it came (RFC 6749 section 5.2), raw. */
    public val oauthError: String? = details?.oauthError

    /** The server's own words, sanitised. */
    public val description: String? = details?.description

    /** The HTTP status of the response that ended it. */
    public val httpStatus: Int? = details?.httpStatus

    /** The server's name for the request, for its support. */
    public val requestId: String? = details?.requestId

    /** How long the server asked to wait. */
    public val retryAfter: Duration? = details?.retryAfter

    /** The organizations to choose from, where that is what is asked for. */
    public val organizations: List<Organization>? = details?.organizations

    /** WorkOS's `pending_authentication_token`. It is left out where the exception is serialized. */
    @Transient
    public val pendingAuthenticationToken: Secret? = details?.pendingAuthenticationToken

    /** What a server said beside the message. */
    internal class Details(
        val oauthError: String?,
        val description: String?,
        val httpStatus: Int?,
        val requestId: String?,
        val retryAfter: Duration?,
        val organizations: List<Organization>?,
        val pendingAuthenticationToken: Secret?,
    )
}

/** The user denied the request. Do not start another login unless the user asks for one. */
public class DeniedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "denied"
}

/** The code, or the time that the program allowed, has expired. Start again when the user wants to. */
public class ExpiredException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "expired"
}

/**
 * [Login.cancel] was called, or the login was closed. (The end of a coroutine is a `CancellationException` as
 * everywhere.)
 */
public class CancelledException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "cancelled"
}

/**
 * The server requires something first that only the user can do in a browser: choose an organization, enrol a second
 * factor, …
 */
public class ActionRequiredException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "action_required"
}

/**
 * The server refuses this client or this request. Change a setting, here or at the server; after a refresh, log in
 * again.
 */
public class RejectedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "rejected"
}

/** The server does not offer what was asked for. */
public class UnsupportedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "unsupported"
}

/** The server was not reached, or said that it cannot answer now. Try again later. */
public class NetworkException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "network"
}

/** No secure connection: the server's certificate was refused. Check the clock, the name and the trusted roots. */
public class TlsException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "tls"
}

/** The server sent a response that the standards do not allow. Nothing in it was used. */
public class InvalidResponseException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "invalid_response"
}

/** A setting of the client is wrong. Nothing was sent. */
public class InvalidConfigException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "invalid_config"
}

/**
 * A call that makes no sense: out of its order, or with an argument that has no meaning. Nothing was done. (A call of an object that
 * was closed throws [IllegalStateException], as everywhere on the JVM.)
 */
public class MisuseException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "misuse"
}

/** Another call drives this login, perhaps the one that called this callback. */
public class BusyException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "busy"
}

/** A defect of this library, or a want of system resources. */
public class InternalException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "internal"
}
