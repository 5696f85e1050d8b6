//! Time, on a clock that does not stop when a laptop sleeps.

use std::time::{Duration, SystemTime};

use crate::protocol::machine::Now;

/// Where the time comes from; tests bring their own.
pub(crate) trait Clock: Send + Sync + std::fmt::Debug {
    /// The moment on the two clocks that pacing and deadlines are measured on.
    fn now(&self) -> Now;

    /// The time of day, for token expiry and `Retry-After` dates alone.
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The operating system's clocks.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

#[cfg(unix)]
mod ids {
    use nix::time::ClockId;

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) const COUNTS_SLEEP: ClockId = ClockId::CLOCK_BOOTTIME;
    // macOS: CLOCK_MONOTONIC goes on in sleep, CLOCK_UPTIME_RAW (8) does not.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) const COUNTS_SLEEP: ClockId = ClockId::CLOCK_MONOTONIC;

    #[cfg(target_vendor = "apple")]
    pub(super) const AWAKE: ClockId = ClockId::from_raw(8);
    #[cfg(not(target_vendor = "apple"))]
    pub(super) const AWAKE: ClockId = ClockId::CLOCK_MONOTONIC;
}

#[cfg(unix)]
impl Clock for SystemClock {
    fn now(&self) -> Now {
        let read = |id: nix::time::ClockId| id.now().map(Duration::from).unwrap_or_default();
        // A kernel without the first clock leaves it at zero: then the second one has to do.
        let awake = read(ids::AWAKE);
        Now { elapsed: read(ids::COUNTS_SLEEP).max(awake), awake }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: P6-system-clock
    #[test]
    fn both_clocks_run_and_the_first_is_never_behind() {
        let before = SystemClock.now();
        std::thread::sleep(Duration::from_millis(5));
        let after = SystemClock.now();
        assert!(after.elapsed >= before.elapsed + Duration::from_millis(5));
        assert!(after.awake >= before.awake + Duration::from_millis(5));
        assert!(after.elapsed >= after.awake);
    }
}
