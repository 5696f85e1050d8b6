import CLIAuth

// Calls every function of docs/swift.md.
let client = try testClient(CommandLine.arguments[1])
let tokens = try await logIn(with: client)
guard let tokens else { fatalError("an approved login brought no tokens") }
guard authorization(tokens).hasPrefix("Bearer ") else { fatalError("no authorization") }
let renewed = try await renew(tokens, with: client)
guard renewed.accessToken != tokens.accessToken else { fatalError("nothing was renewed") }
do {
    _ = try await moved(renewed, to: "org_1", with: client)
    fatalError("the user belongs to no organization")
} catch let error as CLIAuthError where error.kind == .rejected {}
try await logOut(renewed, of: client)

// AuthKit has no userinfo endpoint.
let options = ClientOptions(scopes: ["openid", "email"], allowInsecureLoopback: true)
let issuer = try Client.forIssuer(CommandLine.arguments[1], clientID: "client_test", options: options)
guard let known = try await logIn(with: issuer) else { fatalError("an approved login brought no tokens") }
guard try await whoAmI(known, at: issuer) == known.identity?.email else { fatalError("another user") }

let login = client.login()
print(try await login.start().text())
_ = try await withinTwoMinutes(login)

explain(CLIAuthError(.denied, "the user said no"))
explain(CLIAuthError(.actionRequired, "choose an organization", organizations: [.init(id: "org_1", name: "Acme")]))
explain(CLIAuthError(.network, "no network"))
print("all of the guide ran")
