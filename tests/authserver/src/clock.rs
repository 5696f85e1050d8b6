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

/// The time of day by a clock that is this many seconds ahead.
pub(crate) fn time_of_day(ahead: i64) -> SystemTime {
    let (now, apart) = (SystemTime::now(), Duration::from_secs(ahead.unsigned_abs()));
    let shifted = if ahead < 0 { now.checked_sub(apart) } else { now.checked_add(apart) };
    shifted.unwrap_or(now)
}

/// The same in seconds since 1970, as tokens count.
pub(crate) fn unix_now(ahead: i64) -> u64 {
    time_of_day(ahead).duration_since(UNIX_EPOCH).map(|age| age.as_secs()).unwrap_or_default()
}

/// A number of seconds that came from outside: negative and absurd ones are brought into range.
pub(crate) fn duration(seconds: f64) -> Duration {
    if seconds <= 0.0 || seconds.is_nan() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
}
