//! Times as hosts give and take them: seconds, as a floating-point number.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;

/// A host's wait. Infinity is as long as it takes.
pub(super) fn wait(seconds: f64) -> Result<Duration, Error> {
    if seconds == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::config("a time must be a number of seconds, 0 or more"))
}

pub(super) fn since_epoch(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_wait_is_bounded_by_what_a_number_can_mean() {
        assert_eq!(wait(1.5).unwrap(), Duration::from_millis(1500));
        assert_eq!(wait(0.0).unwrap(), Duration::ZERO);
        assert_eq!(wait(f64::INFINITY).unwrap(), Duration::MAX);
        for wrong in [-1.0, f64::NAN, f64::NEG_INFINITY, 1e300] {
            assert_eq!(wait(wrong).unwrap_err().kind(), ErrorKind::InvalidConfig, "{wrong}");
        }
    }

    #[test]
    fn a_time_before_1970_is_negative() {
        assert!((since_epoch(UNIX_EPOCH - Duration::from_millis(1500)) + 1.5).abs() < 1e-9);
    }
}
