/// What a login has to tell, from the prompt to the tokens: one pass of ``Login/updates``.
public enum Update: Sendable {
    /// The server granted a code: show it to the person. Left out where ``Login/start()`` gave it before.
    case prompt(Prompt)

    /// Something to tell the person. The login goes on by itself.
    case event(Event)

    /// The person approved. This is the last one.
    case authorized(Tokens)
}

extension Login {
    /// The whole login as a sequence, which drives it and ends with the tokens:
    ///
    /// ```swift
    /// for try await update in client.login().updates {
    ///     switch update {
    ///     case .prompt(let prompt): print(prompt.text(), terminator: "")
    ///     case .event(let event): print(event)
    ///     case .authorized(let tokens): save(tokens)
    ///     }
    /// }
    /// ```
    ///
    /// It throws what ``start()`` and ``poll(onEvent:)`` throw. Cancelling the task that iterates cancels the login. Leaving the loop by
    /// `break` does not: the login can be driven on.
    public var updates: Updates { Updates(login: self) }

    /// The sequence of ``Login/updates``. Nothing happens but while somebody waits for its next element.
    public struct Updates: AsyncSequence, Sendable {
        /// An element.
        public typealias Element = Update

        fileprivate let login: Login

        /// Goes on where the login is.
        public func makeAsyncIterator() -> Iterator { Iterator(login: login) }

        /// One pass.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            fileprivate let login: Login
            private var isOver = false

            fileprivate init(login: Login) {
                self.login = login
            }

            /// Drives the login to the next thing that there is to tell. `nil` after the tokens, and after an error.
            public mutating func next() async throws -> Update? {
                if isOver { return nil }
                isOver = true
                let update = try await login.nextUpdate()
                if case .authorized = update { return update }
                isOver = false
                return update
            }
        }
    }
}
