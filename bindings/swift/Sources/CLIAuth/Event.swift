import CLIAuthNative

/// Progress that the user may want to see while the login waits.
///
/// No event is an error, and none needs a reaction; the login continues by itself. Every poll without an outcome (RFC
/// 8628 section 3.5) is followed by one, unless it was the last one before the code expires. All text is sanitised and
/// contains no secret.
public enum Event: Sendable, Hashable {
    /// The user has not approved yet (`authorization_pending`). The values are the time until the next poll and the
    /// time until the code expires.
    case pending(nextPollIn: Duration, expiresIn: Duration)

    /// The server asked for a longer polling interval (`slow_down`). The value is the new interval, for this and all
    /// later polls.
    case slowedDown(interval: Duration)

    /// A poll failed; the login continues.
    ///
    /// The reason is the cause, for programs: `http_502` (any HTTP status), `timeout`, `dns`, `connect`,
    /// `connection_lost`, `tls`, `certificate`, `malformed_response` or `blocked` (a bot check, a captive portal or a
    /// gateway has responded). The attempt is the number of consecutive failures, starting at 1. The third value is the
    /// time until the next poll. The last one is the ID of the request, like ``CLIAuthError/requestID``; it is `nil`
    /// without a response, or if the response has none.
    case retrying(reason: String, attempt: Int, retryIn: Duration, requestID: String?)

    /// The machine was suspended and has resumed. The value is how long it was suspended.
    case resumed(suspendedFor: Duration)

    /// The user approved the login, but the ID token was not verified because the keys of the server could not be
    /// fetched. The tokens follow, without an ``Tokens/identity``. The message says why there are no keys: a sentence
    /// for the user.
    case identityUnverified(message: String)

    init(_ native: CLIAuthNative.Event) {
        switch native {
        case .pending(let nextPollIn, let expiresIn):
            self = .pending(nextPollIn: Duration(ofSeconds: nextPollIn), expiresIn: Duration(ofSeconds: expiresIn))
        case .slowedDown(let interval):
            self = .slowedDown(interval: Duration(ofSeconds: interval))
        case .retrying(let reason, let attempt, let retryIn, let requestID):
            self = .retrying(
                reason: reason,
                attempt: Int(attempt),
                retryIn: Duration(ofSeconds: retryIn),
                requestID: requestID
            )
        case .resumed(let suspendedFor):
            self = .resumed(suspendedFor: Duration(ofSeconds: suspendedFor))
        case .identityUnverified(let message):
            self = .identityUnverified(message: message)
        }
    }
}
