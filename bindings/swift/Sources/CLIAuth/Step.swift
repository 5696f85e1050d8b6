import CLIAuthNative

/// The result of ``Login/step(maxWait:)``.
public enum Step: Sendable {
    /// The server issued a code. Show it to the user. A later step does not return it again, and none does if
    /// ``Login/start()`` or ``Login/steps`` has returned it.
    case prompt(Prompt)

    /// Progress to show to the user. The login continues by itself.
    case event(Event)

    /// The step has nothing to report yet. The value is the time until the next action of the login. It is zero while a
    /// request is in flight: call ``Login/step(maxWait:)`` again, with as long a wait as the program can afford.
    case waiting(dueIn: Duration)

    /// The user approved. Every later step returns the tokens again.
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
