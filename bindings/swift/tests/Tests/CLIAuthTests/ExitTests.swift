import XCTest

/// Programs that end in the middle of a login, from outside.
final class ExitTests: XCTestCase, @unchecked Sendable {
    private func quits(_ how: String, _ server: Server) throws -> Started {
        // Where SwiftPM puts the programs of a package, the tests among them.
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return try Started(folder.appendingPathComponent("quits").path, [how, server.url])
    }

    func testAProgramMayEndWhileItWaits() async throws {
        for (how, status) in [("exit", Int32(7)), ("return", 0)] {
            for settings in [#"{"interval": 60}"#, #"{"script": {"token": [{"hang": "before"}]}}"#, "{}"] {
                let server = try await Server.new(settings)
                let program = try quits(how, server)
                XCTAssertEqual(program.line(), "polling")
                let end = await program.end()
                XCTAssert(end.reason == .exit && end.status == status, "\(how) \(settings): \(end)")
                XCTAssertLessThan(end.after, .seconds(1.2) + soon)
            }
        }
    }

    func testCtrlC() async throws {
        for settings in [#"{"interval": 60}"#, #"{"script": {"token": {"steps": [{"hang": "before"}], "then": "repeat"}}}"#] {
            for (how, reason, status) in [
                ("default", Process.TerminationReason.uncaughtSignal, SIGINT), ("source", .exit, 130),
            ] {
                let server = try await Server.new(settings)
                let program = try quits(how, server)
                XCTAssertEqual(program.line(), "polling")
                try await Task.sleep(for: .seconds(1.3))
                kill(program.process.processIdentifier, SIGINT)
                let end = await program.end()
                XCTAssert(end.reason == reason && end.status == status, "\(how): \(end)")
                XCTAssertLessThan(end.after, soon)
            }
        }
    }
}
