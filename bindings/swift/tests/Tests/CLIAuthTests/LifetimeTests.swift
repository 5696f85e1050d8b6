import CLIAuth
import XCTest

final class LifetimeTests: XCTestCase, @unchecked Sendable {
    func testALoginOutlivesItsClient() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        // The client is gone when this returns.
        let login = try server.client().login()
        try await login.start()
        let tokens = try await login.poll()
        XCTAssertNotNil(tokens.identity)
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
        for endpoint in ["device", "token"] {
            let server = try await Server.silent(at: endpoint)
            let client = try server.client()
            weak var forgotten: Login?
            func begin() async throws {
                let login = client.login()
                forgotten = login
                if endpoint == "token" { try await login.start() }
                try await stepIntoARequest(login)
                try await server.waitFor(endpoint, 1)
            }
            try await begin()
            XCTAssertNil(forgotten)
            try await eventually("the request is given up") { try await server.requests(endpoint).first?.gone != nil }
        }
    }

    func testARequestOutlivesItsClient() async throws {
        let server = try await Server.scripted("refresh", #"{"real": true, "delay": 0.5}"#)
        await failure(.loginRequired) { try await server.discovered().refresh(Secret("unknown")) }
    }

    func testATaskHoldsTheLoginThatItDrives() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let polling = try await {
            let login = try await started(server.client())
            return Task { try await login.poll() }
        }()
        let tokens = try await polling.value
        XCTAssertNotNil(tokens.identity)
    }
}
