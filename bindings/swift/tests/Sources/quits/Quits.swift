import CLIAuth
import Dispatch
import Foundation

/// Logs in at the server that it is told of, and ends meanwhile.
@main
struct Quits {
    static func main() async throws {
        let (how, url) = (CommandLine.arguments[1], CommandLine.arguments[2])
        let options = ClientOptions(
            connectTimeout: .seconds(300), readTimeout: .seconds(300), requestTimeout: .seconds(300),
            allowInsecureLoopback: true)
        let login = try Client.authKit(clientID: "client_test", apiBase: url, options: options).login()
        try await login.start()
        let polling = Task { try await login.poll() }
        switch how {
        case "exit":
            say("polling")
            try await Task.sleep(for: .seconds(1.2))
            exit(7)
        case "return":
            say("polling")
            try await Task.sleep(for: .seconds(1.2))
        case "default":
            // Whoever does nothing about Ctrl-C is ended by it.
            say("polling")
            _ = try await polling.value
        case "source":
            signal(SIGINT, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
            source.setEventHandler { polling.cancel() }
            source.resume()
            say("polling")
            do {
                _ = try await polling.value
            } catch is CancellationError {
                exit(130)
            }
        default:
            exit(2)
        }
    }

    static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
