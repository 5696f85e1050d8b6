import CLIAuth
import XCTest

final class ManyTests: XCTestCase, @unchecked Sendable {
    /// What a process has without us: the pool is as wide as the machine; Foundation's client of the tests has a few.
    private let handful = 40 + ProcessInfo.processInfo.activeProcessorCount

    func testManyLoginsAtOnceNeedOneThread() async throws {
        let server = try await Server.new(#"{"answer": "approve", "answer_after_polls": 1, "log": false, "alg": "es256"}"#)
        let client = try server.client()
        try await eventually("no thread of another test is left") { !threads().contains("cli-auth") }
        let watching = Task.detached {
            var (most, mostOurs) = (0, 0)
            while !Task.isCancelled {
                let names = threads()
                most = max(most, names.count)
                mostOurs = max(mostOurs, names.filter { $0 == "cli-auth" }.count)
                try? await Task.sleep(for: .milliseconds(20))
            }
            return (most, mostOurs)
        }
        let done = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let login = try await started(client)
                    return try await !login.poll().accessToken.expose().isEmpty
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        watching.cancel()
        let (most, ours) = await watching.value
        XCTAssertEqual(done, 200)
        XCTAssertEqual(ours, 1)
        XCTAssertLessThan(most, handful)
    }

    func testHungLoginsHoldUpNobody() async throws {
        let server = try await Server.silent(at: "device")
        let client = try server.client()
        let hung = (0..<40).map { _ in Task { try await client.login().start() } }
        try await server.waitFor("device", 40)
        // The pool is free: a thousand tasks get their turns.
        let began = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 {
                group.addTask { await Task.yield() }
            }
        }
        XCTAssertLessThan(began.duration(to: .now), soon)
        hung.forEach { $0.cancel() }
        for login in hung {
            await cancellation { try await login.value }
        }
        XCTAssertLessThan(began.duration(to: .now), soon + soon)
    }

    func testNothingGrows() async throws {
        let server = try await Server.new(#"{"log": false}"#)
        let client = try server.client()
        func logIns(_ count: Int) async throws {
            for number in 0..<count {
                let login = try await started(client)
                let polling = Task { try await login.poll() }
                if number.isMultiple(of: 2) { polling.cancel() } else { login.cancel() }
                _ = await polling.result
            }
        }
        try await logIns(200)
        let (memory, files) = (residentKiB(), entries("/proc/self/fd").count)
        try await logIns(1000)
        XCTAssertLessThan(residentKiB() - memory, 4 * 1024)
        try await eventually("no descriptor of ours is left") { entries("/proc/self/fd").count <= files + 4 }
    }

    func testClientsComeAndGo() async throws {
        let server = try await Server.new(#"{"answer": "approve", "log": false}"#)
        func logIn() async throws {
            let login = try await started(server.client())
            login.cancel()
            await failure(.cancelled) { try await login.poll() }
        }
        for _ in 0..<20 { try await logIn() }
        try await eventually("no thread of ours is left") { !threads().contains("cli-auth") }
        let (memory, files) = (residentKiB(), entries("/proc/self/fd").count)
        for _ in 0..<200 { try await logIn() }
        try await eventually("no thread of ours is left") { !threads().contains("cli-auth") }
        try await eventually("no descriptor of ours is left") { entries("/proc/self/fd").count <= files + 4 }
        XCTAssertLessThan(residentKiB() - memory, 8 * 1024)
    }
}
