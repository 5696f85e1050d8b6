import CLIAuth
import XCTest

/// One call drives a login, from its begin to its end.
final class BusyTests: XCTestCase, @unchecked Sendable {
    func testOtherCallsAreBusyWhileOnePolls() async throws {
        let server = try await Server.silent(at: "token")
        let login = try await started(server.client())
        let first = Task { try await login.poll() }
        try await server.waitFor("token", 1)
        await everyDriverIsBusy(login)
        XCTAssertNotNil(login.prompt)
        login.cancel()
        await failure(.cancelled) { try await first.value }
    }

    func testOtherCallsAreBusyWhileOneStarts() async throws {
        let server = try await Server.silent(at: "device")
        let login = try server.client().login()
        let first = Task { try await login.start() }
        try await server.waitFor("device", 1)
        await everyDriverIsBusy(login)
        login.cancel()
        await failure(.cancelled) { try await first.value }
    }

    func testOtherCallsAreBusyInTheCallbackAndTheFirstGoesOnToItsTokens() async throws {
        let server = try await Server.scripted("token", #""authorization_pending", "grant""#)
        let login = try await started(server.client())
        let events = Shared(0)
        let tokens = try await login.poll { _ in
            await everyDriverIsBusy(login)
            await Task.detached { await everyDriverIsBusy(login) }.value
            XCTAssertNotNil(login.prompt)
            await events.change { $0 += 1 }
        }
        XCTAssertNotNil(tokens.identity)
        let seen = await events.value
        XCTAssertEqual(seen, 1)
        let polls = try await server.requests("token")
        XCTAssertEqual(polls.count, 2)
        // Nobody drives it any more.
        _ = try await login.step(maxWait: .zero)
    }

    func testTheCallbackMayCancel() async throws {
        let login = try await started(Server.new().client())
        await failure(.cancelled) { try await login.poll { _ in login.cancel() } }
    }

    func testACallThatFailedDrivesNoLonger() async throws {
        let login = try await Server.new(#"{"answer": "approve"}"#).client().login()
        await failure(.misuse) { try await login.poll() }
        await failure(.misuse) { try await login.step(maxWait: .seconds(-1)) }
        try await login.start()
        _ = try await login.poll()
    }
}
