@testable import CLIAuth
import CLIAuthNative
import XCTest

/// Tokens that come when the login is being given up: nobody has them, so they are revoked.
final class LateTokenTests: XCTestCase, @unchecked Sendable {
    /// A login whose answer with the tokens was read while nobody looked.
    private func answered() async throws -> (Server, CLIAuth.Login) {
        let server = try await Server.scripted("token", #"{"grant": true, "delay_body": 1}"#)
        let login = try await started(server.discovered(.init(scopes: ["offline_access"])))
        while try await server.requests("token").isEmpty {
            _ = try await login.step(maxWait: .milliseconds(10))
        }
        try await Task.sleep(for: .seconds(1.5))
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
            try? await Task.sleep(for: .seconds(60))
            return try await login.poll()
        }
        late.cancel()
        await cancellation { try await late.value }
        try await server.waitFor("revoke", 1)
    }

    /// The library, with the task cancelled right after the step that brought the tokens.
    private final class Interrupted: CLIAuthNative.Login, @unchecked Sendable {
        override func stepAsync(maxWait: Double) async throws -> CLIAuthNative.Step {
            let step = try await super.stepAsync(maxWait: maxWait)
            if case .authorized = step {
                withUnsafeCurrentTask { $0?.cancel() }
            }
            return step
        }
    }

    private func interrupted(_ server: Server) throws -> CLIAuth.Login {
        let client = try server.discovered(.init(scopes: ["offline_access"]))
        let login = Interrupted(unsafeFromHandle: client.native.login().uniffiCloneHandle())
        return CLIAuth.Login(client.native, login)
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
        XCTAssertLessThan(began.duration(to: .now), .seconds(4))
    }
}
