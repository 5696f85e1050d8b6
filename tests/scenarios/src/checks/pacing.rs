//! Checks when requests arrived, according to the server's log.

use super::Fault;
use crate::case::Case;
use crate::log::Request;
use crate::play::Seen;

/// Seconds by which two clock readings may differ. Less than the smallest guard (50 ms), so that a missing guard is
/// detected.
const READING: f64 = 0.02;
/// Seconds during which a request may still arrive because a busy machine delivered the signal late. In cases that
/// forbid further requests, the next one is due much later.
const ON_ITS_WAY: f64 = 3.0;

pub(super) fn check(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    let gaps = seen.log.poll_gaps();
    let shown = || gaps.iter().map(|gap| format!("{gap:.3}")).collect::<Vec<_>>().join(", ");
    if gaps.len() < case.expect.gaps.len() {
        faults.push(Fault::new(
            "polls",
            format!("at least {}", case.expect.gaps.len()),
            format!("gaps [{}]", shown()),
        ));
    }
    for (index, (wanted, gap)) in case.expect.gaps.iter().zip(&gaps).enumerate() {
        if *gap < wanted.least() - READING || *gap > wanted.most() {
            let bounds = format!("{} to {:.1} s", wanted.least(), wanted.most());
            faults.push(Fault::new(
                format!("gap before poll {}", index + 1),
                bounds,
                format!("gaps [{}]", shown()),
            ));
        }
    }
    if let Some(signal) = seen.signalled_at {
        let is_late =
            |request: &&Request| request.endpoint != "revoke" && request.arrived > signal + ON_ITS_WAY;
        if let Some(request) = seen.log.requests.iter().rfind(is_late) {
            let after = request.arrived - signal;
            faults.push(Fault::new(
                "after the signal",
                "no request",
                format!("{} {after:.2} s later", request.endpoint),
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{case, device, poll, seen};
    use super::*;
    use serde_json::json;

    fn with_polls(polls: &[(f64, f64)]) -> Seen {
        let mut seen = seen();
        seen.log.requests.push(device(0.0, 0.1));
        seen.log.requests.extend(polls.iter().map(|(arrived, replied)| poll(*arrived, *replied)));
        seen
    }

    fn count(expect: serde_json::Value, seen: &Seen) -> usize {
        check(&case(expect), seen).len()
    }

    #[test]
    fn gaps_within_bounds_have_no_fault() {
        let seen = with_polls(&[(1.15, 1.2), (7.3, 7.3)]);
        assert_eq!(count(json!({"exit": 0, "gaps": [1.05, [6.05, 7]]}), &seen), 0);
    }

    #[test]
    fn gaps_can_be_too_short_too_long_or_missing() {
        let seen = with_polls(&[(1.15, 1.2), (7.3, 7.3)]);
        assert_eq!(count(json!({"exit": 0, "gaps": [1.2]}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "gaps": [1.05, [1, 6]]}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "gaps": [1, 6, 6]}), &seen), 1);
        // The default upper bound is generous, but there is one.
        assert_eq!(count(json!({"exit": 0, "gaps": [1, 1]}), &seen), 1);
    }

    #[test]
    fn a_missing_guard_is_detected() {
        assert_eq!(count(json!({"exit": 0, "gaps": [1.05]}), &with_polls(&[(1.005, 1.2)])), 1);
    }

    #[test]
    fn a_request_after_the_signal_is_a_fault() {
        let mut seen = with_polls(&[(1.15, 1.2), (6.3, 6.3)]);
        seen.signalled_at = Some(6.25);
        assert_eq!(count(json!({"exit": 130}), &seen), 0);
        seen.signalled_at = Some(1.5);
        assert_eq!(count(json!({"exit": 130}), &seen), 1);
        seen.log.requests[2].endpoint = "revoke".into();
        assert_eq!(count(json!({"exit": 130}), &seen), 0);
    }
}
