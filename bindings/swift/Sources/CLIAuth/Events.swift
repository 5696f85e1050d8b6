import CLIAuthNative

/// Something that a person may want to see while the login waits.
///
/// None of it is an error, and none needs an answer: the login goes on by itself. There is one after every poll that did not
/// decide (RFC 8628 section 3.5). It holds no text of the server and no secret.
public enum Event: Sendable, Hashable {
    /// Nobody has approved yet (`authorization_pending`): the time until the next poll, and until the code is worthless.
    case pending(nextPollIn: Duration, expiresIn: Duration)

    /// The server asked for more time between polls (`slow_down`): the new interval, for this and all later polls.
    case slowedDown(interval: Duration)

    /// The server was not reached or could not answer; the login goes on.
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

/// What one ``Login/step(maxWait:)`` found.
public enum Step: Sendable {
    /// The server granted a code: show it to the person.
    case prompt(Prompt)

    /// Something to tell the person.
    case event(Event)

    /// Nothing yet, and nothing will happen for so long. Zero while a request is under way: step again, with a wait that you
    /// can afford.
    case waiting(dueIn: Duration)

    /// The person approved. Every later step says so again.
    case authorized(Tokens)

    init(_ native: CLIAuthNative.Step) {
        switch native {
        case .prompt(let prompt):
            self = .prompt(Prompt(prompt))
        case .event(let event):
            self = .event(Event(event))
        case .waiting(let dueIn):
            self = .waiting(dueIn: Duration(ofSeconds: dueIn))
        case .authorized(let tokens):
            self = .authorized(Tokens(tokens))
        }
    }
}
