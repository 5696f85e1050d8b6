import CLIAuth
import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Foundation
#endif

/// Time limit for the end of a cancelled login. Revoking tokens that arrived too late takes up to two seconds.
let grace = Duration.seconds(3)

/// The first Ctrl-C or SIGTERM cancels the login, which then ends by itself. A second one ends the program immediately.
final class Signals: @unchecked Sendable {
    /// All properties below are accessed only on this queue.
    private let queue = DispatchQueue(label: "signals")
    private var signal: Int32?
    private var login: Login?
    private var sources: [any DispatchSourceSignal] = []

    init() {
        sources = [SIGINT, SIGTERM].map { number in
            // The default action of the signal would end the program before the source is notified.
            sigaction(number, ignored: true)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [weak self] in self?.came(number) }
            source.resume()
            return source
        }
    }

    /// The signal that was received, if any.
    var caught: Int32? { queue.sync { signal } }

    /// Sets the login to cancel. Cancels it immediately if a signal has already been received.
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

/// Ends the program after `limit`, even if it is blocked on a full pipe.
func forceExit(after limit: Duration, status: Int32) {
    // The user may ask for more seconds than a timer can count.
    let seconds = min(limit.components.seconds + 1, 1_000_000_000)
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(seconds))) { _exit(status) }
}
