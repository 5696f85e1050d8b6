//! How long to wait before the next poll.
//!
//! Three waits are kept in three variables: the server's interval, the back-off after transport failures, and
//! `Retry-After`. The longest one counts. A single variable would be a defect: after a lost packet, the client would
//! forget a `slow_down`.

use std::time::Duration;

/// RFC 8628 section 3.5: the time that one `slow_down` adds, for this and all later polls.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The maximum of the back-off, unless twice the interval is longer.
const BACK_OFF_CAP: Duration = Duration::from_secs(60);

/// The minimum time added to a wait. Clocks and schedulers are not exact, and a server may count milliseconds.
const LEAST_GUARD: Duration = Duration::from_millis(50);

/// The percentage added to each wait, by the number of `slow_down` responses. They arrived although the interval was
/// kept, which means that this machine's clock runs fast: in virtual machines by 10 % and more.
const GUARD_PER_CENT: [u32; 4] = [2, 15, 30, 40];

/// The last poll of a code is made this long before the code expires, or a quarter of its remaining lifetime if that is
/// shorter.
const LAST_POLL: Duration = Duration::from_secs(2);

/// When to poll next, counted from the last response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextPoll {
    After(Duration),
    /// The last poll. No other can follow before the code expires.
    LastAfter(Duration),
    /// No poll. The code expires before one is due.
    None,
    /// No poll. The last response asked for this wait, which is not shorter than the code's remaining lifetime.
    Never(Duration),
}

/// The waits of one login. The interval and the guard never shrink. The back-off ends with the first valid response,
/// and `Retry-After` applies to one wait.
#[derive(Clone, Debug)]
pub(crate) struct Pacing {
    interval: Duration,
    slow_downs: usize,
    troubles: u32,
    /// Whether the last response was a 429. It means that polls are too frequent, even without any other hint.
    throttled: bool,
    retry_after: Duration,
    /// Whether the last response asked for a longer wait than those before it.
    is_raised: bool,
}

