extension Login {
    /// The whole login as an asynchronous sequence. Iterating it drives the login:
    ///
    /// ```swift
    /// for try await step in client.login().steps {
    ///     switch step {
    ///     case .prompt(let prompt): print(prompt.text(), terminator: "")
    ///     case .event(let event): print(event)
    ///     case .authorized(let tokens): save(tokens)
    ///     }
    /// }
    /// ```
    ///
    /// Every iteration begins with the prompt, unless the login has failed. It starts the login unless another call has
    /// started it before. It ends after the tokens, or after it has thrown an error, which is one of ``start()`` or
    /// ``poll(onEvent:)``.
    ///
    /// Leaving the loop with `break`, `return` or an error does not cancel a login that the program still holds:
    /// another iteration or ``poll(onEvent:)`` continues it. Cancelling the task that runs the loop cancels the login.
    /// If that happens in the body of the loop, it takes effect when the body ends. An iterator must stay in its task.
    ///
    /// An iteration drives the login only while its next element is awaited. Meanwhile every other call that would
    /// drive it throws ``CLIAuthError/Kind/busy``. While the body of the loop runs, other calls may drive it.
    public var steps: Steps { Steps(login: self) }

    /// An element of ``Login/steps``.
    public enum Progress: Sendable {
        /// The code for the user. The first element of every iteration.
        case prompt(Prompt)

        /// Progress to show to the user. The login continues by itself.
        case event(Event)

        /// The user approved. The last element.
        case authorized(Tokens)
    }

    /// The sequence of ``Login/steps``.
    public struct Steps: AsyncSequence, Sendable {
        /// The type of the elements.
        public typealias Element = Progress

        fileprivate let login: Login

        /// Returns an iterator that begins with the prompt and continues at the current state of the login.
        public func makeAsyncIterator() -> Iterator { Iterator(login: login) }

        /// An iterator over the steps of a login. It keeps the login alive. It may be dropped at any time.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            private enum Position: Sendable {
                case beforePrompt, afterPrompt, atEnd
            }

            private let login: Login
            private var position = Position.beforePrompt
            private var body: Body?

            fileprivate init(login: Login) {
                self.login = login
            }

            /// Drives the login to its next element.
            ///
            /// - Returns: The element, or `nil` after the tokens and after an error.
            /// - Throws: ``CLIAuthError/Kind/busy`` while another call drives the login. Otherwise the errors of
            ///   ``Login/start()`` and ``Login/poll(onEvent:)``.
            public mutating func next() async throws -> Progress? {
                guard position != .atEnd else { return nil }
                let isFirst = position == .beforePrompt
                // Unless there is an element after which others come.
                (position, body) = (.atEnd, nil)
                let element: Progress =
                    isFirst ? .prompt(try await login.start()) : try await login.nextElement()
                if case .authorized = element { return element }
                (position, body) = (.afterPrompt, Body(login: login))
                return element
            }
        }
    }

    /// Exists while the body of a loop runs. If that leaves the loop because its task was cancelled, no
    /// ``Steps/Iterator/next()`` would cancel the login.
    private final class Body: Sendable {
        private let login: Login

        init(login: Login) {
            self.login = login
        }

        deinit {
            if Task.isCancelled { login.cancel() }
        }
    }
}
