import XCTest

@testable import CLIAuth

/// Times cross the border of the library as numbers, of which some are no times.
final class SecondsTests: XCTestCase {
    func testWhateverTheNumberIsThereIsADuration() {
        XCTAssertEqual(Duration(ofSeconds: 0), .zero)
        XCTAssertEqual(Duration(ofSeconds: 1.5), .milliseconds(1500))
        XCTAssertEqual(Duration(ofSeconds: 5.1), .milliseconds(5100))
        XCTAssertEqual(Duration(ofSeconds: 0.999_999_999_9), .seconds(1))
        for none in [-1.0, -.infinity, .nan] {
            XCTAssertEqual(Duration(ofSeconds: none), .zero)
        }
        for long in [1e15, 1e16, 1e300, .infinity, .greatestFiniteMagnitude] {
            XCTAssertEqual(Duration(ofSeconds: long), .seconds(1_000_000_000_000_000))
        }
    }

    func testADurationIsANumber() {
        XCTAssertEqual(Duration.milliseconds(1500).seconds, 1.5)
        XCTAssertEqual(Duration.seconds(-2).seconds, -2)
        XCTAssertEqual(Duration.seconds(Int64.max).seconds, 9.223372036854775807e18)
    }
}
