//! The clock that counts suspend, and the clock that does not.

use std::{sync::OnceLock, time::Duration};

use nix::time::ClockId;

/// The file in which Linux names the boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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

/// Returns what identifies this boot of the machine, to which the first clock belongs. `None` if it is not known.
pub(crate) fn boot_id() -> Option<u64> {
    static ID: OnceLock<Option<u64>> = OnceLock::new();
    *ID.get_or_init(|| {
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return None;
        }
        let text = std::fs::read_to_string(BOOT_ID).ok()?.replace('-', "");
        u64::from_str_radix(text.get(..16)?, 16).ok()
    })
}
