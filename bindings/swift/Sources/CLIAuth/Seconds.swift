/// Times cross into the library as seconds.
extension Duration {
    private static let attosecondsInASecond = 1e18

    /// As seconds. It may be below 0: the library refuses that.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / Self.attosecondsInASecond
    }

    /// From seconds that a server may have named: whatever they are, this does not trap.
    init(ofSeconds seconds: Double) {
        // More than anything can last, and less than a `Duration` can hold.
        let most = 1e15
        let known = seconds.isNaN ? 0 : min(max(seconds, 0), most)
        let whole = known.rounded(.down)
        self.init(
            secondsComponent: Int64(whole),
            // To the nanosecond: a Double knows no more.
            attosecondsComponent: Int64(((known - whole) * 1e9).rounded()) * 1_000_000_000
        )
    }
}
