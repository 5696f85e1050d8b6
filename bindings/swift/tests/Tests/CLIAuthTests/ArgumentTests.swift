import XCTest

@testable import CLIAuth

final class ArgumentTests: XCTestCase, @unchecked Sendable {
    private func refused(_ options: ClientOptions, names word: String, line: UInt = #line) {
        do {
            _ = try Client.authKit(clientID: "c", options: options)
            XCTFail("it was taken", line: line)
        } catch let error as CLIAuthError {
            XCTAssertEqual(error.kind, .invalidConfig, line: line)
            XCTAssert(error.message.contains(word), error.message, line: line)
        } catch {
            XCTFail("\(error)", line: line)
        }
    }

    func testWrongSettingsAreNamed() {
        refused(.init(scopes: ["a\u{1}b"]), names: "scope")
        refused(.init(params: [("client_id", "x")]), names: "client_id")
        refused(.init(refreshParams: [("grant_type", "x")]), names: "grant_type")
        refused(.init(refreshParams: [("audience", "x"), ("audience", "y")]), names: "audience")
        refused(.init(headers: [("X Tenant", "x")]), names: "header")
        refused(.init(headers: [("X-Tenant", "x\ny")]), names: "header")
        refused(.init(caPEM: Data("no certificate".utf8)), names: "ertificate")
        refused(.init(caPEM: Data(count: 5 << 20)), names: "4 MiB")
        refused(.init(proxy: "ftp://127.0.0.1"), names: "proxy")
        refused(.init(product: "my cli"), names: "product")
        XCTAssertThrowsError(try Client.authKit(clientID: ""))
        XCTAssertThrowsError(try Client.forIssuer("http://example.com", clientID: "c"))
        XCTAssertThrowsError(try Client.forIssuer("https://h", clientID: "c", deviceAuthorizationEndpoint: "http://h/d"))
        XCTAssertThrowsError(try Client.forIssuer("https://h", clientID: "c", tokenEndpoint: "nonsense"))
        XCTAssertThrowsError(try Client.forIssuer("https://h", clientID: "c", revocationEndpoint: ""))
        XCTAssertThrowsError(try Client.workOSConnect(domain: "", clientID: "c"))
        XCTAssertThrowsError(try Client.withEndpoints(deviceAuthorization: "nonsense", token: "https://h/t", clientID: "c"))
    }

    func testTimesThatAreNone() {
        for wrong in [Duration.seconds(-1), .nanoseconds(-1), .seconds(Int64.min)] {
            refused(.init(connectTimeout: wrong), names: "connect timeout")
            refused(.init(readTimeout: wrong), names: "read timeout")
            refused(.init(requestTimeout: wrong), names: "request timeout")
            refused(.init(loginTimeout: wrong), names: "login timeout")
        }
        refused(.init(requestTimeout: .seconds(Int64.max)), names: "24 hours")
        XCTAssertNoThrow(try Client.authKit(clientID: "c", options: .init(loginTimeout: .seconds(Int64.max))))
    }

    func testAbsurdWaitsAreNoTraps() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try server.client().login()
        await failure(.misuse) { try await login.step(maxWait: .seconds(-1)) }
        await failure(.misuse) { try await login.step(maxWait: .seconds(Int64.min)) }
        while true {
            if case .authorized = try await login.step(maxWait: .seconds(Int64.max)) { break }
        }
    }

    func testAbsurdNumbersOfAServerAreNoTraps() async throws {
        let server = try await Server.new(
            #"""
            {"script": {"device": [{"merge": {"expires_in": 1e300, "interval": 1}}],
                        "token": [{"json": {"access_token": "t", "token_type": "Bearer", "expires_in": 1e18}}]}}
            """#)
        let login = try server.client().login()
        let prompt = try await login.start()
        XCTAssertGreaterThan(prompt.expiresIn, .seconds(3600))
        let tokens = try await login.poll()
        XCTAssertGreaterThan(try XCTUnwrap(tokens.expiresIn), .seconds(3600))
        XCTAssertGreaterThan(try XCTUnwrap(tokens.expiresAt), Date(timeIntervalSinceNow: 3600))
    }

    func testWidthsThatAreNone() async throws {
        let prompt = try await Server.new().client().login().start()
        for columns in [Int.min, -1, 0, 1, Int.max] {
            XCTAssert(prompt.text(columns: columns).contains(prompt.userCode))
        }
        XCTAssertEqual(prompt.text(columns: 0), prompt.text(columns: 24))
        XCTAssertNotEqual(prompt.text(columns: 24), prompt.text())
    }

    func testATimeThatIsSetEndsTheLogin() async throws {
        let server = try await Server.new(#"{"interval": 60}"#)
        let login = try server.client(.init(loginTimeout: .milliseconds(300))).login()
        await failure(.expired) { for try await _ in login.steps {} }
    }

    func testServerTextIsSanitized() {
        XCTAssertEqual(sanitize(" a\u{1B}\u{7}[31mb\u{202E}c\td\u{200B}\n"), "a\u{FFFD}[31mb\u{FFFD}c d\u{FFFD}")
        XCTAssertEqual(sanitize("plain é"), "plain é")
        XCTAssertEqual(sanitize(String(repeating: "x", count: 100_000)), String(repeating: "x", count: 400) + "…")
    }

    func testNoBrowserIsOpenedHere() async throws {
        let prompt = try await Server.new().client().login().start()
        guard case .notStarted(let why) = prompt.openBrowser() else { return XCTFail("one was started") }
        XCTAssertFalse(why.isEmpty)
    }

    // Times cross the border of the library as numbers, of which some are no times.

    func testWhateverTheNumberIsThereIsADuration() {
        XCTAssertEqual(Duration(ofSeconds: 0), .zero)
        XCTAssertEqual(Duration(ofSeconds: 1.5), .milliseconds(1500))
        XCTAssertEqual(Duration(ofSeconds: 5.1), .milliseconds(5100))
        XCTAssertEqual(Duration(ofSeconds: 0.999_999_999_9), .seconds(1))
        for none in [-1.0, -.infinity, .nan] {
            XCTAssertEqual(Duration(ofSeconds: none), .zero)
        }
        for long in [1e15, 1e16, 1e300, .infinity, .greatestFiniteMagnitude] {
            XCTAssertEqual(Duration(ofSeconds: long), .seconds(1_000_000_000_000_000))
        }
    }

    func testADurationIsANumber() {
        XCTAssertEqual(Duration.milliseconds(1500).seconds, 1.5)
        XCTAssertEqual(Duration.seconds(-2).seconds, -2)
        XCTAssertEqual(Duration.seconds(Int64.max).seconds, 9.223372036854775807e18)
    }
}
