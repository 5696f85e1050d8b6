import CLIAuth
import XCTest

final class LifetimeTests: XCTestCase, @unchecked Sendable {
    func testALoginOutlivesItsClient() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        // The client is gone when this returns.
        let login = try server.client().login()
        try await login.start()
        let tokens = try await login.poll()
        XCTAssertNotNil(tokens.userID)
    }

    func testSecretsOutliveEverything() async throws {
        func tokens() async throws -> Tokens {
            try await started(Server.new(#"{"answer": "approve"}"#).client()).poll()
        }
        let kept = try await tokens()
        try await eventually("no thread of ours is left") { !threads().contains("cli-auth") }
        XCTAssertFalse(kept.accessToken.expose().isEmpty)
        XCTAssertEqual(kept.accessToken, Secret(kept.accessToken.expose()))
    }

    func testALoginThatIsForgottenEnds() async throws {
        let server = try await Server.silent(at: "token")
        let client = try server.client()
        weak var forgotten: Login?
        func begin() async throws {
            let login = try await started(client)
            forgotten = login
            // A request is under way when no call drives it any more.
            while try await server.requests("token").isEmpty {
                _ = try await login.step(maxWait: .milliseconds(20))
            }
        }
        try await begin()
        XCTAssertNil(forgotten)
        try await eventually("the connection is closed") { try await server.requests("token").first?.gone != nil }
    }

    func testATaskHoldsTheLoginThatItDrives() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let polling = try await {
            let login = try await started(server.client())
            return Task { try await login.poll() }
        }()
        let tokens = try await polling.value
        XCTAssertNotNil(tokens.userID)
    }
}
