//! Checks the end of a run: exit status, time and the reported error.

use serde_json::Value;

use super::Fault;
use crate::case::Case;
use crate::members::Members;
use crate::pattern::mismatch;
use crate::play::Seen;
use crate::tool::End;

/// Returns the exit statuses that the example tool may use for an error kind. `cancelled` has two.
fn statuses(kind: &str) -> &'static [i32] {
    match kind {
        "denied" => &[3],
        "expired" => &[4],
        "action_required" => &[5],
        "cancelled" => &[130, 143],
        _ => &[1],
    }
}

/// Seconds that a busy machine may take to start and run a program. Anything that must be distinguished from
/// "immediately" takes longer.
const BUSY: f64 = 10.0;

pub(super) fn check(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    let status = match seen.end {
        End::Status(status) => status,
        End::Signal(number) => {
            faults.push(Fault::new("end", "an exit status", format!("killed by signal {number}")));
            return faults;
        }
        End::TimedOut => {
            faults.push(Fault::new("end", "an exit", format!("still running after {:.1} s", seen.elapsed)));
            return faults;
        }
    };
    if !case.expect.exit.has(status) {
        faults.push(Fault::new(
            "exit status",
            format!("{:?}", case.expect.exit),
            with_last_output(status, seen),
        ));
    }
    for action in &seen.missed_actions {
        faults.push(Fault::new("action", format!("the condition {action}"), "exit before it"));
    }
    if let Some((least, most)) = case.expect.elapsed
        && !(least..=most + BUSY).contains(&seen.elapsed)
    {
        faults.push(Fault::new(
            "time to exit",
            format!("{least} to {most} s"),
            format!("{:.2} s", seen.elapsed),
        ));
    }
    if let Some(most) = case.expect.ends_within {
        match seen.ended_after_signal {
            Some(time) if time <= most => {}
            Some(time) => {
                faults.push(Fault::new("signal to exit", format!("<= {most} s"), format!("{time:.3} s")));
            }
            None => faults.push(Fault::new("signal", "one", "none was sent")),
        }
    }
    faults.extend(error_faults(case, seen, status));
    faults
}

/// Appends the last output to a status so that one line describes what happened.
fn with_last_output(status: i32, seen: &Seen) -> String {
    let last = |text: String| text.lines().last().unwrap_or_default().chars().take(200).collect::<String>();
    let words = last(seen.stdout.text());
    let words = if words.is_empty() { last(seen.stderr.text()) } else { words };
    format!("{status} ({words})")
}

fn error_faults(case: &Case, seen: &Seen, status: i32) -> Vec<Fault> {
    let mut faults = Vec::new();
    let last = seen.stdout.lines().last().and_then(|(line, _)| Members::parse(line).ok());
    let error = last.filter(|event| event.text("event") == Some("error"));
    if let Some(error) = &error {
        let kind = error.text("kind").unwrap_or_default();
        if !statuses(kind).contains(&status) {
            faults.push(Fault::new(
                format!("exit status for {kind}"),
                format!("{:?}", statuses(kind)),
                status,
            ));
        }
    }
    if let Some(pattern) = &case.expect.error {
        let pattern = seen.values.json(pattern);
        match error {
            Some(error) => {
                if let Some(why) = mismatch(&pattern, &error.to_value()) {
                    faults.push(Fault::new("error event", &pattern, format!("{} ({why})", error.to_value())));
                }
            }
            None => faults.push(Fault::new("error event", &pattern, Value::Null)),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{case, seen};
    use super::*;
    use serde_json::json;

    const ERROR: &str = r#"{"event":"error","kind":"denied","oauth_error":"access_denied","message":"m"}"#;

    #[test]
    fn an_expected_end_has_no_fault() {
        let case = case(json!({"exit": 3, "error": {"kind": "denied"}, "elapsed": [1, 3]}));
        let mut seen = seen();
        seen.end = End::Status(3);
        seen.elapsed = 2.0;
        seen.stdout.push(ERROR.as_bytes(), seen.clock_start());
        assert_eq!(check(&case, &seen), []);
    }

    #[test]
    fn each_check_of_the_end_can_fail() {
        let good = || {
            let mut seen = seen();
            seen.end = End::Status(3);
            seen.elapsed = 2.0;
            seen.ended_after_signal = Some(0.1);
            seen.stdout.push(ERROR.as_bytes(), seen.clock_start());
            seen
        };
        let case =
            case(json!({"exit": 3, "error": {"kind": "denied"}, "elapsed": [1, 3], "ends_within": 0.5}));
        assert_eq!(check(&case, &good()), []);
        let bad: [fn(&mut Seen); 8] = [
            |seen| seen.end = End::Status(1),
            |seen| seen.end = End::Signal(9),
            |seen| seen.end = End::TimedOut,
            |seen| seen.elapsed = 13.1,
            |seen| seen.elapsed = 0.9,
            |seen| seen.ended_after_signal = Some(0.6),
            |seen| seen.ended_after_signal = None,
            |seen| seen.missed_actions.push("x".into()),
        ];
        for (index, spoil) in bad.iter().enumerate() {
            let mut seen = good();
            spoil(&mut seen);
            assert!(!check(&case, &seen).is_empty(), "{index}");
        }
    }

    #[test]
    fn the_error_must_match_the_pattern_and_the_status() {
        let wanted = case(json!({"exit": [1, 3], "error": {"oauth_error": "expired_token"}}));
        let mut seen = seen();
        seen.end = End::Status(3);
        assert_eq!(check(&wanted, &seen).len(), 1, "no error event");
        seen.stdout.push(ERROR.as_bytes(), seen.clock_start());
        assert_eq!(check(&wanted, &seen).len(), 1, "another code");
        seen.end = End::Status(1);
        assert_eq!(check(&case(json!({"exit": 1})), &seen).len(), 1, "status 1 for denied");
    }
}
