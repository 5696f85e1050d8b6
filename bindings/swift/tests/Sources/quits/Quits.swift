import CLIAuth
import Dispatch
import Foundation

/// Logs in at the server that it is told of, and ends meanwhile. It says when it begins to poll, and every event.
@main
struct Quits {
    static func main() async throws {
        let (how, url) = (CommandLine.arguments[1], CommandLine.arguments[2])
        let options = ClientOptions(
            connectTimeout: .seconds(300), readTimeout: .seconds(300), requestTimeout: .seconds(300),
            allowInsecureLoopback: true)
        let login = try Client.authKit(clientID: "client_test", apiBase: url, options: options).login()
        try await login.start()
        var source: (any DispatchSourceSignal)?
        if how == "source" {
            // A signal that comes before the source is registered is lost.
            await withCheckedContinuation { registered in
                source = onCtrlC({ login.cancel() }, registered: { registered.resume() })
            }
        }
        defer { source?.cancel() }
        say("polling")
        let polling = Task { try await login.poll { _ in say("an event") } }
        switch how {
        case "exit":
            await told()
            exit(7)
        case "return":
            await told()
        case "default":
            // Whoever does nothing about Ctrl-C is ended by it.
            _ = try await polling.value
        case "source":
            do {
                _ = try await polling.value
            } catch let error as CLIAuthError where error.kind == .cancelled {
                exit(130)
            }
        default:
            exit(2)
        }
    }

    static func onCtrlC(
        _ handle: @escaping @Sendable () -> Void,
        registered: @escaping @Sendable () -> Void
    ) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: handle)
        source.setRegistrationHandler(handler: registered)
        source.resume()
        return source
    }

    /// Waits for a line on standard input.
    static func told() async {
        await withCheckedContinuation { came in
            Thread.detachNewThread {
                _ = readLine()
                came.resume()
            }
        }
    }

    static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
