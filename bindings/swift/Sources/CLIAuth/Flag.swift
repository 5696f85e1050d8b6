import CLIAuthNative

/// Something that one caller raises before all others.
final class Flag: @unchecked Sendable {
    private let lock = Lock()
    private var raised = false

    /// Whether this call raised it: it was down.
    @discardableResult
    func raise() -> Bool {
        lock.withLock {
            defer { raised = true }
            return !raised
        }
    }

    func lower() {
        lock.withLock { raised = false }
    }

    var isRaised: Bool {
        lock.withLock { raised }
    }
}
