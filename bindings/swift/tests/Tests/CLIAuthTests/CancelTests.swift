import CLIAuth
import XCTest

/// Where a login waits when it is cancelled.
enum Wait: String, CaseIterable, Sendable {
    case asleep, inAPoll, inTheStart, inDiscovery, inTheHandshake

    private func server() async throws -> Server {
        switch self {
        case .asleep:
            let pending = #"{"error": "authorization_pending", "headers": {"Retry-After": "200"}}"#
            return try await .scripted("token", pending)
        case .inAPoll: return try await .silent(at: "token")
        case .inTheStart: return try await .silent(at: "device")
        case .inDiscovery: return try await .silent(at: "discovery_oauth")
        case .inTheHandshake: return try await .new(#"{"tls": "handshake_hang"}"#)
        }
    }

    /// A login that waits there, and the task that drives it.
    func begin() async throws -> (login: Login, driving: Task<Void, any Error>) {
        let server = try await server()
        let login = try (self == .inDiscovery ? server.discovered() : server.client()).login()
        let events = Shared(0)
        let driving = Task {
            try await login.start()
            _ = try await login.poll { _ in await events.change { $0 += 1 } }
        }
        switch self {
        case .asleep: try await eventually("a poll was answered") { await events.value == 1 }
        case .inAPoll: try await server.waitFor("token", 1)
        case .inTheStart: try await server.waitFor("device", 1)
        case .inDiscovery: try await server.waitFor("discovery_oauth", 1)
        case .inTheHandshake: try await eventually("there is a connection") { try await server.connections() == 1 }
        }
        return (login, driving)
    }
}

final class CancelTests: XCTestCase, @unchecked Sendable {
    func testTheTaskEndsEveryWaitAtOnce() async throws {
        for wait in Wait.allCases {
            let (login, driving) = try await wait.begin()
            let began = ContinuousClock.now
            driving.cancel()
            await cancellation { try await driving.value }
            XCTAssertLessThan(began.duration(to: .now), soon, wait.rawValue)
            // The login, and not only the call.
            await failure(.cancelled) { try await login.poll() }
        }
    }

    func testCancelEndsEveryWaitAtOnce() async throws {
        for wait in Wait.allCases {
            let (login, driving) = try await wait.begin()
            let began = ContinuousClock.now
            login.cancel()
            await failure(.cancelled) { try await driving.value }
            XCTAssertLessThan(began.duration(to: .now), soon, wait.rawValue)
            await failure(.cancelled) { try await login.poll() }
        }
    }

    func testManyCancelAtOnce() async throws {
        for wait in Wait.allCases {
            let (login, driving) = try await wait.begin()
            DispatchQueue.concurrentPerform(iterations: 50) { _ in login.cancel() }
            await failure(.cancelled) { try await driving.value }
            let (other, cancelled) = try await wait.begin()
            DispatchQueue.concurrentPerform(iterations: 50) { _ in cancelled.cancel() }
            await cancellation { try await cancelled.value }
            await failure(.cancelled) { try await other.poll() }
        }
    }

    func testTheConnectionOfARequestCloses() async throws {
        let server = try await Server.silent(at: "token")
        let login = try await started(server.client())
        let driving = Task { try await login.poll() }
        try await server.waitFor("token", 1)
        driving.cancel()
        await cancellation { try await driving.value }
        try await eventually("the connection is closed") { try await server.requests("token").first?.gone != nil }
    }

    func testATimeoutEndsTheLogin() async throws {
        let login = try await started(Server.new(#"{"interval": 60}"#).client())
        await cancellation {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await login.poll() }
                group.addTask { try await Task.sleep(for: .milliseconds(200)) }
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        await failure(.cancelled) { try await login.poll() }
    }

    func testATaskThatIsCancelledSendsNothing() async throws {
        let server = try await Server.new()
        let client = try server.client()
        let login = client.login()
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await cancellation { try await login.start() }
            await cancellation { try await client.refresh(Secret("token")) }
            await cancellation { try await client.revoke(Secret("token")) }
            await cancellation { try await client.userInfo(for: Secret("token")) }
        }
        await late.value
        for endpoint in ["device", "refresh", "revoke", "userinfo"] {
            let sent = try await server.requests(endpoint)
            XCTAssertEqual(sent.count, 0, endpoint)
        }
    }

    func testCancelBeforeTheStart() async throws {
        let login = try await Server.new().client().login()
        login.cancel()
        login.cancel()
        await failure(.cancelled) { try await login.start() }
        await failure(.cancelled) { try await login.poll() }
        await failure(.cancelled) { for try await _ in login.steps {} }
    }

    func testStartAfterAFailureThrowsItsError() async throws {
        let cancelled = try await started(Server.new().client())
        cancelled.cancel()
        await failure(.cancelled) { try await cancelled.start() }

        let denied = try await started(Server.new(#"{"answer": "deny"}"#).client())
        await failure(.denied) { try await denied.poll() }
        await failure(.denied) { try await denied.start() }
        XCTAssertNotNil(denied.prompt)
    }

    func testCancelAfterTheOutcomeChangesNothing() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try await started(server.discovered(.init(scopes: ["offline_access"])))
        let tokens = try await login.poll()
        login.cancel()
        let again = try await login.poll()
        XCTAssertEqual(again.accessToken, tokens.accessToken)
        // A task that is cancelled gets the tokens that were accepted before; they are not revoked.
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await login.poll()
        }
        let given = try await late.value
        XCTAssertEqual(given.accessToken, tokens.accessToken)
        let revoked = try await server.requests("revoke")
        XCTAssertEqual(revoked.count, 0)
    }

    func testARequestEndsWithItsTask() async throws {
        for endpoint in ["refresh", "revoke", "userinfo"] {
            let server = try await Server.silent(at: endpoint)
            let client = try server.discovered()
            let asking = Task {
                switch endpoint {
                case "refresh": _ = try await client.refresh(Secret("a-refresh-token"))
                case "revoke": try await client.revoke(Secret("a-refresh-token"))
                default: _ = try await client.userInfo(for: Secret("an-access-token"))
                }
            }
            try await server.waitFor(endpoint, 1)
            let began = ContinuousClock.now
            asking.cancel()
            await cancellation { try await asking.value }
            XCTAssertLessThan(began.duration(to: .now), soon, endpoint)
            try await eventually("the connection is closed") { try await server.requests(endpoint).first?.gone != nil }
        }
    }
}
