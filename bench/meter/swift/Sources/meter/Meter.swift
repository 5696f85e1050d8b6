// Measures CLIAuth from inside a program, as bench/meter does for Rust. Each measure prints one JSON object on one
// line.
//
// usage: meter polls  --url URL --ca-file FILE --logins N --seconds S
//        meter cancel --url URL --ca-file FILE --logins N --after SECONDS
//        meter task   --url URL --ca-file FILE --logins N --after SECONDS
//        meter crowd  --url URL --ca-file FILE --logins N
//
// polls   N logins, polled by one task in turn: processor time of a poll on a kept connection
// cancel  N logins, a client and a task each: from cancel() in another task to the return of poll()
// task    the same by cancelling the task that polls
// crowd   N logins of one client, a task each, from the start to the token

import CLIAuth
import Foundation

struct Failure: Error {
    let why: String
}

struct Options {
    let url: String
    let logins: Int
    let time: Double
    private let caPEM: Data

    init(_ words: [String]) throws {
        var given: [String: String] = [:]
        for at in stride(from: 0, to: words.count - 1, by: 2) { given[words[at]] = words[at + 1] }
        guard let url = given["--url"], let file = given["--ca-file"], let logins = given["--logins"].flatMap(Int.init)
        else { throw Failure(why: "words are missing") }
        self.url = url
        self.logins = logins
        time = (given["--seconds"] ?? given["--after"]).flatMap(Double.init) ?? 0
        caPEM = try Data(contentsOf: URL(fileURLWithPath: file))
    }

    /// A client of the measured server, with explicit endpoints so that no discovery is needed.
    func client() throws -> Client {
        try .withEndpoints(
            deviceAuthorization: "\(url)/oauth2/device_authorization",
            token: "\(url)/oauth2/token",
            clientID: "bench",
            options: ClientOptions(caPEM: caPEM)
        )
    }
}

@main
struct Meter {
    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        let options = try Options(Array(words.dropFirst()))
        let found: [String: Any]
        switch words.first {
        case "polls": found = try await polls(options)
        case "cancel": found = try await cancels(options) { login, _ in login.cancel() }
        case "task": found = try await cancels(options) { _, task in task.cancel() }
        case "crowd": found = try await crowd(options)
        default: throw Failure(why: "there is no such measure")
        }
        let line = try JSONSerialization.data(withJSONObject: found)
        FileHandle.standardOutput.write(line + Data("\n".utf8))
    }
}

/// A client waits at least a second between the polls of one login, so many logins share one client here. One task
/// drives the login that is due next, like a tool drives its only login. The starts are staggered, so that polls do not
/// overlap. With enough logins, the task never sleeps.
func polls(_ options: Options) async throws -> [String: Any] {
    /// The server's interval plus the client's guard.
    let period = Duration.milliseconds(1050)
    let client = try options.client()
    let clock = ContinuousClock()
    let began = clock.now
    // All have the same interval, so the login that was polled longest ago is due next.
    var waiting: [(at: ContinuousClock.Instant, login: Login)] = []
    for number in 0..<options.logins {
        try await clock.sleep(until: began + period * number / options.logins)
        let login = client.login()
        try await login.start()
        waiting.append((clock.now + period, login))
    }
    // The first round is not measured. It brings every login into the state in which later rounds find it.
    let begin = clock.now + period
    let end = begin + .seconds(options.time)
    var before: Double?
    var (done, slept, next) = (0, Duration.zero, 0)
    while waiting[next].at < end {
        let due = waiting[next]
        if before == nil && due.at >= begin {
            before = cpuSeconds()
            (done, slept) = (0, .zero)
        }
        slept += max(due.at - clock.now, .zero)
        guard case .event(.pending(let nextPollIn, _)) = try await due.login.step(maxWait: .seconds(60)) else {
            throw Failure(why: "expected every poll to be pending")
        }
        done += 1
        waiting[next].at = clock.now + nextPollIn
        next = (next + 1) % waiting.count
    }
    guard let before else { throw Failure(why: "no poll was measured") }
    return [
        "polls": done,
        // The average pause before one poll.
        "slept_s": slept / .seconds(1) / Double(done),
        "cpu_us": (cpuSeconds() - before) * 1e6,
        "sockets": sockets(),
    ]
}

