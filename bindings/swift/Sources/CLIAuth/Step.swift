import CLIAuthNative

/// What one step of a login found: ``Login/step(maxWait:)``, or an element of ``Login/steps``.
public enum Step: Sendable {
    /// The server granted a code: show it to the user. Left out where ``Login/start()`` returned it before.
    case prompt(Prompt)

    /// Something to show to the user. The login goes on by itself.
    case event(Event)

    /// Nothing yet, and nothing will happen for so long. Zero while a request is under way: step again, with a wait that you
    /// can afford. ``Login/steps`` never yields it.
    case waiting(dueIn: Duration)

    /// The user approved. Every later ``Login/step(maxWait:)`` returns it again; in ``Login/steps`` it is the last element.
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

extension Login {
    /// The whole login as a sequence, which drives it and ends with the tokens:
    ///
    /// ```swift
    /// for try await step in client.login().steps {
    ///     switch step {
    ///     case .prompt(let prompt): print(prompt.text(), terminator: "")
    ///     case .event(let event): print(event)
    ///     case .authorized(let tokens): save(tokens)
    ///     case .waiting: break  // never here
    ///     }
    /// }
    /// ```
    ///
    /// It throws what ``start()`` and ``poll(onEvent:)`` throw. Cancelling the task that iterates cancels the login. Leaving the loop by
    /// `break` does not: the login can be driven on.
    ///
    /// The sequence drives the login only while its next element is awaited: in the body of the loop, other calls may drive it.
    public var steps: Steps { Steps(login: self) }

    /// The sequence of ``Login/steps``.
    public struct Steps: AsyncSequence, Sendable {
        /// An element.
        public typealias Element = Step

        fileprivate let login: Login

        /// Goes on where the login is.
        public func makeAsyncIterator() -> Iterator { Iterator(login: login) }

        /// One pass. It keeps the login alive, and drives it only inside ``next()``, so that an iterator may be dropped at any time.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            fileprivate let login: Login
            private var isOver = false

            fileprivate init(login: Login) {
                self.login = login
            }

            /// Drives the login to its next step. `nil` after the tokens, and after an error.
            ///
            /// - Throws: ``CLIAuthError/Kind/busy`` while another call drives the login; otherwise what ``Login/poll(onEvent:)`` throws.
            public mutating func next() async throws -> Step? {
                if isOver { return nil }
                isOver = true
                let step = try await login.nextStep()
                if case .authorized = step { return step }
                isOver = false
                return step
            }
        }
    }
}
