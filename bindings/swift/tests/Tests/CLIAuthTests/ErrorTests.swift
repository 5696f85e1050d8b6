import CLIAuth
import XCTest

final class ErrorTests: XCTestCase, @unchecked Sendable {
    private func outcome(_ server: Server) async throws -> CLIAuthError? {
        let login = try server.client().login()
        do {
            for try await _ in login.steps {}
            XCTFail("it was authorized")
            return nil
        } catch let error as CLIAuthError {
            return error
        }
    }

    func testWhatEachEndIsCalled() async throws {
        for (settings, kind) in [
            (#"{"answer": "deny"}"#, CLIAuthError.Kind.denied),
            (#"{"expires_in": 1}"#, .expired),
            (#"{"script": {"device": ["invalid_client"]}}"#, .rejected),
            (#"{"script": {"device": [{"status": 200, "body": "<html>"}]}}"#, .invalidResponse),
            (#"{"script": {"device": [{"reset": "before"}]}}"#, .network),
            (#"{"tls": "untrusted"}"#, .tls),
        ] {
            let error = try await outcome(Server.new(settings))
            XCTAssertEqual(error?.kind, kind, settings)
            XCTAssertFalse(error?.message.isEmpty ?? true)
            XCTAssertNotNil(error?.recoverySuggestion, settings)
        }
    }

    func testWhatTheServerSaid() async throws {
        let server = try await Server.scripted(
            "token", #"{"status": 400, "json": {"error": "invalid_grant", "error_description": "no\u001b[2J such code"}}"#)
        let found = try await outcome(server)
        let error = try XCTUnwrap(found)
        XCTAssertEqual(error.kind, .rejected)
        XCTAssertEqual(error.oauthError, "invalid_grant")
        XCTAssertEqual(error.httpStatus, 400)
        XCTAssertNotNil(error.requestID)
        XCTAssertEqual(error.serverDescription?.contains("\u{1B}"), false)
        XCTAssertEqual(error.failureReason, error.serverDescription)
        XCTAssertNil(error.organizations)
        // Printed in whatever way, it is a sentence for a user.
        XCTAssertEqual("\(error)", error.message)
        XCTAssertEqual(error.localizedDescription, error.message)
        XCTAssertEqual((error as any Error).localizedDescription, error.message)
    }

    func testEveryMemberOfTheResponse() async throws {
        let server = try await Server.scripted(
            "token",
            #"{"status": 400, "json": {"error": "invalid_client", "suberror": "bad_token", "more": {"a": [1, null]}}}"#)
        let found = try await outcome(server)
        let members = try XCTUnwrap(found).members
        XCTAssertEqual(members.keys.sorted(), ["error", "more", "suberror"])
        XCTAssertEqual(members["suberror"]?.expose(), "\"bad_token\"")
        XCTAssertEqual(members["more"]?.expose(), #"{"a":[1,null]}"#)
        let page = try await outcome(Server.scripted("device", #"{"status": 400, "body": "<html>"}"#))
        XCTAssertEqual(page?.members, [:])
    }

    func testTheTechnicalCause() async throws {
        let found = try await outcome(Server.scripted("device", #"{"reset": "before"}"#))
        let error = try XCTUnwrap(found)
        XCTAssertEqual(error.detail, "Connection reset by peer (os error 104)")
        XCTAssertEqual(error.failureReason, error.detail)
        XCTAssertFalse(error.message.contains("os error"))
    }

    func testTheOrganizationsToChooseFrom() async throws {
        let server = try await Server.scripted(
            "token",
            #"""
            {"status": 403, "json": {"code": "organization_selection_required", "message": "Choose.",
             "pending_authentication_token": "a-pending-token",
             "organizations": [{"id": "org_1", "name": "Acme"}, {"id": "org_2", "name": "Globex"}]}}
            """#)
        let found = try await outcome(server)
        let error = try XCTUnwrap(found)
        XCTAssertEqual(error.kind, .actionRequired)
        XCTAssertEqual(error.organizations, [.init(id: "org_1", name: "Acme"), .init(id: "org_2", name: "Globex")])
        XCTAssertEqual(error.pendingAuthenticationToken?.expose(), "a-pending-token")
    }

    func testAnAbsurdRetryAfterIsNoTrap() async throws {
        let server = try await Server.scripted(
            "device", #"{"status": 503, "headers": {"Retry-After": "99999999999999999"}, "json": {}}"#)
        let found = try await outcome(server)
        let error = try XCTUnwrap(found)
        XCTAssertEqual(error.kind, .network)
        XCTAssertGreaterThan(try XCTUnwrap(error.retryAfter), .seconds(3600))
    }

    func testNobodyIsThere() async throws {
        let options = ClientOptions(allowInsecureLoopback: true)
        let login = try Client.authKit(clientID: "c", apiBase: "http://127.0.0.1:9", options: options).login()
        await failure(.network) { try await login.start() }
        // The outcome stays.
        await failure(.network) { try await login.poll() }
    }

    func testAProgramCanMakeOne() {
        let error = CLIAuthError(.expired, "too late", httpStatus: 400)
        XCTAssertEqual(error.kind.rawValue, "expired")
        XCTAssertEqual("\(error)", "too late")
        XCTAssertEqual(error.httpStatus, 400)
        XCTAssertEqual(error.members, [:])
        XCTAssertNil(CLIAuthError(.init(rawValue: "new"), "x").recoverySuggestion)
    }
}
