import CLIAuth
import Foundation
import XCTest

// In the mode of Swift 6, XCTest wants its classes to be Sendable where their tests are async. They have no state.

/// "At once". What would come late here takes minutes, so that a busy machine cannot be taken for it.
let soon = Duration.seconds(20)

/// The timeout of the clients: none ends a request while a test looks at it.
let never = Duration.seconds(300)

/// A login that has its prompt.
func started(_ client: Client) async throws -> Login {
    let login = client.login()
    try await login.start()
    return login
}

/// Steps a login until a request is in flight, whose response no step has received.
func stepIntoARequest(_ login: Login, file: StaticString = #filePath, line: UInt = #line) async throws {
    while true {
        guard case .waiting(let dueIn) = try await login.step(maxWait: .zero) else {
            return XCTFail("a step has received it", file: file, line: line)
        }
        if dueIn == .zero { return }
        try await Task.sleep(for: dueIn)
    }
}

/// The error that a call throws, which has to be of this package and of this kind.
@discardableResult
func failure<Value>(
    _ kind: CLIAuthError.Kind,
    file: StaticString = #filePath,
    line: UInt = #line,
    of call: () async throws -> Value
) async -> CLIAuthError? {
    do {
        let value = try await call()
        XCTFail("it gave \(value)", file: file, line: line)
    } catch let error as CLIAuthError {
        XCTAssertEqual(error.kind, kind, error.message, file: file, line: line)
        return error
    } catch {
        XCTFail("\(error) is no CLIAuthError", file: file, line: line)
    }
    return nil
}

/// Expects Swift's own error of a cancelled task.
func cancellation<Value>(
    file: StaticString = #filePath,
    line: UInt = #line,
    of call: () async throws -> Value
) async {
    do {
        XCTFail("it gave \(try await call())", file: file, line: line)
    } catch {
        XCTAssert(error is CancellationError, "\(error)", file: file, line: line)
    }
}

/// Every call that would drive the login is refused.
func everyDriverIsBusy(_ login: Login, file: StaticString = #filePath, line: UInt = #line) async {
    await failure(.busy, file: file, line: line) { try await login.start() }
    await failure(.busy, file: file, line: line) { try await login.poll() }
    await failure(.busy, file: file, line: line) { try await login.step(maxWait: .zero) }
    await failure(.busy, file: file, line: line) { for try await _ in login.steps {} }
}

/// Waits until it is true, which has to come about.
func eventually(
    _ what: String,
    file: StaticString = #filePath,
    line: UInt = #line,
    _ isTrue: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !isTrue() {
        guard ContinuousClock.now < end else { return XCTFail("it did not come about: \(what)", file: file, line: line) }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A value that tasks share.
actor Shared<Value: Sendable> {
    private(set) var value: Value

    init(_ value: Value) {
        self.value = value
    }

    func change(_ change: @Sendable (inout Value) -> Void) {
        change(&value)
    }
}

func entries(_ folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
}

/// The names of this process's threads.
func threads() -> [String] {
    entries("/proc/self/task").compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        .map { $0.trimmingCharacters(in: .newlines) }
}

/// The memory that is resident, in KiB.
func residentKiB() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
}