impl Pacing {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            slow_downs: 0,
            troubles: 0,
            throttled: false,
            retry_after: Duration::ZERO,
            is_raised: true,
        }
    }

    /// Continues the waits of a login that was put down, whose next poll is due in this time.
    pub(crate) fn resumed(interval: Duration, slow_downs: u32, due_in: Duration) -> Self {
        let slow_downs = usize::try_from(slow_downs).unwrap_or(usize::MAX);
        Self { slow_downs, retry_after: due_in, is_raised: false, ..Self::new(interval) }
    }

    /// Records `authorization_pending`. A supplied interval counts only if it is longer.
    pub(crate) fn pending(&mut self, supplied: Option<Duration>, retry_after: Option<Duration>) {
        self.is_raised = supplied > Some(self.interval) || retry_after.is_some();
        self.interval = self.interval.max(supplied.unwrap_or_default());
        self.troubles = 0;
        self.throttled = false;
        self.retry_after = retry_after.unwrap_or_default();
    }

    /// Records `slow_down`. A supplied interval counts only if it is longer.
    pub(crate) fn slow_down(&mut self, supplied: Option<Duration>, retry_after: Option<Duration>) {
        self.interval = self.interval.saturating_add(SLOW_DOWN);
        self.slow_downs = self.slow_downs.saturating_add(1);
        self.pending(supplied, retry_after);
        self.is_raised = true;
    }

    /// Records a poll without a response, or with a status that means "not now".
    pub(crate) fn trouble(&mut self, status: Option<u16>, retry_after: Option<Duration>) {
        self.troubles = self.troubles.saturating_add(1);
        self.throttled = status == Some(429);
        self.is_raised = self.throttled || retry_after.is_some();
        self.retry_after = retry_after.unwrap_or_default();
    }

    /// Returns the server's current interval.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// Returns the number of `slow_down` responses.
    pub(crate) fn slow_downs(&self) -> u32 {
        u32::try_from(self.slow_downs).unwrap_or(u32::MAX)
    }

    /// Returns the number of consecutive failed polls.
    pub(crate) fn troubles(&self) -> u32 {
        self.troubles
    }

    /// Returns the next poll of a code whose remaining lifetime is `left`.
    ///
    /// Only the back-off is shortened if it would exceed the code's lifetime. The last poll is postponed to shortly
    /// before the code expires, so that an approval in the last seconds still counts.
    pub(crate) fn next_poll(&self, left: Duration) -> NextPoll {
        let asked = self.asked();
        if asked >= left {
            return if self.is_raised { NextPoll::Never(asked) } else { NextPoll::None };
        }
        let wait = self.wait();
        let latest = left.saturating_sub(LAST_POLL.min(left / 4));
        if wait.saturating_add(self.guarded(self.interval)) <= latest {
            return NextPoll::After(wait);
        }
        // If the full guard does not fit, the guard is half of the time that is left after the wait.
        let earliest = self.guarded(asked).min(asked.saturating_add(left.saturating_sub(asked) / 2));
        NextPoll::LastAfter(latest.max(earliest))
    }

    /// Returns the wait that the server asks for: its interval, plus 5 seconds after a 429, or `Retry-After`, whichever
    /// is longer.
    fn asked(&self) -> Duration {
        let throttle = if self.throttled { SLOW_DOWN } else { Duration::ZERO };
        self.interval.saturating_add(throttle).max(self.retry_after)
    }

    /// Returns the wait before the next poll of a code that never expires.
    fn wait(&self) -> Duration {
        self.guarded(self.asked().max(self.back_off()))
    }

    fn guarded(&self, wait: Duration) -> Duration {
        let level = self.slow_downs.min(GUARD_PER_CENT.len().saturating_sub(1));
        let per_cent = GUARD_PER_CENT.get(level).copied().unwrap_or_default();
        let guard = (wait / 100).saturating_mul(per_cent).max(LEAST_GUARD);
        wait.saturating_add(guard)
    }

    /// Returns the back-off: exponential, and never shorter than the current interval (RFC 8628 section 3.5).
    fn back_off(&self) -> Duration {
        if self.troubles == 0 {
            return Duration::ZERO;
        }
        let doubled = self.interval.saturating_mul(1_u32.checked_shl(self.troubles).unwrap_or(u32::MAX));
        doubled.min(BACK_OFF_CAP.max(self.interval.saturating_mul(2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ms(duration: Duration) -> u128 {
        duration.as_millis()
    }

    // proves: R8628-3.5-03, R8628-3.5-04, D-4, P5-02
    #[test]
    fn slow_down_permanently_adds_five_seconds_and_increases_the_guard() {
        let mut pacing = Pacing::new(s(5));
        assert_eq!(ms(pacing.wait()), 5_100);
        let mut waits = Vec::new();
        for _ in 0..5 {
            pacing.slow_down(None, None);
            pacing.pending(None, None);
            waits.push(ms(pacing.wait()));
        }
        assert_eq!(waits, [11_500, 19_500, 28_000, 35_000, 42_000]);
        assert_eq!(pacing.interval(), s(30));
    }

    // proves: D-2, P5-04
    #[test]
    fn a_supplied_interval_never_shortens_the_wait() {
        let mut pacing = Pacing::new(s(5));
        pacing.slow_down(Some(s(1)), None);
        assert_eq!(pacing.interval(), s(10));
        pacing.slow_down(Some(s(30)), None);
        assert_eq!(pacing.interval(), s(30));
        pacing.pending(Some(s(2)), None);
        assert_eq!(pacing.interval(), s(30));
        pacing.pending(Some(s(40)), None);
        assert_eq!(pacing.interval(), s(40));
    }

    // proves: R8628-3.5-08, R8628-3.5-09, P5-05
    #[test]
    fn back_off_doubles_from_the_interval_and_resets_after_success() {
        let mut pacing = Pacing::new(s(15));
        let mut waits = Vec::new();
        for _ in 0..4 {
            pacing.trouble(None, None);
            waits.push(ms(pacing.wait()));
        }
        assert_eq!(waits, [30_600, 61_200, 61_200, 61_200]);
        assert_eq!(pacing.troubles(), 4);
        pacing.pending(None, None);
        assert_eq!(ms(pacing.wait()), 15_300);
        assert_eq!(pacing.troubles(), 0);

        let mut long = Pacing::new(s(45));
        long.trouble(None, None);
        assert_eq!(ms(long.wait()), 91_800);
        long.trouble(None, None);
        assert_eq!(ms(long.wait()), 91_800);

        let mut short = Pacing::new(s(1));
        for expected in [2_050, 4_080, 8_160, 16_320, 32_640, 61_200, 61_200] {
            short.trouble(None, None);
            assert_eq!(ms(short.wait()), expected);
        }
        short.troubles = u32::MAX;
        assert_eq!(ms(short.wait()), 61_200);
    }

    // proves: R9110-10.2.3-01, P5-09, P5-10
    #[test]
    fn retry_after_applies_once_and_never_shortens_the_interval() {
        let mut pacing = Pacing::new(s(5));
        pacing.pending(None, Some(s(7)));
        assert_eq!(ms(pacing.wait()), 7_140);
        pacing.pending(None, None);
        assert_eq!(ms(pacing.wait()), 5_100);
        pacing.trouble(Some(503), Some(s(2)));
        assert_eq!(ms(pacing.wait()), 10_200);
        pacing.trouble(Some(503), Some(s(90)));
        assert_eq!(ms(pacing.wait()), 91_800);
        pacing.slow_down(None, Some(s(1)));
        assert_eq!(ms(pacing.wait()), 11_500);
    }

    // proves: R6585-4-01
    #[test]
    fn status_429_adds_five_seconds_to_the_next_wait() {
        let mut pacing = Pacing::new(s(1));
        pacing.trouble(Some(429), None);
        assert_eq!(ms(pacing.wait()), 6_120);
        pacing.trouble(Some(502), None);
        assert_eq!(ms(pacing.wait()), 4_080);
        pacing.trouble(Some(429), None);
        pacing.pending(None, None);
        assert_eq!(ms(pacing.wait()), 1_050);
    }

    // proves: D-4
    #[test]
    fn the_guard_is_at_least_fifty_milliseconds() {
        assert_eq!(ms(Pacing::new(s(1)).wait()), 1_050);
        assert_eq!(ms(Pacing::new(s(100)).wait()), 102_000);
    }

    #[test]
    fn the_last_poll_is_shortly_before_the_code_expires() {
        let mut pacing = Pacing::new(s(5));
        // Two more polls fit into 13 s, but only one into 12 s.
        assert_eq!(pacing.next_poll(s(13)), NextPoll::After(Duration::from_millis(5_100)));
        assert_eq!(pacing.next_poll(s(12)), NextPoll::LastAfter(s(10)));
        assert_eq!(pacing.next_poll(s(8)), NextPoll::LastAfter(s(6)));
        // The last poll is never earlier than the interval.
        assert_eq!(pacing.next_poll(s(6)), NextPoll::LastAfter(Duration::from_millis(5_100)));
        assert_eq!(
            pacing.next_poll(Duration::from_millis(5_100)),
            NextPoll::LastAfter(Duration::from_millis(5_050))
        );
        // Without a poll so far, the interval exceeds the code's lifetime. After a poll, the time has only run out.
        assert_eq!(pacing.next_poll(s(5)), NextPoll::Never(s(5)));
        pacing.pending(None, None);
        assert_eq!(pacing.next_poll(s(5)), NextPoll::None);
        pacing.pending(Some(s(5)), Some(s(5)));
        assert_eq!(pacing.next_poll(s(5)), NextPoll::Never(s(5)));
        // The back-off is shortened. A wait that the server requires is not.
        for _ in 0..5 {
            pacing.trouble(None, None);
        }
        assert_eq!(pacing.next_poll(s(300)), NextPoll::After(Duration::from_millis(61_200)));
        assert_eq!(pacing.next_poll(s(40)), NextPoll::LastAfter(s(38)));
        pacing.trouble(Some(503), Some(s(39)));
        assert_eq!(pacing.next_poll(s(40)), NextPoll::LastAfter(Duration::from_millis(39_500)));
        pacing.trouble(Some(503), Some(s(40)));
        assert_eq!(pacing.next_poll(s(40)), NextPoll::Never(s(40)));
        pacing.trouble(Some(429), None);
        assert_eq!(pacing.next_poll(s(10)), NextPoll::Never(s(10)));
        assert_eq!(
            pacing.next_poll(Duration::from_millis(10_500)),
            NextPoll::LastAfter(Duration::from_millis(10_200))
        );
    }

    #[test]
    fn maximum_durations_do_not_overflow() {
        let mut pacing = Pacing::new(Duration::MAX);
        pacing.slow_down(Some(Duration::MAX), Some(Duration::MAX));
        pacing.trouble(None, Some(Duration::MAX));
        assert_eq!(pacing.wait(), Duration::MAX);
        assert_eq!(pacing.next_poll(Duration::ZERO), NextPoll::Never(Duration::MAX));
        assert_eq!(Pacing::new(s(1)).next_poll(Duration::MAX), NextPoll::After(Duration::from_millis(1_050)));
    }
}
