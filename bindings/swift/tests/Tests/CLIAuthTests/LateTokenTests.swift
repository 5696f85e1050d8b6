@testable import CLIAuth
import CLIAuthNative
import XCTest

/// Tokens that come when the login is cancelled: no call has returned them, so they are revoked.
final class LateTokenTests: XCTestCase, @unchecked Sendable {
    /// A login whose response with the tokens was read between two steps.
    private func answered() async throws -> (Server, CLIAuth.Login) {
        let server = try await Server.scripted("token", #"{"grant": true, "delay_body": 1}"#)
        let client = try server.discovered(.init(scopes: ["offline_access"]))
        let login = try await started(client)
        try await stepIntoARequest(login)
        try await eventually("the response was sent") { try await server.requests("token").first?.replied != nil }
        // The one thread of the client reads what has arrived before it sends this request and reads its response.
        await failure(.loginRequired) { try await client.refresh(Secret("unknown")) }
        return (server, login)
    }

    func testCancelRevokesThem() async throws {
        let (server, login) = try await answered()
        login.cancel()
        await failure(.cancelled) { try await login.poll() }
        try await server.waitFor("revoke", 1)
    }

    func testACancelledTaskRevokesThem() async throws {
        let (server, login) = try await answered()
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await login.poll()
        }
        await cancellation { try await late.value }
        try await server.waitFor("revoke", 1)
        await failure(.cancelled) { try await login.poll() }
    }

    func testALoginThatIsForgottenRevokesThem() async throws {
        func forget() async throws -> Server {
            // The login is gone when this returns.
            try await answered().0
        }
        let server = try await forget()
        try await server.waitFor("revoke", 1)
    }

    func testALoginThatIsForgottenRevokesNothingThatItReturned() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        func logIn() async throws -> CLIAuth.Tokens {
            try await started(server.discovered(.init(scopes: ["offline_access"]))).poll()
        }
        let tokens = try await logIn()
        try await eventually("no thread of ours is left") { !threads().contains("cli-auth") }
        let revoked = try await server.requests("revoke")
        XCTAssertEqual(revoked.count, 0)
        _ = try await server.discovered().refresh(try XCTUnwrap(tokens.refreshToken))
    }

    func testACallbackWhoseTaskIsCancelledEndsTheLogin() async throws {
        let server = try await Server.new(#"{"expires_in": 20}"#)
        let login = try await started(server.client())
        let polling = Task {
            try await login.poll { _ in
                withUnsafeCurrentTask { $0?.cancel() }
                throw Mistake(why: "mine")
            }
        }
        do {
            _ = try await polling.value
            XCTFail("nothing was thrown")
        } catch {
            XCTAssert(error is Mistake, "\(error)")
        }
        await failure(.cancelled) { try await login.poll() }
    }

    /// The library, with the task cancelled right after the step that brought the tokens.
    private final class Interrupted: CLIAuthNative.Login, @unchecked Sendable {
        override func stepAsync(number: UInt64, maxWait: Double) async throws -> CLIAuthNative.Step {
            let step = try await super.stepAsync(number: number, maxWait: maxWait)
            if case .authorized = step {
                withUnsafeCurrentTask { $0?.cancel() }
            }
            return step
        }
    }

    private func interrupted(_ server: Server) throws -> CLIAuth.Login {
        let client = try server.discovered(.init(scopes: ["offline_access"]))
        return CLIAuth.Login(Interrupted(unsafeFromHandle: client.native.login().uniffiCloneHandle()))
    }

    func testATaskCancelledWhenTheyComeRevokesThem() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try interrupted(server)
        let polling = Task {
            try await login.start()
            return try await login.poll()
        }
        await cancellation { try await polling.value }
        let revoked = try await server.requests("revoke")
        XCTAssertEqual(revoked.count, 1)
        // The tokens were revoked, so they are not returned.
        await failure(.cancelled) { try await login.poll() }
        await failure(.cancelled) { try await login.step(maxWait: .zero) }
    }

    func testARevocationThatHangsIsGivenUp() async throws {
        let server = try await Server.new(
            #"{"answer": "approve", "script": {"revoke": {"steps": [{"hang": "before"}], "then": "repeat"}}}"#)
        let login = try interrupted(server)
        let polling = Task {
            try await login.start()
            return try await login.poll()
        }
        try await server.waitFor("revoke", 1)
        let began = ContinuousClock.now
        await cancellation { try await polling.value }
        XCTAssertLessThan(began.duration(to: .now), soon)
    }
}
