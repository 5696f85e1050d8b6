import CLIAuth

#if canImport(Glibc)
    import Glibc
#else
    import Foundation
#endif

/// The output of the tool. The methods throw if standard output is closed.
protocol Output: Sendable {
    func prompt(_ prompt: Prompt) throws
    func event(_ event: Event) throws
    func authorized(_ tokens: Tokens) throws
    func failed(_ error: CLIAuthError) throws
}

/// Output for users: the result on standard output, everything else on standard error.
final class Words: Output, @unchecked Sendable {
    private let inPlace = canRewrite()
    /// Whether the countdown is the last line on the screen. Only one task accesses it.
    private var counting = false

    func prompt(_ prompt: Prompt) {
        say(prompt.textForStderr())
    }

    func event(_ event: Event) {
        switch event {
        case .pending(_, let expiresIn):
            countDown(expiresIn.components.seconds)
        case .slowedDown(let interval):
            line("The server asked to slow down. Polling every \(interval.components.seconds) s from now on.")
        case .retrying(let reason, _, let retryIn, _):
            line("No valid response (\(reason)). Trying again in \(retryIn.components.seconds) s.")
        case .resumed:
            line("The computer was suspended.")
        case .identityUnverified(let message):
            line("Note: \(message).")
        }
    }

    func authorized(_ tokens: Tokens) throws {
        endCountDown()
        try write(tokens.identity.map { "Logged in as \(sanitize($0.subject)).\n" } ?? "Logged in.\n")
    }

    func failed(_ error: CLIAuthError) {
        line("Not logged in: \(error).")
        for organization in error.organizations ?? [] {
            line("  \(sanitize(organization.id))  \(sanitize(organization.name))")
        }
        if let request = error.requestID {
            line("Request ID: \(request)")
        }
    }

    /// Updates the countdown, or prints one line where nothing can be rewritten.
    private func countDown(_ left: Int64) {
        if inPlace {
            say("\rWaiting for your approval, \(left) s left. ")
        } else if !counting {
            say("Waiting for your approval.\n")
        }
        counting = true
    }

    private func endCountDown() {
        if counting && inPlace { say("\n") }
        counting = false
    }

    private func line(_ text: String) {
        endCountDown()
        say(text + "\n")
    }
}

/// Output for programs: one JSON object per line on standard output, with its members in this order.
struct JSONLines: Output {
    func prompt(_ prompt: Prompt) throws {
        try write([
            ("event", .text("prompt")),
            ("user_code", .text(prompt.userCode)),
            ("verification_uri", .text(prompt.verificationURI)),
            ("verification_uri_complete", .text(prompt.verificationURIComplete)),
            ("expires_in", .seconds(prompt.expiresIn)),
        ])
    }

    func event(_ event: Event) throws {
        switch event {
        case .pending(let nextPollIn, let expiresIn):
            try write([
                ("event", .text("pending")), ("next_poll_in", .seconds(nextPollIn)), ("expires_in", .seconds(expiresIn)),
            ])
        case .slowedDown(let interval):
            try write([("event", .text("slowed_down")), ("interval", .seconds(interval))])
        case .retrying(let reason, let attempt, let retryIn, _):
            try write([
                ("event", .text("retrying")), ("reason", .text(reason)), ("attempt", .number(attempt)),
                ("retry_in", .seconds(retryIn)),
            ])
        case .resumed(let suspendedFor):
            try write([("event", .text("resumed")), ("suspended_for", .seconds(suspendedFor))])
        case .identityUnverified(let message):
            try write([("event", .text("identity_unverified")), ("message", .text(message))])
        }
    }

    func authorized(_ tokens: Tokens) throws {
        try write([
            ("event", .text("authorized")),
            ("token_type", .text(tokens.tokenType)),
            ("expires_in", .seconds(tokens.expiresIn)),
            ("scope", .list(tokens.scopes?.map(JSON.text))),
            ("has_refresh_token", .bool(tokens.refreshToken != nil)),
            ("has_id_token", .bool(tokens.idToken != nil)),
            ("subject", .text(tokens.identity?.subject)),
            ("saved", .null),
        ])
    }

    func failed(_ error: CLIAuthError) throws {
        try write([
            ("event", .text("error")),
            ("kind", .text(error.kind.rawValue)),
            ("oauth_error", .text(error.oauthError)),
            ("message", .text(error.message)),
            ("http_status", .number(error.httpStatus)),
            ("request_id", .text(error.requestID)),
            ("organizations", .list(error.organizations?.map { .object([("id", .text($0.id)), ("name", .text($0.name))]) })),
            ("claims", .text(error.claims)),
        ])
    }

    private func write(_ members: [(String, JSON)]) throws {
        try login_example.write(JSON.object(members).encoded + "\n")
    }
}

/// Writes to standard output without buffering.
func write(_ text: String) throws {
    guard writeAll(text, to: STDOUT_FILENO) else { throw Closed() }
}

/// The reader of standard output has closed it.
struct Closed: Error {}

/// Returns whether standard error is a terminal on which a line can be rewritten. `ACCESSIBLE` is what users of screen
/// readers set.
private func canRewrite() -> Bool {
    let needed: UInt16 = 48
    func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
    if ["", "dumb"].contains(value("TERM")) || !value("ACCESSIBLE").isEmpty { return false }
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col >= needed
}

/// Writes to standard error. Ignores that standard error may be closed.
func say(_ text: String) {
    _ = writeAll(text, to: STDERR_FILENO)
}

/// Writes the whole text. Returns whether that succeeded.
private func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno != EINTR { return false }
        rest = rest.dropFirst(max(written, 0))
    }
    return true
}
