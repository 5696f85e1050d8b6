import CLIAuthNative

/// One attempt to log in. It comes from ``Client/login()``.
///
/// Every task and thread may use it, but only one call drives it at a time: a second one throws ``CLIAuthError/Kind/busy``. Nothing
/// here blocks a thread.
///
/// Cancelling the task that drives it cancels **the login**, not only the call, which throws `CancellationError` at once, whatever it
/// waits for. Letting go of the last reference ends the attempt too.
public final class Login: Sendable {
    private let client: CLIAuthNative.Client
    private let native: CLIAuthNative.Login
    /// Taken by the call that drives it.
    private let turn = Flag()
    /// Set once the tokens are in somebody's hands.
    private let given = Flag()

    init(_ client: CLIAuthNative.Client, _ native: CLIAuthNative.Login) {
        self.client = client
        self.native = native
    }

    /// The prompt, once there is one.
    public var prompt: Prompt? {
        native.prompt().map(Prompt.init)
    }

    /// Asks the server for a code: discovery where needed, then one request. Called again, it gives the same prompt.
    ///
    /// - Throws: ``CLIAuthError``. Nothing is tried twice here, since a person is waiting: `network` means "try again later".
    ///   `CancellationError` when the task is cancelled.
    @discardableResult
    public func start() async throws -> Prompt {
        try await drive {
            while true {
                if let prompt { return prompt }
                _ = try await next(withinSeconds: .infinity)
            }
        }
    }

    /// Waits for the person's decision. Called again, it gives the same outcome.
    ///
    /// - Parameter onEvent: Called between the polls with what there is to tell, before this goes on. An error that it throws comes
    ///   out as it is, and `poll` may be called again. It may cancel the login; a call in it that would drive the login throws
    ///   ``CLIAuthError/Kind/busy``. ``updates`` tells the same without a closure.
    /// - Throws: ``CLIAuthError``; `denied`, `expired`, `cancelled` and `actionRequired` are the ends that every program meets.
    ///   Transport trouble is no error here: it is told as ``Event/retrying(reason:attempt:retryIn:)``, and the login goes on. Before
    ///   ``start()`` it is `invalidConfig`: nobody has seen the code. `CancellationError` when the task is cancelled. A token that came
    ///   at that very moment is revoked first where the server can, which may take two seconds.
    public func poll(onEvent: (@Sendable (Event) async throws -> Void)? = nil) async throws -> Tokens {
        try await drive {
            try translated { try native.checkStarted() }
            while true {
                switch try await next(withinSeconds: .infinity) {
                case .authorized(let tokens): return tokens
                case .event(let event): try await onEvent?(event)
                case .prompt, .waiting: continue
                }
            }
        }
    }

    /// Drives the login for at most so long: the primitive under ``start()`` and ``poll(onEvent:)``, for programs with a loop of their
    /// own.
    ///
    /// A request that is under way when the time is up goes on: the next step finds its answer, and it is never sent again. After the
    /// outcome every step gives it again.
    ///
    /// - Parameter maxWait: With 0 it only looks, but for the step that ends a cancelled login: revoking a token that came too late may
    ///   take it two seconds. Below 0 it throws ``CLIAuthError/Kind/invalidConfig``.
    public func step(maxWait: Duration) async throws -> Step {
        try await drive {
            try await next(withinSeconds: maxWait.seconds)
        }
    }

    /// Ends the login: the call that drives it throws ``CLIAuthError/Kind/cancelled`` at once, whatever it waits for, and so does every
    /// later one.
    ///
    /// It never blocks and may be called from anywhere, as often as you like; after the outcome it changes nothing. A token that was
    /// read but not given out yet is revoked where the server can.
    public func cancel() {
        native.cancel()
    }

    /// Goes on to the next thing for ``updates``.
    func nextUpdate() async throws -> Update {
        try await drive {
            while true {
                switch try await next(withinSeconds: .infinity) {
                case .prompt(let prompt): return .prompt(prompt)
                case .event(let event): return .event(event)
                case .authorized(let tokens): return .authorized(tokens)
                case .waiting: continue
                }
            }
        }
    }

    /// Lets `work` be the one call that drives the login, which the cancellation of this task cancels meanwhile.
    private func drive<Value>(_ work: () async throws -> Value) async throws -> Value {
        guard turn.raise() else {
            throw CLIAuthError(.busy, "this login is driven by another call already")
        }
        defer { turn.lower() }
        return try await withTaskCancellationHandler(operation: work) { [native] in
            native.cancel()
        }
    }

    /// Goes on to the next thing that somebody has to know, for at most so many seconds.
    private func next(withinSeconds limit: Double) async throws -> Step {
        let found: CLIAuthNative.Step
        do {
            found = try await native.stepAsync(maxWait: limit)
        } catch {
            throw thrown(for: error)
        }
        if Task.isCancelled {
            try await giveUp(after: found)
        }
        if case .authorized = found {
            given.raise()
        }
        return Step(found)
    }

    /// Ends the login of a cancelled task, unless it gave its tokens out before.
    private func giveUp(after found: CLIAuthNative.Step) async throws {
        guard case .authorized(let tokens) = found else {
            // What is under way ends now, and not when the last reference goes.
            _ = try? await native.stepAsync(maxWait: 0)
            throw CancellationError()
        }
        guard given.isRaised else {
            await revoke(tokens.refreshToken() ?? tokens.accessToken())
            throw CancellationError()
        }
    }

    /// Revokes a token that came but is in nobody's hands, as the library does by itself a moment earlier.
    private func revoke(_ token: CLIAuthNative.Secret) async {
        let stop = Stop()
        let limit = Task.detached {
            try await Task.sleep(for: .seconds(2))
            stop.stop()
        }
        // Where the server cannot revoke, the token ends with its lifetime.
        try? await client.revokeUntil(token: token, stop: stop)
        limit.cancel()
    }
}

extension Login: CustomStringConvertible, CustomReflectable {
    /// Whether there is a prompt, and which.
    public var description: String { "Login(prompt: \(prompt?.description ?? "nil"))" }

    /// A mirror that shows nothing but the prompt.
    public var customMirror: Mirror { Mirror(self, children: ["prompt": prompt as Any]) }
}
