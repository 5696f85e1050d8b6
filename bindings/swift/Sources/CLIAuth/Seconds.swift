/// Conversions to and from seconds, the unit of time in the library's interface.
extension Duration {
    private static let attosecondsInASecond = 1e18

    /// The duration in seconds. The library rejects negative values.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / Self.attosecondsInASecond
    }

    /// Creates a duration from seconds, which may come from a server. It traps for no value.
    init(ofSeconds seconds: Double) {
        // Longer than any wait, and within the range of a `Duration`.
        let most = 1e15
        let known = seconds.isNaN ? 0 : min(max(seconds, 0), most)
        let whole = known.rounded(.down)
        self.init(
            secondsComponent: Int64(whole),
            // Rounded to nanoseconds, because a Double is no more precise.
            attosecondsComponent: Int64(((known - whole) * 1e9).rounded()) * 1_000_000_000
        )
    }
}
