import XCTest

/// Programs that end in the middle of a login, from outside.
final class ExitTests: XCTestCase, @unchecked Sendable {
    private static let pending = #"{"error": "authorization_pending", "headers": {"Retry-After": "200"}}"#

    /// Where the program's poll is when the program ends, and the script of the token endpoint that brings it there.
    private static let places = [
        (isAsleep: true, script: #"{"token": [\#(pending)]}"#),
        (isAsleep: false, script: #"{"token": [{"hang": "before"}]}"#),
        // The response comes at that moment.
        (isAsleep: false, script: "{}"),
    ]

    /// Starts the program. Returns when its poll is in that place.
    private func quits(_ how: String, isAsleep: Bool, _ server: Server) async throws -> Started {
        // Where SwiftPM puts the programs of a package, the tests among them.
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let program = try Started(folder.appendingPathComponent("quits").path, [how, server.url])
        XCTAssertEqual(program.line(), "polling")
        if isAsleep { XCTAssertEqual(program.line(), "an event") }
        try await server.waitFor("token", 1)
        return program
    }

    func testAProgramMayEndWhileItWaits() async throws {
        for (how, status) in [("exit", Int32(7)), ("return", 0)] {
            for (isAsleep, script) in Self.places {
                let program = try await quits(how, isAsleep: isAsleep, .new(#"{"script": \#(script)}"#))
                try program.tell()
                let end = await program.end()
                XCTAssert(end.reason == .exit && end.status == status, "\(how) \(script): \(end)")
            }
        }
    }

    func testCtrlC() async throws {
        for (how, reason, status) in [
            ("default", Process.TerminationReason.uncaughtSignal, SIGINT), ("source", .exit, 130),
        ] {
            for (isAsleep, script) in Self.places {
                let program = try await quits(how, isAsleep: isAsleep, .new(#"{"script": \#(script)}"#))
                kill(program.process.processIdentifier, SIGINT)
                let end = await program.end()
                XCTAssert(end.reason == reason && end.status == status, "\(how) \(script): \(end)")
            }
        }
    }
}
