import CLIAuthNative

/// Progress that the user may want to see while the login waits.
///
/// No event is an error, and none needs a reaction; the login continues by itself. Every poll without an outcome (RFC
/// 8628 section 3.5) is followed by one, unless it was the last one before the code expires. Events contain no secret
/// and no text from the server.
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
    /// gateway has responded). The attempt is the number of consecutive failures, starting at 1. The last value is the
    /// time until the next poll.
    case retrying(reason: String, attempt: Int, retryIn: Duration)

    /// The machine was suspended and has resumed. The value is how long it was suspended.
    case resumed(suspendedFor: Duration)

    init(_ native: CLIAuthNative.Event) {
        switch native {
        case .pending(let nextPollIn, let expiresIn):
            self = .pending(nextPollIn: Duration(ofSeconds: nextPollIn), expiresIn: Duration(ofSeconds: expiresIn))
        case .slowedDown(let interval):
            self = .slowedDown(interval: Duration(ofSeconds: interval))
        case .retrying(let reason, let attempt, let retryIn):
            self = .retrying(reason: reason, attempt: Int(attempt), retryIn: Duration(ofSeconds: retryIn))
        case .resumed(let suspendedFor):
            self = .resumed(suspendedFor: Duration(ofSeconds: suspendedFor))
        }
    }
}
