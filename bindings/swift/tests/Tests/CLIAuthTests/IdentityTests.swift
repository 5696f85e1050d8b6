import CLIAuth
import XCTest

final class IdentityTests: XCTestCase, @unchecked Sendable {
    private let all = ["openid", "profile", "email", "offline_access"]

    /// A server whose user approves at once.
    private func adasServer(_ more: String = "") async throws -> Server {
        try await .new(
            #"""
            {"answer": "approve", "user": {"id": "user_ada", "email": "ada@example.org", "first_name": "Ada",
             "last_name": "Lovelace", "age": 36}\#(more)}
            """#)
    }

    private func authorized(_ client: Client) async throws -> Tokens {
        try await started(client).poll()
    }

    func testTheUserOfAuthKit() async throws {
        let server = try await Server.new(
            #"""
            {"answer": {"decision": "approve", "organization_id": "org_1"},
             "organizations": [{"id": "org_1", "name": "Acme"}, {"id": "org_2", "name": "Globex"}],
             "user": {"id": "user_ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace",
              "age": 36}}
            """#)
        let client = try server.client()
        let tokens = try await authorized(client)
        let user = try XCTUnwrap(tokens.identity)
        XCTAssertEqual(user.subject, "user_ada")
        XCTAssertEqual(user.email, "ada@example.org")
        XCTAssertEqual(user.emailVerified, true)
        XCTAssertEqual(user.name, "Ada Lovelace")
        XCTAssertEqual(user.organizationID, "org_1")
        XCTAssertEqual(user.claims["age"], "36")
        XCTAssertEqual(user.claims["id"], "\"user_ada\"")
        XCTAssertNil(user.claims["no such claim"])
        // Another organization of the same user.
        let old = try XCTUnwrap(tokens.refreshToken)
        let moved = try await client.refresh(
            old, options: .init(params: [("organization_id", "org_2")], subject: user.subject))
        XCTAssertEqual(moved.identity?.organizationID, "org_2")
        XCTAssertEqual(moved.identity?.subject, user.subject)
        await failure(.unsupported) { try await client.userInfo(for: tokens.accessToken) }
    }

    func testTheUserOfAnIDToken() async throws {
        let server = try await adasServer()
        let known = try await authorized(server.discovered(.init(scopes: all))).identity
        let user = try XCTUnwrap(known)
        XCTAssertEqual(user.subject, "user_ada")
        XCTAssertEqual(user.email, "ada@example.org")
        XCTAssertEqual(user.emailVerified, true)
        XCTAssertEqual(user.name, "Ada Lovelace")
        XCTAssertNil(user.organizationID)
        XCTAssertEqual(user.claims["iss"], "\"\(server.issuer)\"")
        let keys = try await server.requests("jwks")
        XCTAssertEqual(keys.count, 1)

        let little = try await authorized(server.discovered(.init(scopes: ["openid"]))).identity
        XCTAssertEqual(little?.subject, "user_ada")
        XCTAssertNil(little?.email)
        XCTAssertNil(little?.emailVerified)
        XCTAssertNil(little?.name)
        let none = try await authorized(server.discovered(.init(scopes: ["offline_access"])))
        XCTAssertNil(none.identity)
    }

    func testAnIDTokenThatIsNotVerifiedSaysNothing() async throws {
        let server = try await adasServer(#", "id_token": {"signature": "bad"}"#)
        let client = try server.discovered(.init(scopes: all, verifyIDToken: false))
        let tokens = try await authorized(client)
        XCTAssertNotNil(tokens.idToken)
        XCTAssertNil(tokens.identity)
        let user = try await client.userInfo(for: tokens.accessToken)
        XCTAssertEqual(user.subject, "user_ada")
        let keys = try await server.requests("jwks")
        XCTAssertEqual(keys.count, 0)
    }

    func testAnIDTokenOfAnotherSignerEndsTheLogin() async throws {
        let server = try await adasServer(#", "id_token": {"signature": "bad"}"#)
        let login = try await started(server.discovered(.init(scopes: all)))
        await failure(.invalidResponse) { try await login.poll() }
    }

    func testWithoutTheKeysThereIsAnEventAndNoIdentity() async throws {
        let server = try await adasServer(
            #"""
            , "script": {"discovery_oauth": {"steps": [{"real": true, "remove": ["jwks_uri"]}], "then": "repeat"}}
            """#)
        let client = try server.discovered(.init(scopes: all))
        var steps: [Login.Progress] = []
        for try await step in client.login().steps { steps.append(step) }
        guard steps.count >= 3, case .event(.identityUnverified(let message)) = steps[steps.count - 2],
            case .authorized(let tokens) = steps[steps.count - 1]
        else { return XCTFail("\(steps)") }
        XCTAssert(message.contains("jwks_uri"), message)
        XCTAssertNotNil(tokens.idToken)
        XCTAssertNil(tokens.identity)
    }

    func testTheServerIsAskedWhoTheUserIs() async throws {
        let server = try await adasServer()
        let client = try server.discovered(.init(scopes: all))
        let tokens = try await authorized(client)
        for subject in [nil, tokens.identity?.subject] {
            let user = try await client.userInfo(for: tokens.accessToken, subject: subject)
            XCTAssertEqual(user.subject, "user_ada")
            XCTAssertEqual(user.email, "ada@example.org")
            XCTAssertEqual(user.name, "Ada Lovelace")
            XCTAssertEqual(user.claims["sub"], "\"user_ada\"")
        }
        await failure(.invalidResponse) { try await client.userInfo(for: tokens.accessToken, subject: "somebody else") }
        let refused = await failure(.rejected) { try await client.userInfo(for: Secret("an-unknown-token")) }
        XCTAssertEqual(refused?.httpStatus, 401)
        let sent = try await server.requests("userinfo")
        XCTAssertEqual(sent.count, 4)
        XCTAssertEqual(sent.first?.header("authorization"), "Bearer \(tokens.accessToken.expose())")
        await failure(.invalidConfig) { try await client.userInfo(for: Secret("")) }
        let still = try await server.requests("userinfo")
        XCTAssertEqual(still.count, 4)
    }

    func testWorkOSConnectIsAskedToo() async throws {
        let server = try await adasServer()
        let client = try Client.workOSConnect(
            domain: server.url, clientID: "client_test", options: .init(scopes: all, allowInsecureLoopback: true))
        let tokens = try await authorized(client)
        let user = try await client.userInfo(for: tokens.accessToken, subject: tokens.identity?.subject)
        XCTAssertEqual(user.subject, "user_ada")
    }

    func testARefreshAsksForMoreThanNewTokens() async throws {
        let server = try await adasServer()
        let client = try server.discovered(
            .init(scopes: all, refreshParams: [("audience", "api & more"), ("resource", "https://a/")]))
        let first = try await authorized(client)
        let polls = try await server.requests("token")
        XCTAssertEqual(polls.first?.fields("audience"), [])
        XCTAssertEqual(polls.first?.fields("resource"), [])

        let second = try await client.refresh(try XCTUnwrap(first.refreshToken))
        let third = try await client.refresh(
            try XCTUnwrap(second.refreshToken),
            options: RefreshOptions(
                scopes: ["openid", "email"],
                params: [("resource", "https://b/"), ("resource", "https://c/")],
                subject: "user_ada"
            )
        )
        XCTAssertEqual(third.identity?.subject, "user_ada")
        let refreshes = try await server.requests("refresh")
        XCTAssertEqual(refreshes.map { $0.fields("scope") }, [[], ["openid email"]])
        XCTAssertEqual(refreshes.map { $0.fields("audience") }, [["api & more"], ["api & more"]])
        // Those of the client are replaced.
        XCTAssertEqual(refreshes.map { $0.fields("resource") }, [["https://a/"], ["https://b/", "https://c/"]])
    }

    func testARefreshForAnotherUserIsRefused() async throws {
        let server = try await adasServer()
        let options = RefreshOptions(subject: "somebody else")
        for client in [try server.client(), try server.discovered(.init(scopes: all))] {
            let old = try await authorized(client).refreshToken
            let token = try XCTUnwrap(old)
            let error = await failure(.invalidResponse) { try await client.refresh(token, options: options) }
            XCTAssert(error?.message.contains("another user") ?? false)
        }
    }

    func testARefreshWithAWrongOptionSendsNothing() async throws {
        let server = try await adasServer()
        let client = try server.discovered()
        for (options, word) in [
            (RefreshOptions(scopes: ["a\u{1}b"]), "scope"),
            (.init(params: [("grant_type", "password")]), "grant_type"),
            (.init(params: [("audience", "a"), ("audience", "b")]), "audience"),
        ] {
            let error = await failure(.invalidConfig) { try await client.refresh(Secret("a token"), options: options) }
            XCTAssert(error?.message.contains(word) ?? false, error?.message ?? word)
        }
        await failure(.invalidConfig) { try await client.refresh(Secret("")) }
        let sent = try await server.requests("refresh")
        XCTAssertEqual(sent.count, 0)
    }

    func testEndpointsBesideTheIssuerTakePrecedence() async throws {
        let server = try await adasServer(
            #"""
            , "script": {"discovery_oauth": {"then": "repeat", "steps": [{"merge": {
               "device_authorization_endpoint": "{issuer}/elsewhere", "token_endpoint": "{issuer}/elsewhere",
               "revocation_endpoint": "{issuer}/elsewhere"}}]}}
            """#)
        let client = try Client.forIssuer(
            server.issuer,
            clientID: "client_test",
            deviceAuthorizationEndpoint: "\(server.url)/oauth2/device_authorization",
            tokenEndpoint: "\(server.url)/oauth2/token",
            revocationEndpoint: "\(server.url)/oauth2/revoke",
            options: .init(scopes: all, allowInsecureLoopback: true)
        )
        let tokens = try await authorized(client)
        XCTAssertEqual(tokens.identity?.subject, "user_ada")
        let new = try await client.refresh(try XCTUnwrap(tokens.refreshToken))
        try await client.revoke(new.accessToken)
        for (endpoint, count) in ["device": 1, "token": 1, "refresh": 1, "revoke": 1, "other": 0] {
            let sent = try await server.requests(endpoint)
            XCTAssertEqual(sent.count, count, endpoint)
        }
    }

    func testAProgramCanMakeOne() {
        let user = Identity(subject: "user_1", email: "a@example.org")
        XCTAssertEqual(user, Identity(subject: "user_1", email: "a@example.org"))
        XCTAssertNotEqual(user, Identity(subject: "user_1"))
        XCTAssertEqual(user.claims, [:])
    }
}
