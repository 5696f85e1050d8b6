import CLIAuth
import Foundation
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A virtual server of tests/authserver, which runs as one process beside all tests.
struct Server: Decodable, Sendable {
    let id: String
    let url: String
    let issuer: String

    /// Makes one, with an interval of 1 s unless told otherwise. The settings are the JSON that its control interface
    /// takes.
    static func new(_ settings: String = "{}") async throws -> Server {
        var members = try JSONSerialization.jsonObject(with: Data(settings.utf8)) as? [String: Any] ?? [:]
        if members["interval"] == nil { members["interval"] = 1 }
        let body = try JSONSerialization.data(withJSONObject: members)
        return try JSONDecoder().decode(Server.self, from: try await call("POST", "servers", body))
    }

    /// One that never answers at an endpoint.
    static func silent(at endpoint: String) async throws -> Server {
        try await new(#"{"script": {"\#(endpoint)": {"steps": [{"hang": "before"}], "then": "repeat"}}}"#)
    }

    /// One that answers so at an endpoint, one after the other.
    static func scripted(_ endpoint: String, _ steps: String) async throws -> Server {
        try await new(#"{"script": {"\#(endpoint)": [\#(steps)]}}"#)
    }

    /// A client of it as AuthKit.
    func client(_ options: ClientOptions = ClientOptions()) throws -> Client {
        try .authKit(clientID: "client_test", apiBase: url, options: patient(options))
    }

    /// A client of it by its metadata: it knows scopes and revocation.
    func discovered(_ options: ClientOptions = ClientOptions()) throws -> Client {
        try .forIssuer(issuer, clientID: "client_test", options: patient(options))
    }

    /// Of this machine, and waiting as long as a test does.
    private func patient(_ options: ClientOptions) -> ClientOptions {
        var options = options
        options.allowInsecureLoopback = true
        options.connectTimeout = options.connectTimeout ?? never
        options.readTimeout = options.readTimeout ?? never
        options.requestTimeout = options.requestTimeout ?? never
        return options
    }

    /// What came to an endpoint so far.
    func requests(_ endpoint: String) async throws -> [Request] {
        try await log("").requests.filter { $0.endpoint == endpoint }
    }

    /// How many connections came to it so far.
    func connections() async throws -> Int {
        try await log("").connections.count
    }

    /// Waits until so many requests have come to an endpoint.
    func waitFor(_ endpoint: String, _ count: Int, file: StaticString = #filePath, line: UInt = #line) async throws {
        let found = try await log("?endpoint=\(endpoint)&count=\(count)&timeout=60").requests.filter { $0.endpoint == endpoint }
        XCTAssertGreaterThanOrEqual(found.count, count, "requests to \(endpoint)", file: file, line: line)
    }

    /// Decides for the newest code.
    func answer(_ decision: String) async throws {
        _ = try await Self.call("POST", "servers/\(id)/answer", Data(decision.utf8))
    }

    private func log(_ query: String) async throws -> Log {
        let answer = try await Self.call("GET", "servers/\(id)/log\(query)", nil)
        return try JSONDecoder().decode(Log.self, from: answer)
    }

    private static func call(_ method: String, _ path: String, _ body: Data?) async throws -> Data {
        var request = URLRequest(url: URL(string: "\(try Started.authserver.get().url)/control/\(path)")!)
        request.httpMethod = method
        request.httpBody = body
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.timeoutInterval = 70
        let (answer, response) = try await direct.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, status < 300 else {
            throw Mistake(why: "\(method) \(path): \(String(decoding: answer, as: UTF8.self))")
        }
        return answer
    }

    /// Not through a proxy.
    private static let direct: URLSession = {
        let settings = URLSessionConfiguration.ephemeral
        settings.connectionProxyDictionary = [:]
        return URLSession(configuration: settings)
    }()
}

/// What the log says of a request.
struct Request: Decodable, Sendable {
    let endpoint: String
    let headers: [[String]]
    let form: [[String]]?
    let arrived: Double
    /// When the whole response had been sent.
    let replied: Double?
    /// When the client gave it up.
    let gone: Double?

    func fields(_ name: String) -> [String] {
        (form ?? []).filter { $0.first == name }.compactMap(\.last)
    }

    func header(_ name: String) -> String? {
        headers.first { $0.first?.lowercased() == name }?.last
    }
}

private struct Log: Decodable {
    struct Connection: Decodable {}

    let requests: [Request]
    let connections: [Connection]
}

struct Mistake: Error {
    let why: String
}

/// A program that was started.
struct Started: @unchecked Sendable {
    let process: Process
    private let output: Pipe
    /// Kept open for as long as the process is known.
    private let input: Pipe

    init(_ program: String, _ words: [String]) throws {
        (process, output, input) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = words
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Its next line.
    func line() -> String {
        var line = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8), !byte.isEmpty {
            line += byte
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Writes it a line.
    func tell() throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
    }

    /// How it ended. One that hangs is killed.
    func end() async -> (reason: Process.TerminationReason, status: Int32) {
        let killer = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: killer)
        await withCheckedContinuation { ended in
            Thread.detachNewThread {
                process.waitUntilExit()
                ended.resume()
            }
        }
        killer.cancel()
        return (process.terminationReason, process.terminationStatus)
    }

    /// The server process, and its address. It ends with this process, whose end of its standard input it watches.
    static let authserver: Result<(url: String, process: Started), Mistake> = {
        guard let program = ProcessInfo.processInfo.environment["CLI_AUTH_AUTHSERVER"] else {
            return .failure(Mistake(why: "CLI_AUTH_AUTHSERVER must name the program: cargo build -p authserver"))
        }
        do {
            let server = try Started(program, ["--listen", "127.0.0.1:0", "--control", "--exit-on-eof"])
            return .success((String(server.line().dropFirst("READY ".count)), server))
        } catch {
            return .failure(Mistake(why: "\(program) does not start: \(error)"))
        }
    }()
}
