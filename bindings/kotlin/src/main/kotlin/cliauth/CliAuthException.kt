package cliauth

import java.io.Serializable
import java.time.Duration

/**
 * An organization that the user may choose. Both texts are untrusted; call [sanitize] before printing them.
 *
 * @property id the identifier, such as `org_01H…`
 * @property name the display name
 */
public data class Organization(val id: String, val name: String) : Serializable

/**
 * The base class of all exceptions of this package. Each subclass stands for what the caller should do next.
 *
 * [message] is for the user at the terminal. It says what happened and what to do next, contains no secret, and has all
 * text from the server sanitised.
 */
public sealed class CliAuthException(message: String, details: Details?) : RuntimeException(message) {
    /** The kind of error, as a word that is the same in every language: `denied`, `action_required`, … */
    public abstract val kind: String

    /** The error code from the response (RFC 6749 section 5.2). Untrusted; call [sanitize] before printing it. */
    public val oauthError: String? = details?.oauthError

    /** The error description from the server, sanitised. The message already contains it. */
    public val description: String? = details?.description

    /**
     * The technical cause in the words of the operating system, TLS or HTTP, sanitised, such as `Connection refused (os
     * error 111)`. The message does not contain it. Null if there is nothing to add.
     */
    public val detail: String? = details?.detail

    /** The HTTP status of the response that caused the error, if there was one. */
    public val httpStatus: Int? = details?.httpStatus

    /** The request ID from the server (`x-request-id`), sanitised. The server's support will ask for it. */
    public val requestId: String? = details?.requestId

    /**
     * The delay that the server asked for before the next request. The value is not limited; the caller should cap it.
     */
    public val retryAfter: Duration? = details?.retryAfter

    /**
     * The claims challenge of a server such as Microsoft Entra ID, if it came with an [ActionRequiredException]. Pass
     * it to a new login as the extra parameter `claims` of both requests. Untrusted; call [sanitize] before printing
     * it.
     */
    public val claims: String? = details?.claims

    /** The organizations to choose from, if the server listed them with an [ActionRequiredException]. */
    public val organizations: List<Organization>? = details?.organizations

    /** The `pending_authentication_token` from WorkOS. It is omitted when the exception is serialized. */
    @Transient
    public val pendingAuthenticationToken: Secret? = details?.pendingAuthenticationToken

    @Transient
    private val received: Map<String, Secret>? = details?.members

    /**
     * Every member of the response as raw JSON, exactly as the server sent it, by its name. JSON strings include their
     * quotes. The values are secrets because they may contain one. Empty if there is no response, or if it is not a
     * JSON object. It is omitted when the exception is serialized.
     */
    public val members: Map<String, Secret> get() = received.orEmpty()

    /** The details of an error beside the message. */
    internal class Details(
        val oauthError: String?,
        val description: String?,
        val detail: String?,
        val httpStatus: Int?,
        val requestId: String?,
        val retryAfter: Duration?,
        val claims: String?,
        val organizations: List<Organization>?,
        val pendingAuthenticationToken: Secret?,
        val members: Map<String, Secret>,
    )
}

/** The user denied the request. Do not start another login unless the user asks for one. */
public class DeniedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "denied"
}

/** The code expired, or [ClientOptions.loginTimeout] elapsed. Start another login when the user asks for one. */
public class ExpiredException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "expired"
}

/**
 * The login was cancelled by [Login.cancel], or the login or the client was closed during the call. A cancelled
 * coroutine throws `CancellationException` instead.
 */
public class CancelledException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "cancelled"
}

/**
 * The server requires an action that only the user can take in a browser, such as choosing an organization or enrolling
 * a second factor.
 */
public class ActionRequiredException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "action_required"
}

/** The refresh token is no longer valid: it was used, has expired or was revoked. The user must log in again. */
public class LoginRequiredException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "login_required"
}

/** The server refuses this client or this request. A setting of the client or of the server must change. */
public class RejectedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "rejected"
}

/** The server does not support the requested operation. */
public class UnsupportedException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "unsupported"
}

/** The server could not be reached, or is temporarily unavailable. Try again later. */
public class NetworkException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "network"
}

/**
 * No secure connection could be established: the server's certificate was rejected, the TLS handshake failed, or this
 * machine has no trusted roots. Check the clock, the host name and the trusted roots.
 */
public class TlsException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "tls"
}

/**
 * The proxy cannot be used: its setting is invalid, it could not be reached, or it refused the connection. Check the
 * setting.
 */
public class ProxyException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "proxy"
}

/** The response violates the standards. Nothing in it was used. */
public class InvalidResponseException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "invalid_response"
}

/** A setting of the client is invalid, or the native library cannot be loaded. No request was sent. */
public class InvalidConfigException internal constructor(message: String, details: Details?) :
    CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "invalid_config"
}

/** A session could not be read or written. No function of this version throws it. */
public class StoreException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "store"
}

/**
 * The API was misused: calls were made in the wrong order, an object is closed, or an argument has an invalid value.
 * The call had no effect.
 */
public class MisuseException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "misuse"
}

/** Another call is driving this login. It may be the call that invoked the current callback. */
public class BusyException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "busy"
}

/** A bug in this library, or a lack of system resources. */
public class InternalException internal constructor(message: String, details: Details?) : CliAuthException(message, details) {
    public constructor(message: String) : this(message, null)

    override val kind: String get() = "internal"
}
