//! The clock that counts suspend, and the one that does not.

use std::time::Duration;

use nix::time::ClockId;

#[cfg(any(target_os = "linux", target_os = "android"))]
const COUNTS_SUSPEND: ClockId = ClockId::CLOCK_BOOTTIME;
// macOS: CLOCK_MONOTONIC counts suspend, CLOCK_UPTIME_RAW (8) does not.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const COUNTS_SUSPEND: ClockId = ClockId::CLOCK_MONOTONIC;

#[cfg(target_vendor = "apple")]
const AWAKE: ClockId = ClockId::from_raw(8);
#[cfg(not(target_vendor = "apple"))]
const AWAKE: ClockId = ClockId::CLOCK_MONOTONIC;

/// The time since some moment, with and without the time that the machine was suspended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) elapsed: Duration,
    pub(crate) awake: Duration,
}

/// Reads both clocks.
pub(crate) fn clocks() -> Clocks {
    let read = |id: ClockId| id.now().map(Duration::from).unwrap_or_default();
    // A kernel without the first clock leaves it at zero: then the second one has to do.
    let awake = read(AWAKE);
    Clocks { elapsed: read(COUNTS_SUSPEND).max(awake), awake }
}
