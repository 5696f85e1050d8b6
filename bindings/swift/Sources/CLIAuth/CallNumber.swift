import CLIAuthNative

/// Numbers by which the library identifies the calls that drive logins. They are unique in the process.
enum CallNumber {
    private static let last = Last()

    /// Returns a number that no other call has. It is never 0.
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
