import CLIAuth
import XCTest

/// The login as a sequence.
final class StepsTests: XCTestCase, @unchecked Sendable {
    func testItStartsTheLoginAndReportsEverything() async throws {
        let server = try await Server.scripted("token", #""authorization_pending", "grant""#)
        var steps = try server.client().login().steps.makeAsyncIterator()
        var seen: [String] = []
        while let step = try await steps.next() { seen.append(step.name) }
        XCTAssertEqual(seen, ["prompt", "pending", "authorized"])
        let rest = try await steps.next()
        XCTAssertNil(rest)
    }

    func testItBeginsWithThePromptOfALoginThatWasStarted() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try server.client().login()
        let prompt = try await login.start()
        let seen = try await all(login.steps)
        XCTAssertEqual(seen.map(\.name), ["prompt", "authorized"])
        guard case .prompt(let again) = seen.first else { return XCTFail("\(seen)") }
        XCTAssertEqual(again.userCode, prompt.userCode)
        let started = try await server.requests("device")
        XCTAssertEqual(started.count, 1)
    }

    func testALoginThatHasItsTokensReportsThemAgain() async throws {
        let login = try await started(Server.new(#"{"answer": "approve"}"#).client())
        let tokens = try await login.poll()
        let seen = try await all(login.steps)
        XCTAssertEqual(seen.map(\.name), ["prompt", "authorized"])
        guard case .authorized(let again) = seen.last else { return XCTFail("\(seen)") }
        XCTAssertEqual(again.accessToken, tokens.accessToken)
    }

    func testItThrowsOnceAndEnds() async throws {
        let login = try await Server.new(#"{"answer": "deny"}"#).client().login()
        var steps = login.steps.makeAsyncIterator()
        let first = try await steps.next()
        XCTAssertEqual(first?.name, "prompt")
        await failure(.denied) { try await steps.next() }
        let rest = try await steps.next()
        XCTAssertNil(rest)

        // The prompt of a login that was denied is of no use.
        var again = login.steps.makeAsyncIterator()
        await failure(.denied) { try await again.next() }
        let nothing = try await again.next()
        XCTAssertNil(nothing)
    }

    func testALoopThatIsLeftLeavesTheLogin() async throws {
        let server = try await Server.scripted("token", #""authorization_pending", "authorization_pending", "grant""#)
        let login = try server.discovered().login()
        for try await _ in login.steps { break }
        func first() async throws -> String? {
            for try await step in login.steps { return step.name }
            return nil
        }
        let returned = try await first()
        XCTAssertEqual(returned, "prompt")
        do {
            for try await step in login.steps where step.name == "pending" { throw Mistake(why: "mine") }
            XCTFail("nothing was thrown")
        } catch let error as Mistake {
            XCTAssertEqual(error.why, "mine")
        }
        // The sequence goes on where the last one ended, and so does a poll.
        var seen: [String] = []
        for try await step in login.steps {
            seen.append(step.name)
            if seen.count == 2 { break }
        }
        XCTAssertEqual(seen, ["prompt", "pending"])
        let tokens = try await login.poll()
        XCTAssertFalse(tokens.accessToken.expose().isEmpty)
        for (endpoint, count) in [("device", 1), ("token", 3), ("revoke", 0)] {
            let requests = try await server.requests(endpoint)
            XCTAssertEqual(requests.count, count, endpoint)
        }
    }

    // Who may drive the login.

    func testOthersAreBusyWhileTheNextElementIsAwaited() async throws {
        for endpoint in ["device", "token"] {
            let server = try await Server.silent(at: endpoint)
            let login = try server.client().login()
            let looping = Task { try await all(login.steps) }
            try await server.waitFor(endpoint, 1)
            await everyDriverIsBusy(login)
            login.cancel()
            await failure(.cancelled) { try await looping.value }
        }
    }

    func testOthersMayDriveInTheBodyOfTheLoop() async throws {
        let server = try await Server.scripted("token", #""authorization_pending", "grant""#)
        let login = try server.client().login()
        var steps = login.steps.makeAsyncIterator()
        let first = try await steps.next()
        XCTAssertEqual(first?.name, "prompt")
        let tokens = try await login.poll()
        guard case .authorized(let same) = try await steps.next() else { return XCTFail("no tokens") }
        XCTAssertEqual(same.accessToken, tokens.accessToken)
    }

    func testASequenceThatIsBusyEndsAndLeavesTheLogin() async throws {
        let server = try await Server.silent(at: "token")
        let login = try await started(server.client())
        let first = Task { try await login.poll() }
        try await server.waitFor("token", 1)
        let second = Task {
            var steps = login.steps.makeAsyncIterator()
            await failure(.busy) { try await steps.next() }
            // It does not drive the login, so its task does not cancel it.
            withUnsafeCurrentTask { $0?.cancel() }
            let rest = try await steps.next()
            XCTAssertNil(rest)
        }
        try await second.value
        await everyDriverIsBusy(login)
        first.cancel()
        await cancellation { try await first.value }
    }

    // Cancelling the task cancels the login, wherever the loop is.

    func testTheTaskIsCancelledWhileTheNextElementIsAwaited() async throws {
        let server = try await Server.silent(at: "token")
        let login = try server.client().login()
        let looping = Task { try await all(login.steps) }
        try await server.waitFor("token", 1)
        looping.cancel()
        await cancellation { try await looping.value }
        await failure(.cancelled) { try await login.poll() }
    }

    func testTheTaskIsCancelledInTheBodyWhichGoesOn() async throws {
        let login = try await Server.new(#"{"interval": 60, "expires_in": 20}"#).client().login()
        let looping = Task {
            for try await _ in login.steps { withUnsafeCurrentTask { $0?.cancel() } }
        }
        await cancellation { try await looping.value }
        await failure(.cancelled) { try await login.poll() }
    }

    func testTheTaskIsCancelledInTheBodyWhichLeaves() async throws {
        let login = try await Server.new(#"{"interval": 60, "expires_in": 20}"#).client().login()
        let looping = Task {
            for try await _ in login.steps {
                withUnsafeCurrentTask { $0?.cancel() }
                try await Task.sleep(for: .seconds(60))
            }
        }
        await cancellation { try await looping.value }
        await failure(.cancelled) { try await login.poll() }
    }

    func testTheTaskIsCancelledAfterTheLoopWasLeft() async throws {
        let login = try await Server.new(#"{"answer": "approve"}"#).client().login()
        let looping = Task {
            for try await _ in login.steps { break }
            withUnsafeCurrentTask { $0?.cancel() }
        }
        try await looping.value
        let tokens = try await login.poll()
        XCTAssertNotNil(tokens.identity)
    }

    func testACancelledTaskIsNotGivenThePrompt() async throws {
        let login = try await started(Server.new().client())
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await cancellation { try await login.start() }
            await cancellation { try await all(login.steps) }
        }
        await late.value
        await failure(.cancelled) { try await login.poll() }
    }
}

extension Login.Progress {
    /// There is no default: these are all that there can be.
    fileprivate var name: String {
        switch self {
        case .prompt: return "prompt"
        case .event(.pending): return "pending"
        case .event: return "another event"
        case .authorized: return "authorized"
        }
    }
}

private func all(_ steps: Login.Steps) async throws -> [Login.Progress] {
    try await steps.reduce(into: []) { $0.append($1) }
}
