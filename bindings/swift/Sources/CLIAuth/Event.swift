import CLIAuthNative

/// Something that a user may want to see while the login waits.
///
/// None of it is an error, and none needs a reaction: the login goes on by itself. There is one after every poll that did not
/// decide (RFC 8628 section 3.5). It holds no text of the server and no secret.
public enum Event: Sendable, Hashable {
    /// The user has not approved yet (`authorization_pending`): the time until the next poll, and until the code expires.
    case pending(nextPollIn: Duration, expiresIn: Duration)

    /// The server asked for more time between polls (`slow_down`): the new interval, for this and all later polls.
    case slowedDown(interval: Duration)

    /// The server was not reached or could not respond; the login goes on.
    ///
    /// The reason is a word for programs: `http_502`, `timeout`, `dns`, `connect`, `connection_lost`, `tls`,
    /// `malformed_response`. The attempt counts how many times in a row something went wrong, from 1.
    case retrying(reason: String, attempt: Int, retryIn: Duration)

    /// The machine was asleep, for so long.
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
