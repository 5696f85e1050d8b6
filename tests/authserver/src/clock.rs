//! One monotonic clock for every time in every log, and the wall clock for tokens.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Longer than any test, short enough that adding it to an instant never overflows.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Sets the zero of the clock; without it the first use does.
pub(crate) fn begin() {
    LazyLock::force(&START);
}

/// Seconds since the process began, to the microsecond.
pub(crate) fn seconds(at: Instant) -> f64 {
    let seconds = at.saturating_duration_since(*START).as_secs_f64();
    (seconds * 1e6).round() / 1e6
}

/// What time it is. A unit test moves it by [`advance`].
pub(crate) fn now() -> Instant {
    Instant::now() + ahead()
}

#[cfg(not(test))]
fn ahead() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
thread_local!(static AHEAD: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) });

#[cfg(test)]
fn ahead() -> Duration {
    AHEAD.get()
}

/// Moves the clocks of this thread.
#[cfg(test)]
pub(crate) fn advance(by: Duration) {
    AHEAD.set(AHEAD.get() + by);
}

/// The time of day by a clock that is this many seconds ahead.
///
/// It lies between 1970 and the end of 9998, since a `Date` header cannot name any other year.
pub(crate) fn time_of_day(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_now(seconds))
}

/// The same in seconds since 1970, as tokens count.
pub(crate) fn unix_now(seconds: i64) -> u64 {
    const LAST: u64 = 253_370_764_799;
    let now = (SystemTime::now() + ahead()).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    now.saturating_add_signed(seconds).min(LAST)
}

/// A number of seconds that came from outside: negative and absurd ones are brought into range.
pub(crate) fn duration(seconds: f64) -> Duration {
    if seconds <= 0.0 || seconds.is_nan() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
}

/// A whole number of seconds that came from outside.
pub(crate) fn whole(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_has_a_date() {
        for (offset, date) in
            [(i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"), (i64::MAX, "Thu, 31 Dec 9998 23:59:59 GMT")]
        {
            assert_eq!(httpdate::fmt_http_date(time_of_day(offset)), date);
        }
    }
}
