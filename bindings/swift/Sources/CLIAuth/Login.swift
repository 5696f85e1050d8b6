import CLIAuthNative

/// A single login attempt, created by ``Client/login()``.
///
/// A login may be shared between tasks and threads, but only one call drives it at a time. Until a ``start()``,
/// ``poll(onEvent:)`` or ``step(maxWait:)`` has returned, every other such call throws ``CLIAuthError/Kind/busy``, even
/// while the first call waits for its `onEvent`. ``cancel()`` and ``prompt`` are always allowed. No call blocks a
/// thread.
///
/// Cancelling the task that drives a login cancels **the login**, not only the call. The call throws
/// `CancellationError` immediately, whatever it is waiting for. Releasing the last reference cancels the login too. In
/// both cases, tokens that have arrived but that no call has returned are revoked if the server supports revocation. A
/// login that has its outcome keeps it.
public final class Login: Sendable {
    private let native: CLIAuthNative.Login

    init(_ native: CLIAuthNative.Login) {
        self.native = native
    }

    deinit {
        // Without a prompt there can be no tokens to revoke.
        guard native.prompt() != nil else { return }
        Task.detached { [native] in
            await native.abandonAsync(number: CallNumber.next())
        }
    }

    /// The prompt, or `nil` before the server has issued a code.
    public var prompt: Prompt? {
        native.prompt().map(Prompt.init)
    }

    /// Requests a code from the server.
    ///
    /// Performs discovery if needed, then sends one request, or a second one without PKCE if the server refuses PKCE.
    /// Further calls return the same prompt, or throw the error of a login that has failed.
    ///
    /// - Returns: The prompt to show to the user.
    /// - Throws: ``CLIAuthError``. Nothing is retried here because the user is waiting; on `network`, try again later.
    ///   `CancellationError` if the task is cancelled.
    @discardableResult
    public func start() async throws -> Prompt {
        try await drive { number in
            while true {
                // The task of a call that need not wait may be cancelled too.
                try Task.checkCancellation()
                if let prompt = try translated({ try native.started(number: number) }) { return Prompt(prompt) }
                _ = try await next(number, withinSeconds: .infinity)
            }
        }
    }

    /// Waits for the user's decision. Further calls return or throw the same outcome.
    ///
    /// - Parameter onEvent: Called between polls with the event to report. The login continues after it has returned.
    ///   Its errors are thrown unchanged, and `poll` may then be called again. It may cancel the login; a call in it
    ///   that would drive the login throws ``CLIAuthError/Kind/busy``. ``steps`` reports the same events without a
    ///   closure.
    /// - Returns: The tokens.
    /// - Throws: ``CLIAuthError``. Every program should handle `denied`, `expired`, `cancelled` and `actionRequired`.
    ///   Transport errors are not thrown; they are reported as ``Event/retrying(reason:attempt:retryIn:requestID:)``,
    ///   and the login continues. Without a ``prompt`` the kind is `misuse`, because the user has not seen the code. On
    ///   `invalidResponse`, the server's response or its ID token was refused. `CancellationError` if the task is
    ///   cancelled before the outcome. Tokens that arrive at the same moment are revoked first if the server supports
    ///   revocation, which may take up to two seconds.
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

    /// Drives the login for at most `maxWait`.
    ///
    /// This is the primitive under ``start()`` and ``poll(onEvent:)``, for programs with their own event loop. A
    /// request that is in flight when the time is up continues; a later step receives its response, and it is never
    /// sent again. After the outcome, every step returns or throws that outcome again.
    ///
    /// - Parameter maxWait: The longest wait. With 0 the step does not wait, except for the step that ends a cancelled
    ///   login: revoking tokens that arrived too late may take up to two seconds.
    /// - Throws: ``CLIAuthError``. A `maxWait` below 0 is `misuse`. `CancellationError` if the task is cancelled before
    ///   the outcome.
    public func step(maxWait: Duration) async throws -> Step {
        try await drive { number in
            try await next(number, withinSeconds: maxWait.seconds)
        }
    }

    /// Cancels the login.
    ///
    /// The call that drives the login throws ``CLIAuthError/Kind/cancelled`` immediately, whatever it is waiting for.
    /// Every later call throws it too.
    ///
    /// This method never blocks. It may be called from anywhere, more than once, and by several threads at once. After
    /// the outcome it has no effect. Tokens that have arrived but were not returned yet are revoked if the server
    /// supports revocation: by the call that drives the login, else by the next ``poll(onEvent:)`` or
    /// ``step(maxWait:)``, or when the last reference is released.
    public func cancel() {
        native.cancel()
    }

    /// Drives a login that has its prompt to the next element of ``steps``.
    func nextElement() async throws -> Progress {
        try await drive { number in
            while true {
                switch try await next(number, withinSeconds: .infinity) {
                case .event(let event): return .event(event)
                case .authorized(let tokens): return .authorized(tokens)
                case .prompt, .waiting: continue
                }
            }
        }
    }

    /// Claims the login for `work`, and cancels the login if this task is cancelled in the meantime.
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

    /// Drives the login to the next step, for at most `limit` seconds. `number` identifies the call that drives the
    /// login.
    private func next(_ number: UInt64, withinSeconds limit: Double) async throws -> Step {
        do {
            let step = try await native.stepAsync(number: number, maxWait: limit)
            guard Task.isCancelled else { return Step(step) }
            // This revokes tokens that arrived with this step. The cancellation of this task does not interrupt it.
            await native.abandonAsync(number: number)
            // The outcome is `cancelled`, unless an earlier call has returned the tokens.
            return Step(try await native.stepAsync(number: number, maxWait: 0))
        } catch {
            throw thrown(for: error)
        }
    }
}

extension Login: CustomStringConvertible, CustomReflectable {
    /// The type and its prompt, if there is one.
    public var description: String { "Login(prompt: \(prompt?.description ?? "nil"))" }

    /// A mirror whose only child is the prompt.
    public var customMirror: Mirror { Mirror(self, children: ["prompt": prompt as Any]) }
}
