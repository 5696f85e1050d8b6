import CLIAuthNative

/// A single login attempt. It comes from ``Client/login()``.
///
/// Every task and thread may use it, but only one call drives it at a time, for as long as that call takes: another ``start()``,
/// ``poll(onEvent:)`` or ``step(maxWait:)`` throws ``CLIAuthError/Kind/busy`` meanwhile, also while the first call waits for its
/// `onEvent`. ``cancel()`` and ``prompt`` are always allowed. Nothing here blocks a thread.
///
/// Cancelling the task that drives it cancels **the login**, not only the call, which throws `CancellationError` at once, whatever it
/// waits for. Letting go of the last reference cancels the login too. Tokens that came but that no call had returned are revoked then,
/// where the server can.
public final class Login: Sendable {
    private let native: CLIAuthNative.Login

    init(_ native: CLIAuthNative.Login) {
        self.native = native
    }

    deinit {
        // Without a prompt there are no tokens.
        guard native.prompt() != nil else { return }
        Task.detached { [native] in
            await native.abandonAsync(number: CallNumber.next())
        }
    }

    /// The prompt, once there is one.
    public var prompt: Prompt? {
        native.prompt().map(Prompt.init)
    }

    /// Asks the server for a code: discovery where needed, then one request. Called again, it returns the same prompt.
    ///
    /// - Throws: ``CLIAuthError``. Nothing is tried twice here, since a user is waiting: `network` means "try again later".
    ///   `CancellationError` when the task is cancelled.
    @discardableResult
    public func start() async throws -> Prompt {
        try await drive { number in
            while true {
                if let prompt { return prompt }
                _ = try await next(number, withinSeconds: .infinity)
            }
        }
    }

    /// Waits for the user's decision. Called again, it returns the same outcome.
    ///
    /// - Parameter onEvent: Called between the polls with what there is to report, before this goes on. An error that it throws is
    ///   thrown unchanged, and `poll` may be called again. It may cancel the login; a call in it that would drive the login throws
    ///   ``CLIAuthError/Kind/busy``. ``steps`` reports the same without a closure.
    /// - Throws: ``CLIAuthError``; `denied`, `expired`, `cancelled` and `actionRequired` are the ends that every program meets.
    ///   Transport trouble is not an error here: it is reported as ``Event/retrying(reason:attempt:retryIn:)``, and the login goes on.
    ///   Before ``start()`` it is `misuse`: the user has not seen the code. `CancellationError` when the task is cancelled. Tokens that
    ///   came at that very moment are revoked first where the server can, which may take two seconds.
    public func poll(onEvent: (@Sendable (Event) async throws -> Void)? = nil) async throws -> Tokens {
        try await drive { number in
            try translated { try native.checkStarted(number: number) }
            while true {
                switch try await next(number, withinSeconds: .infinity) {
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
    /// A request that is under way when the time is up goes on: the next step finds its response, and it is never sent again. After the
    /// outcome every step returns or throws it again.
    ///
    /// - Parameter maxWait: With 0 it only looks, but for the step that ends a cancelled login: revoking tokens that came too late may
    ///   take it two seconds. Below 0 it throws ``CLIAuthError/Kind/misuse``.
    public func step(maxWait: Duration) async throws -> Step {
        try await drive { number in
            try await next(number, withinSeconds: maxWait.seconds)
        }
    }

    /// Cancels the login: the call that drives it throws ``CLIAuthError/Kind/cancelled`` at once, whatever it waits for, and so does every
    /// later one.
    ///
    /// It never blocks and may be called from anywhere, any number of times; after the outcome it changes nothing. Tokens that came but
    /// were not returned yet are revoked where the server can.
    public func cancel() {
        native.cancel()
    }

    /// Goes on to the next step that is not ``Step/waiting(dueIn:)``, for ``steps``.
    func nextStep() async throws -> Step {
        try await drive { number in
            while true {
                let step = try await next(number, withinSeconds: .infinity)
                if case .waiting = step { continue }
                return step
            }
        }
    }

    /// Makes `work` the one call that drives the login. The cancellation of this task cancels the login meanwhile.
    private func drive<Value>(_ work: (_ number: UInt64) async throws -> Value) async throws -> Value {
        let number = CallNumber.next()
        try translated { try native.claim(number: number) }
        defer { native.release(number: number) }
        return try await withTaskCancellationHandler {
            try await work(number)
        } onCancel: { [native] in
            native.cancel()
        }
    }

    /// Goes on to the next step, for at most so many seconds. `number` is the one of the call that drives the login.
    private func next(_ number: UInt64, withinSeconds limit: Double) async throws -> Step {
        do {
            let step = try await native.stepAsync(number: number, maxWait: limit)
            guard Task.isCancelled else { return Step(step) }
            // It revokes tokens that came with this step. The cancellation of this task does not interrupt it.
            await native.abandonAsync(number: number)
            // The outcome: cancelled, unless the tokens were returned by an earlier call.
            return Step(try await native.stepAsync(number: number, maxWait: 0))
        } catch {
            throw thrown(for: error)
        }
    }
}

extension Login: CustomStringConvertible, CustomReflectable {
    /// Whether there is a prompt, and which.
    public var description: String { "Login(prompt: \(prompt?.description ?? "nil"))" }

    /// A mirror that shows nothing but the prompt.
    public var customMirror: Mirror { Mirror(self, children: ["prompt": prompt as Any]) }
}
