import CLIAuthNative

/// The result of ``Login/step(maxWait:)``, and an element of ``Login/steps``.
public enum Step: Sendable {
    /// The server issued a code. Show it to the user. This step is omitted if ``Login/start()`` has already returned the prompt.
    case prompt(Prompt)

    /// Progress to show to the user. The login continues by itself.
    case event(Event)

    /// The step has nothing to report yet. The value is the time until the next action of the login. It is zero while a request
    /// is in flight: call ``Login/step(maxWait:)`` again, with as long a wait as the program can afford. ``Login/steps`` never
    /// yields this case.
    case waiting(dueIn: Duration)

    /// The user approved. Every later ``Login/step(maxWait:)`` returns the tokens again. In ``Login/steps`` this is the last
    /// element.
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
    /// The whole login as an asynchronous sequence. Iterating it drives the login; the last element contains the tokens:
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
    /// It throws the errors of ``start()`` and ``poll(onEvent:)``. Cancelling the iterating task cancels the login. Leaving the
    /// loop with `break` does not cancel it; other calls can continue to drive it.
    ///
    /// The sequence drives the login only while its next element is awaited. In the body of the loop, other calls may drive it.
    public var steps: Steps { Steps(login: self) }

    /// The sequence of ``Login/steps``.
    public struct Steps: AsyncSequence, Sendable {
        /// The type of the elements.
        public typealias Element = Step

        fileprivate let login: Login

        /// Returns an iterator that continues at the current state of the login.
        public func makeAsyncIterator() -> Iterator { Iterator(login: login) }

        /// An iterator over the steps of a login. It keeps the login alive and drives it only inside ``next()``, so it may be
        /// dropped at any time.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            fileprivate let login: Login
            private var isOver = false

            fileprivate init(login: Login) {
                self.login = login
            }

            /// Drives the login to its next step.
            ///
            /// - Returns: The step, or `nil` after the tokens and after an error.
            /// - Throws: ``CLIAuthError/Kind/busy`` while another call drives the login. Otherwise the errors of
            ///   ``Login/start()`` and ``Login/poll(onEvent:)``.
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
