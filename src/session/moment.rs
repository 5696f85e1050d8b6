//! Time that processes share: a moment on the clock of this boot, and on the wall clock for the time after it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::{
    platform,
    protocol::{json::Object, reply::Sent},
};

/// A moment on both clocks of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The time of day, since the epoch. It may be wrong, and it may be set.
    pub(crate) wall: Duration,
    /// The clock that includes suspended time. It has no meaning after the machine was restarted.
    pub(crate) elapsed: Duration,
    /// What identifies the boot that `elapsed` belongs to. `None` if the system does not say.
    pub(crate) boot: Option<BootId>,
}

/// The id of a boot, as the operating system gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BootId(pub(crate) u64);

impl Moment {
    /// Returns when a request was sent.
    pub(crate) fn of(sent: Sent) -> Self {
        Self::new(sent.time_of_day, sent.elapsed, platform::boot_id().map(BootId))
    }

    pub(crate) fn new(time_of_day: SystemTime, elapsed: Duration, boot: Option<BootId>) -> Self {
        Self { wall: time_of_day.duration_since(UNIX_EPOCH).unwrap_or_default(), elapsed, boot }
    }

    /// Returns how much time has passed since an earlier moment. Within one boot, setting the time of day changes
    /// nothing. `None` if the wall clock says that `earlier` is in the future: it was set.
    pub(crate) fn since(self, earlier: Self) -> Option<Duration> {
        match (self.boot, earlier.boot) {
            (Some(here), Some(there)) if here == there => Some(self.elapsed.saturating_sub(earlier.elapsed)),
            _ => self.wall.checked_sub(earlier.wall),
        }
    }

    /// Returns the moment that is `time` later.
    #[cfg(test)]
    pub(crate) fn after(self, time: Duration) -> Self {
        Self { wall: self.wall + time, elapsed: self.elapsed + time, ..self }
    }

    pub(crate) fn time_of_day(self) -> SystemTime {
        UNIX_EPOCH.checked_add(self.wall).unwrap_or(UNIX_EPOCH)
    }
}

/// The form in which a record has a moment: milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StoredMoment {
    wall_ms: u64,
    elapsed_ms: u64,
    boot: Option<BootId>,
}

impl StoredMoment {
    pub(crate) fn read(object: &Object<'_>) -> Option<Self> {
        let wall_ms = object.integer("wall_ms")?;
        let elapsed_ms = object.integer("elapsed_ms")?;
        Some(Self { wall_ms, elapsed_ms, boot: object.integer("boot").map(BootId) })
    }
}

impl From<Moment> for StoredMoment {
    fn from(moment: Moment) -> Self {
        Self { wall_ms: millis(moment.wall), elapsed_ms: millis(moment.elapsed), boot: moment.boot }
    }
}

impl From<StoredMoment> for Moment {
    fn from(stored: StoredMoment) -> Self {
        Self {
            wall: Duration::from_millis(stored.wall_ms),
            elapsed: Duration::from_millis(stored.elapsed_ms),
            boot: stored.boot,
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: u64, elapsed: u64, boot: Option<u64>) -> Moment {
        Moment {
            wall: Duration::from_secs(wall),
            elapsed: Duration::from_secs(elapsed),
            boot: boot.map(BootId),
        }
    }

    // proves: C-5
    #[test]
    fn within_a_boot_the_wall_clock_does_not_matter_and_after_it_nothing_else_does() {
        let secs = |passed: Option<Duration>| passed.map(|passed| passed.as_secs());
        let then = at(1_000, 50, Some(1));
        assert_eq!(secs(at(900_000, 60, Some(1)).since(then)), Some(10));
        assert_eq!(secs(at(1, 60, Some(1)).since(then)), Some(10));
        assert_eq!(secs(at(1_010, 5, Some(2)).since(then)), Some(10));
        assert_eq!(secs(at(999, 5, Some(2)).since(then)), None);
        assert_eq!(secs(at(1_010, 60, None).since(at(1_000, 50, None))), Some(10));
        assert_eq!(Moment::from(StoredMoment::from(then)), then);
    }
}
