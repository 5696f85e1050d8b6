//! Time, on a clock that continues while the machine is suspended.

use std::time::SystemTime;

use crate::{platform, protocol::flow::Now};

/// A source of time. Tests provide their own.
pub(crate) trait Clock: Send + Sync + std::fmt::Debug {
    /// Returns the current time on the two clocks that pacing and deadlines use.
    fn now(&self) -> Now;

    /// The time of day. It may be wrong, and it may be set while a request is under way.
    fn time_of_day(&self) -> SystemTime;
}

/// The clocks of the operating system.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let platform::Clocks { elapsed, awake } = platform::clocks();
        Now { elapsed, awake }
    }

    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    // proves: P6-system-clock
    #[test]
    fn elapsed_time_is_never_less_than_awake_time() {
        let before = SystemClock.now();
        std::thread::sleep(Duration::from_millis(5));
        let after = SystemClock.now();
        assert!(after.elapsed >= before.elapsed + Duration::from_millis(5));
        assert!(after.awake >= before.awake + Duration::from_millis(5));
        assert!(after.elapsed >= after.awake);
    }
}
