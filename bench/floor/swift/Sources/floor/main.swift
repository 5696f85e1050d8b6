// The floor in Swift: only the static library of the floor.
//
// usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]

import CFloor
import Glibc

func fail(_ why: String) -> Never {
    fputs(why + "\n", stderr)
    exit(1)
}

/// Starts the login, and polls from then on.
func step(_ words: String) -> String {
    guard let said = floor_step(words) else { fail("the exchange failed") }
    return String(cString: said)
}

/// Returns the processor time of this process.
func cpuMicroseconds() -> Int {
    var spent = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent)
    return spent.tv_sec * 1_000_000 + spent.tv_nsec / 1000
}

func say(_ text: String) {
    fputs(text + "\n", stdout)
    fflush(stdout)
}

let words = CommandLine.arguments
guard words.count > 2 else { fail("usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]") }
let polls = words.count > 3 ? Int(words[3]) ?? 0 : 0
let pause = words.count > 4 ? Double(words[4]) ?? 0 : 0

say(step("\(words[1]) \(words[2])"))
let before = cpuMicroseconds()
var done = 0
while done < polls {
    usleep(UInt32(pause * 1e6))
    done += 1
    if step("") == "token" {
        say("token")
        break
    }
}
say("polls \(done) cpu_us \(cpuMicroseconds() - before)")
