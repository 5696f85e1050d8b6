import CLIAuth
import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Foundation
#endif

/// How long a login that was ended may take to say so. Revoking a token that came too late takes up to two seconds.
let grace = Duration.seconds(3)

/// The first Ctrl-C or SIGTERM cancels the login, which then ends by itself. A second one ends the program on the spot.
final class Signals: @unchecked Sendable {
    /// Everything below is used on it alone.
    private let queue = DispatchQueue(label: "signals")
    private var signal: Int32?
    private var login: Login?
    private var sources: [any DispatchSourceSignal] = []

    init() {
        sources = [SIGINT, SIGTERM].map { number in
            // What the source hears of must not end the program first.
            sigaction(number, ignored: true)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [weak self] in self?.came(number) }
            source.resume()
            return source
        }
    }

    /// The one that came, if one did.
    var caught: Int32? { queue.sync { signal } }

    /// Says which login it is. A signal may have come already.
    func willCancel(_ login: Login) {
        queue.sync {
            self.login = login
            if signal != nil { login.cancel() }
        }
    }

    private func came(_ number: Int32) {
        for number in [SIGINT, SIGTERM] {
            sigaction(number, ignored: false)
        }
        signal = number
        forceExit(after: grace, status: 128 + number)
        login?.cancel()
    }
}

private func sigaction(_ number: Int32, ignored: Bool) {
    _ = signal(number, ignored ? SIG_IGN : SIG_DFL)
}

/// Ends the program even where it hangs in writing to a full pipe.
func forceExit(after limit: Duration, status: Int32) {
    // A timer counts fewer seconds than a user can ask for.
    let seconds = min(limit.components.seconds + 1, 1_000_000_000)
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(seconds))) { _exit(status) }
}
