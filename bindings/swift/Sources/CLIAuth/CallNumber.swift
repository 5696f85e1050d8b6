import CLIAuthNative

/// Numbers by which the library knows the calls that drive logins. No two calls of a process have the same one.
enum CallNumber {
    private static let last = Last()

    /// One that no other call has. Never 0.
    static func next() -> UInt64 {
        last.increment()
    }

    private final class Last: @unchecked Sendable {
        private let lock = Lock()
        private var number: UInt64 = 0

        func increment() -> UInt64 {
            lock.withLock {
                number += 1
                return number
            }
        }
    }
}