/// Measures the time from a cancellation in another task to the return of `poll`.
func cancels(_ options: Options, end: (Login, Task<ContinuousClock.Instant, any Error>) -> Void) async throws -> [String: Any] {
    let clock = ContinuousClock()
    var all: [(Login, Task<ContinuousClock.Instant, any Error>)] = []
    for _ in 0..<options.logins {
        let login = try options.client().login()
        try await login.start()
        let poll = Task.detached {
            do {
                _ = try await login.poll()
            } catch is CancellationError {
                return clock.now
            } catch let error as CLIAuthError where error.kind == .cancelled {
                return clock.now
            }
            throw Failure(why: "a login was not cancelled")
        }
        all.append((login, poll))
    }
    // Long enough to reach the requested state: asleep, or with a request in flight.
    try await Task.sleep(for: .seconds(options.time))
    var milliseconds: [Double] = []
    for (login, poll) in all {
        // A pause, so that the cancels do not affect each other.
        try await Task.sleep(for: .milliseconds(5))
        let ended = clock.now
        end(login, poll)
        milliseconds.append((try await poll.value - ended) / .milliseconds(1))
    }
    return ["milliseconds": milliseconds]
}

/// Runs many simultaneous logins.
func crowd(_ options: Options) async throws -> [String: Any] {
    let client = try options.client()
    let clock = ContinuousClock()
    let watch = Task.detached {
        var (mostSockets, mostThreads) = (0, 0)
        while !Task.isCancelled {
            mostSockets = max(mostSockets, sockets())
            mostThreads = max(mostThreads, entries(of: "/proc/self/task").count)
            try? await Task.sleep(for: .milliseconds(50))
        }
        return (mostSockets, mostThreads)
    }
    let began = clock.now
    let (gaps, failed) = await withTaskGroup(of: Result<[Double], any Error>.self) { group in
        for _ in 0..<options.logins {
            group.addTask {
                do { return .success(try await logIn(client.login())) } catch { return .failure(error) }
            }
        }
        var (gaps, failed): ([[Double]], [String: Int]) = ([], [:])
        for await outcome in group {
            switch outcome {
            case .success(let seen): gaps.append(seen)
            case .failure(let error): failed[(error as? CLIAuthError)?.kind.rawValue ?? "other", default: 0] += 1
            }
        }
        return (gaps, failed)
    }
    let wall = (clock.now - began) / .seconds(1)
    let (spent, peak) = (cpuSeconds(), peakKiB())
    watch.cancel()
    let (mostSockets, mostThreads) = await watch.value
    let sorted = gaps.joined().sorted()
    return [
        "done": gaps.count, "failed": failed, "wall_s": wall, "cpu_s": spent, "peak_kib": peak, "sockets": mostSockets,
        "threads": mostThreads, "gap_p99_s": sorted.isEmpty ? 0 : sorted[sorted.count * 99 / 100],
    ]
}

/// Returns the seconds from each response to the next, including the request between them.
func logIn(_ login: Login) async throws -> [Double] {
    let clock = ContinuousClock()
    var (gaps, last): ([Double], ContinuousClock.Instant?) = ([], nil)
    for try await _ in login.steps {
        let now = clock.now
        if let last { gaps.append((now - last) / .seconds(1)) }
        last = now
    }
    return gaps
}

/// Returns the processor time of this process.
func cpuSeconds() -> Double {
    var spent = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent)
    return Double(spent.tv_sec) + Double(spent.tv_nsec) / 1e9
}

/// Peak resident memory.
func peakKiB() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.split(separator: " ")[safe: 1] ?? "") } ?? 0
}

/// Returns the number of open sockets.
func sockets() -> Int {
    entries(of: "/proc/self/fd").filter { entry in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(entry)")
        return target?.hasPrefix("socket:") ?? false
    }.count
}

func entries(of folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
