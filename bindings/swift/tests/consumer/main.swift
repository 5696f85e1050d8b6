// Logs in at the server that it is told of, and nowhere else.

import CLIAuth

let options = ClientOptions(allowInsecureLoopback: true)
let client = try Client.authKit(clientID: "client_cli", apiBase: CommandLine.arguments[1], options: options)
let login = client.login()
try await login.start()
print("Logged in as", sanitize(try await login.poll().identity?.subject ?? "nobody"))
