import CLIAuth
import XCTest

/// Whatever prints, no secret is printed.
final class MaskTests: XCTestCase, @unchecked Sendable {
    private let secret = "hunter2-s3cret"

    /// Everything that Swift, Foundation and XCTest make of a value.
    private func printed(_ value: Any) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        var text = "\(value)"
        print(value, to: &text)
        debugPrint(value, to: &text)
        text += String(reflecting: value) + String(describing: value) + dumped
        text += reflected(value, depth: 8)
        if let error = value as? any Error {
            text += error.localizedDescription + "\(error as NSError)" + String(reflecting: error as NSError)
        }
        return text
    }

    private func reflected(_ value: Any, depth: Int) -> String {
        guard depth > 0 else { return "" }
        let mirror = Mirror(reflecting: value)
        return mirror.children.map { "\($0.label ?? "")=\($0.value)" + reflected($0.value, depth: depth - 1) }.joined()
    }

    private func hides(_ value: Any, file: StaticString = #filePath, line: UInt = #line) {
        let text = printed(value)
        XCTAssertFalse(text.contains(secret), text, file: file, line: line)
        XCTAssertFalse(printed([value]).contains(secret), file: file, line: line)
        XCTAssertFalse(printed(["key": value]).contains(secret), file: file, line: line)
        XCTAssertFalse(printed(Optional(value) as Any).contains(secret), file: file, line: line)
    }

    func testSecrets() {
        let value = Secret(secret)
        XCTAssertEqual("\(value)", "****")
        XCTAssertEqual(String(reflecting: value), "Secret(****)")
        XCTAssertEqual(Mirror(reflecting: value).children.count, 0)
        XCTAssertEqual(value.expose(), secret)
        hides(value)
        XCTAssertEqual(value, Secret(secret))
        XCTAssertNotEqual(value, Secret("other"))
        XCTAssertFalse(value is any Encodable)
    }

    func testTheTestsSeeWhatIsPrinted() {
        struct Open { let text: String }
        XCTAssert(printed(Open(text: secret)).contains(secret))
        XCTAssert(reflected([Open(text: secret)], depth: 8).contains(secret))
    }

    func testOptions() {
        let options = ClientOptions(
            scopes: ["openid"], headers: [("Authorization", secret)], proxy: "http://me:\(secret)@proxy:8080",
            clientSecret: Secret(secret))
        hides(options)
        XCTAssert("\(options)".contains("openid"))
        XCTAssert("\(options)".contains("Authorization: ****"))
    }

    func testClientsAndLogins() async throws {
        let client = try Client.withEndpoints(
            deviceAuthorization: "https://h/d", token: "https://h/t", clientID: "c",
            options: .init(headers: [("X-Key", secret)], clientSecret: Secret(secret)))
        hides(client)
        hides(client.login())
    }

    func testTokens() async throws {
        let server = try await Server.scripted(
            "token",
            #"""
            {"json": {"access_token": "\#(secret)", "refresh_token": "\#(secret)", "id_token": "\#(secret)",
             "token_type": "Bearer", "more": "\#(secret)"}}
            """#)
        let login = try await started(server.client())
        let tokens = try await login.poll()
        XCTAssertEqual(tokens.accessToken.expose(), secret)
        XCTAssertEqual(tokens.idToken?.expose(), secret)
        XCTAssertEqual(tokens.other["more"]?.expose(), "\"\(secret)\"")
        hides(tokens)
        hides(login)
        hides(Step.authorized(tokens))
    }

    func testIdentities() async throws {
        let user = Identity(
            subject: "user_1\u{1B}[2J", email: "\(secret)@example.org", name: secret, claims: ["nickname": secret])
        hides(user)
        XCTAssertEqual("\(user)", "Identity(subject: user_1\u{FFFD}[2J)")
        XCTAssertEqual(String(reflecting: user), "\(user)")
        XCTAssertFalse(printed(user).contains("\u{1B}"))

        let server = try await Server.new(
            #"{"answer": "approve", "user": {"email": "\#(secret)@example.org", "last_name": "\#(secret)"}}"#)
        let tokens = try await started(server.client()).poll()
        XCTAssertEqual(tokens.identity?.email, "\(secret)@example.org")
        XCTAssert("\(tokens)".contains(try XCTUnwrap(tokens.identity?.subject)))
        hides(tokens)
        hides(Step.authorized(tokens))
    }

    func testErrors() async throws {
        hides(CLIAuthError(.actionRequired, "choose", pendingAuthenticationToken: Secret(secret)))
        hides(CLIAuthError(.actionRequired, "choose", members: ["more": Secret(secret)]))
        // A server whose response has more members.
        let talkative = try await Server.scripted(
            "refresh", #"{"status": 400, "json": {"error": "invalid_grant", "more": "\#(secret)"}}"#)
        let talked = await failure(.loginRequired) { try await talkative.client().refresh(Secret("a token")) }
        XCTAssertEqual(talked?.members["more"]?.expose(), "\"\(secret)\"")
        hides(try XCTUnwrap(talked))
        // A server that tells what it was sent.
        let server = try await Server.scripted(
            "refresh", #"{"status": 400, "json": {"error": "invalid_grant", "error_description": "no \#(secret) here"}}"#)
        let error = await failure(.loginRequired) { try await server.client().refresh(Secret(secret)) }
        hides(try XCTUnwrap(error))
    }

    func testTheDeviceCode() async throws {
        let server = try await Server.new(#"{"script": {"device": [{"merge": {"device_code": "\#(secret)"}}]}}"#)
        let login = try server.client().login()
        let prompt = try await login.start()
        hides(prompt)
        hides(login)
        login.cancel()
        let error = await failure(.cancelled) { try await login.poll() }
        hides(try XCTUnwrap(error))
    }
}
