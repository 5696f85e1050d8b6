//! The clock that counts suspend, and the clock that does not.

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

/// The time since an unspecified start, with and without the time for which the machine was suspended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) elapsed: Duration,
    pub(crate) awake: Duration,
}

/// Reads both clocks.
pub(crate) fn clocks() -> Clocks {
    let read = |id: ClockId| id.now().map(Duration::from).unwrap_or_default();
    // On a kernel without the first clock it reads as zero, and the second one is used.
    let awake = read(AWAKE);
    Clocks { elapsed: read(COUNTS_SUSPEND).max(awake), awake }
}
