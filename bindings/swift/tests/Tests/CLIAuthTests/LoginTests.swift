import CLIAuth
import XCTest

final class LoginTests: XCTestCase, @unchecked Sendable {
    func testALoginWithEveryKindOfClient() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let options = ClientOptions(allowInsecureLoopback: true)
        let clients = [
            try Client.authKit(clientID: "client_test", apiBase: server.url, options: options),
            try Client.workOSConnect(domain: server.url, clientID: "client_test", options: options),
            try Client.forIssuer(server.issuer, clientID: "client_test", options: options),
            try Client.withEndpoints(
                deviceAuthorization: "\(server.url)/oauth2/device_authorization", token: "\(server.url)/oauth2/token",
                clientID: "client_test", options: options),
        ]
        for client in clients {
            let login = client.login()
            let prompt = try await login.start()
            XCTAssertFalse(prompt.userCode.isEmpty)
            let tokens = try await login.poll()
            XCTAssertFalse(tokens.accessToken.expose().isEmpty)
        }
    }

    func testWhatAuthKitGives() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try server.client(.init(product: "my-cli/1.0")).login()
        XCTAssertNil(login.prompt)
        let prompt = try await login.start()
        XCTAssertEqual(prompt.host, "127.0.0.1")
        XCTAssertEqual(prompt.product, "my-cli")
        XCTAssertEqual(prompt.expiresIn, .seconds(300))
        XCTAssert(prompt.verificationURIComplete?.contains(prompt.userCode) ?? false)
        XCTAssert(prompt.text().hasSuffix("\n") && prompt.text().contains(prompt.userCode))
        let again = try await login.start()
        XCTAssertEqual(again.userCode, prompt.userCode)
        XCTAssertEqual(login.prompt?.userCode, prompt.userCode)
        let tokens = try await login.poll()
        XCTAssert(tokens.identity?.subject.hasPrefix("user_") ?? false)
        XCTAssertNotNil(tokens.refreshToken)
        XCTAssertNil(tokens.idToken)
        XCTAssertEqual(tokens.expiresIn, .seconds(300))
        let left = try XCTUnwrap(tokens.expiresAt).timeIntervalSinceNow
        XCTAssert((200...300).contains(left), "\(left)")
        XCTAssertEqual(tokens.other["authentication_method"]?.expose().first, "\"")
        let same = try await login.poll()
        XCTAssertEqual(same.accessToken, tokens.accessToken)
        let polls = try await server.requests("token")
        XCTAssertEqual(polls.count, 1)
        XCTAssert(polls.first?.header("user-agent")?.hasPrefix("my-cli/1.0 ") ?? false)
    }

    func testEverySettingArrives() async throws {
        let server = try await Server.new()
        let options = ClientOptions(
            scopes: ["openid", "profile"],
            params: [("audience", "b&=é"), ("resource", "https://a/"), ("resource", "https://b/")],
            tokenParams: [("audience", "ü")],
            headers: [("X-Tenant", "blue")],
            clientSecret: Secret("test secret:+%é"),
            clientAuth: .clientSecretPost,
            pkce: .always,
            allowInsecureLoopback: true
        )
        let client = try Client.forIssuer(server.issuer, clientID: "client_confidential", options: options)
        try await client.login().start()
        let requests = try await server.requests("device")
        let request = try XCTUnwrap(requests.first)
        XCTAssertEqual(request.fields("scope"), ["openid profile"])
        XCTAssertEqual(request.fields("audience"), ["b&=é"])
        XCTAssertEqual(request.fields("resource"), ["https://a/", "https://b/"])
        XCTAssertEqual(request.fields("client_secret"), ["test secret:+%é"])
        XCTAssertEqual(request.fields("code_challenge_method"), ["S256"])
        XCTAssertEqual(request.header("x-tenant"), "blue")
    }

    func testEventsComeInTheirOrder() async throws {
        let server = try await Server.scripted(
            "token",
            #""authorization_pending", {"status": 502, "body": "x", "headers": {"x-request-id": "req-1"}}, "grant""#)
        let events = Shared<[Event]>([])
        let login = try await started(server.client())
        _ = try await login.poll { event in await events.change { $0.append(event) } }
        let seen = await events.value
        guard seen.count == 2, case .pending(let next, let expires) = seen[0],
            case .retrying(let reason, let attempt, let retryIn, let requestID) = seen[1]
        else { return XCTFail("\(seen)") }
        XCTAssert((Duration.seconds(1)...Duration.seconds(2)).contains(next), "\(next)")
        XCTAssert((Duration.seconds(200)...Duration.seconds(300)).contains(expires), "\(expires)")
        XCTAssertEqual(reason, "http_502")
        XCTAssertEqual(attempt, 1)
        XCTAssertGreaterThan(retryIn, .seconds(1))
        XCTAssertEqual(requestID, "req-1")
    }

    func testAStepIsBounded() async throws {
        let login = try await started(Server.new(#"{"interval": 60}"#).client())
        let began = ContinuousClock.now
        guard case .waiting(let dueIn) = try await login.step(maxWait: .milliseconds(20)) else { return XCTFail("no wait") }
        XCTAssertLessThan(began.duration(to: .now), soon)
        XCTAssertGreaterThan(dueIn, .zero)
    }

    func testStepsGoOnWhereTheLastOneEnded() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let login = try server.client().login()
        var found: [Tokens] = []
        try await eventually("there are tokens") {
            if case .authorized(let tokens) = try await login.step(maxWait: .milliseconds(20)) { found.append(tokens) }
            // It says so again.
            return found.count == 2
        }
        XCTAssertEqual(found.first?.accessToken, found.last?.accessToken)
        for endpoint in ["device", "token"] {
            let requests = try await server.requests(endpoint)
            XCTAssertEqual(requests.count, 1, endpoint)
        }
    }

    func testAnErrorOfTheCallbackComesOutAndTheLoginGoesOn() async throws {
        let server = try await Server.scripted("token", #""authorization_pending", "grant""#)
        let login = try await started(server.client())
        do {
            _ = try await login.poll { _ in throw Mistake(why: "mine") }
            XCTFail("nothing was thrown")
        } catch let error as Mistake {
            XCTAssertEqual(error.why, "mine")
        }
        _ = try await login.poll()
    }

    func testPollBeforeStart() async throws {
        let login = try await Server.new().client().login()
        let error = await failure(.misuse) { try await login.poll() }
        XCTAssert(error?.message.contains("before start") ?? false)
    }

    func testRefreshAndRevoke() async throws {
        let server = try await Server.new(#"{"answer": "approve"}"#)
        let client = try server.discovered(.init(scopes: ["offline_access"]))
        let tokens = try await started(client).poll()
        let old = try XCTUnwrap(tokens.refreshToken)
        let new = try await client.refresh(old)
        XCTAssertNotEqual(new.accessToken, tokens.accessToken)
        XCTAssertNotEqual(new.refreshToken, old)
        try await client.revoke(try XCTUnwrap(new.refreshToken))
        await failure(.loginRequired) { try await client.refresh(old) }
        await failure(.unsupported) { try await server.client().revoke(old) }
    }

    func testEveryWayToSendAClientSecret() async throws {
        for (clientAuth, isInTheBody) in [(ClientAuth.clientSecretBasic, false), (.clientSecretPost, true)] {
            let server = try await Server.new()
            let options = ClientOptions(
                clientSecret: Secret("test secret:+%é"), clientAuth: clientAuth, allowInsecureLoopback: true)
            let client = try Client.forIssuer(server.issuer, clientID: "client_confidential", options: options)
            try await client.login().start()
            let requests = try await server.requests("device")
            let request = try XCTUnwrap(requests.first)
            XCTAssertEqual(request.fields("client_secret").count, isInTheBody ? 1 : 0)
            XCTAssertEqual(request.header("authorization")?.hasPrefix("Basic ") ?? false, !isInTheBody)
        }
    }
}
