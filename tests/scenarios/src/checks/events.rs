//! Checks the JSON lines on standard output: their format, their order, and the expectations of the case.

use std::time::Instant;

use serde_json::Value;

use super::{Fault, contract};
use crate::case::Case;
use crate::members::Members;
use crate::pattern::mismatch;
use crate::play::Seen;
use crate::tool::End;

struct Event {
    name: String,
    members: Members,
    at: Option<Instant>,
}

pub(super) fn check(case: &Case, seen: &Seen) -> Vec<Fault> {
    if !case.json || seen.end == End::Status(2) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut events = Vec::new();
    for (line, at) in seen.stdout.lines() {
        match Members::parse(&line) {
            Ok(members) => {
                let name = members.text("event").unwrap_or_default().to_owned();
                faults.extend(contract::fault(&members));
                events.push(Event { name, members, at });
            }
            Err(error) => faults.push(Fault::new(
                "standard output",
                "one JSON object per line",
                format!("{line:?}: {error}"),
            )),
        }
    }
    faults.extend(order_faults(&events, seen));
    faults.extend(promise_faults(&events, seen));
    faults.extend(wanted_faults(case, &events, seen));
    faults
}

/// Seconds by which the runner of a busy machine may read a line late.
const READ_LATE: f64 = 0.5;

/// Checks that the prompt comes first and before any poll, and that exactly one outcome comes last.
fn order_faults(events: &[Event], seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_outcome = |event: &Event| event.name == "authorized" || event.name == "error";
    for (index, event) in events.iter().enumerate() {
        let last = index + 1 == events.len();
        if is_outcome(event) && !last {
            faults.push(Fault::new(
                "after the outcome",
                "nothing",
                format!("{} more events", events.len() - index - 1),
            ));
        }
        if event.name == "prompt" && index != 0 {
            faults.push(Fault::new("prompt", "the first event, once", format!("it is event {}", index + 1)));
        }
        if !is_outcome(event) && event.name != "prompt" && index == 0 {
            faults.push(Fault::new("first event", "a prompt or an error", &event.name));
        }
    }
    if !seen.stdout_closed {
        match (seen.end, events.last()) {
            (End::Status(0), Some(event)) if event.name == "authorized" => {}
            (End::Status(0), other) => {
                faults.push(Fault::new(
                    "outcome of status 0",
                    "authorized",
                    other.map_or("nothing", |e| &e.name),
                ));
            }
            (End::Status(_), Some(event)) if event.name == "error" => {}
            (End::Status(status), other) => {
                let what = format!("outcome of status {status}");
                faults.push(Fault::new(what, "error", other.map_or("nothing", |e| &e.name)));
            }
            _ => {}
        }
    }
    if let Some(poll) = seen.log.to("token").next().filter(|_| !seen.stdout_closed) {
        match events.first().filter(|event| event.name == "prompt").and_then(|event| event.at) {
            Some(at) if seen.clock.at(at) <= poll.arrived + READ_LATE => {}
            Some(at) => {
                let late = seen.clock.at(at) - poll.arrived;
                faults.push(Fault::new(
                    "prompt",
                    "written before the first poll",
                    format!("{late:.3} s after it"),
                ));
            }
            None => faults.push(Fault::new("prompt", "before the first poll", "none")),
        }
    }
    faults
}

/// Checks that the next poll comes when an event announces it. The tolerance covers the pipe and a busy machine.
fn promise_faults(events: &[Event], seen: &Seen) -> Vec<Fault> {
    const CLOCKS: f64 = 0.3;
    // On a busy machine the event is read late, so whether a poll is early is checked only by the server's clock.
    const EARLY: f64 = 2.0;
    const LATE: f64 = 10.0;
    let mut faults = Vec::new();
    for event in events {
        let key = match event.name.as_str() {
            "pending" => "next_poll_in",
            "retrying" => "retry_in",
            _ => continue,
        };
        let Some((promise, at)) = event.members.get(key).and_then(Value::as_f64).zip(event.at) else {
            continue;
        };
        let told_at = seen.clock.at(at);
        // The clocks agree only to some milliseconds, so a poll at the same moment is the one that caused the event.
        let Some(poll) = seen.log.to("token").find(|poll| poll.arrived > told_at + CLOCKS) else { continue };
        let waited = poll.arrived - told_at;
        if waited < promise - EARLY || waited > promise + LATE {
            let what = format!("{}.{key}", event.name);
            faults.push(Fault::new(
                what,
                format!("a poll in {promise:.2} s"),
                format!("one after {waited:.2} s"),
            ));
        }
    }
    faults
}

fn wanted_faults(case: &Case, events: &[Event], seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut rest = events.iter();
    for pattern in &case.expect.events {
        let pattern = seen.values.json(pattern);
        if !rest.any(|event| mismatch(&pattern, &event.members.to_value()).is_none()) {
            let all: Vec<String> = events.iter().map(|event| event.members.to_value().to_string()).collect();
            faults.push(Fault::new("events", format!("{pattern} in its place"), all.join(" ")));
            break;
        }
    }
    for (name, bounds) in &case.expect.count {
        let count = events.iter().filter(|event| event.name == *name).count();
        if !bounds.hold(u64::try_from(count).unwrap_or(u64::MAX)) {
            faults.push(Fault::new(format!("number of {name} events"), format!("{bounds:?}"), count));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{case, poll, seen};
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    const PROMPT: &str = r#"{"event":"prompt","user_code":"A-B","verification_uri":"https://h","verification_uri_complete":null,"expires_in":300}"#;
    const PENDING: &str = r#"{"event":"pending","next_poll_in":5.1,"expires_in":294.8}"#;
    const DONE: &str = r#"{"event":"authorized","token_type":"Bearer","expires_in":3600,"scope":["openid"],"has_refresh_token":true,"has_id_token":true,"subject":null,"saved":null}"#;
    const ERROR: &str = r#"{"event":"error","kind":"rejected","oauth_error":null,"message":"m","http_status":400,"request_id":null,"organizations":[{"id":"o","name":"n"}],"claims":null}"#;

    fn with(lines: &[&str], status: i32) -> Seen {
        let mut seen = seen();
        seen.end = End::Status(status);
        for line in lines {
            seen.stdout.push(format!("{line}\n").as_bytes(), seen.clock_start());
        }
        seen
    }

    fn count(expect: Value, seen: &Seen) -> usize {
        check(&case(expect), seen).len()
    }

    #[test]
    fn valid_events_have_no_fault() {
        assert_eq!(check(&case(json!({"exit": 0})), &with(&[PROMPT, PENDING, DONE], 0)), []);
        assert_eq!(check(&case(json!({"exit": 1})), &with(&[PROMPT, ERROR], 1)), []);
        assert_eq!(check(&case(json!({"exit": 1})), &with(&[ERROR], 1)), []);
    }

    #[test]
    fn wrong_keys_order_and_types_are_faults() {
        let spoiled = [
            PROMPT.replace(r#""user_code":"A-B","#, ""),
            PROMPT.replace(r#""user_code":"A-B""#, r#""user_code":"""#),
            PROMPT.replace(r#","expires_in":300"#, r#","expires_in":300,"more":1"#),
            PROMPT.replace("prompt", "start"),
            PROMPT.replace("300", "\"300\""),
            PROMPT.replace("300", "-1"),
            r#"{"event":"prompt","verification_uri":"https://h","user_code":"A-B","verification_uri_complete":null,"expires_in":300}"#.to_owned(),
            format!("note {PROMPT}"),
            format!("[{PROMPT}]"),
            String::new(),
        ];
        for line in &spoiled {
            assert!(count(json!({"exit": 0}), &with(&[line, DONE], 0)) > 0, "{line}");
        }
        for (from, to) in [
            ("rejected", "gone"),
            ("400", "42"),
            (r#""m""#, "null"),
            (r#"[{"id":"o","name":"n"}]"#, r#"[{"id":"o","name":"n","x":1}]"#),
            (r#"[{"id":"o","name":"n"}]"#, r#"["o"]"#),
        ] {
            assert!(count(json!({"exit": 1}), &with(&[PROMPT, &ERROR.replace(from, to)], 1)) > 0, "{to}");
        }
        let retrying = r#"{"event":"retrying","reason":"http_502","attempt":1,"retry_in":10.2}"#;
        assert_eq!(count(json!({"exit": 0}), &with(&[PROMPT, retrying, DONE], 0)), 0);
        for (from, to) in [("http_502", "HTTP 502"), ("http_502", ""), (":1,", ":0,"), (":1,", ":1.5,")] {
            assert!(
                count(json!({"exit": 0}), &with(&[PROMPT, &retrying.replace(from, to), DONE], 0)) > 0,
                "{to}"
            );
        }
    }

    #[test]
    fn an_unverified_identity_has_a_message() {
        let unverified = r#"{"event":"identity_unverified","message":"m"}"#;
        let count = |line: &str| count(json!({"exit": 0}), &with(&[PROMPT, line, DONE], 0));
        assert_eq!(count(unverified), 0);
        assert!(count(&unverified.replace(r#""m""#, r#""""#)) > 0);
    }

    #[test]
    fn a_login_is_saved_in_a_keyring_or_in_a_file_or_not_at_all() {
        let count = |saved: &str| {
            let done = DONE.replace(r#""saved":null"#, &format!(r#""saved":{saved}"#));
            count(json!({"exit": 0}), &with(&[PROMPT, &done], 0))
        };
        assert_eq!(["null", r#""keyring""#, r#""file""#].map(count), [0; 3]);
        assert!([r#""none""#, r#""memory""#, "true"].map(count).iter().all(|faults| *faults > 0));
        let without = DONE.replace(r#","saved":null"#, "");
        assert!(!check(&case(json!({"exit": 0})), &with(&[PROMPT, &without], 0)).is_empty());
    }

    #[test]
    fn wrong_event_sequences_are_faults() {
        let wrong: [(&[&str], i32); 8] = [
            (&[DONE, PROMPT], 0),
            (&[PROMPT, PROMPT, DONE], 0),
            (&[PROMPT, DONE, DONE], 0),
            (&[PENDING, DONE], 0),
            (&[PROMPT], 0),
            (&[PROMPT, ERROR], 0),
            (&[PROMPT, DONE], 1),
            (&[], 1),
        ];
        for (lines, status) in wrong {
            assert!(count(json!({"exit": status}), &with(lines, status)) > 0, "{lines:?}");
        }
        let mut closed = with(&[PROMPT], 1);
        closed.stdout_closed = true;
        assert_eq!(count(json!({"exit": 1}), &closed), 0);
    }

    #[test]
    fn a_prompt_after_the_first_poll_is_a_fault() {
        let mut seen = with(&[PROMPT, DONE], 0);
        seen.log.requests.push(poll(1.0, 1.0));
        assert_eq!(count(json!({"exit": 0}), &seen), 0);
        seen.log.requests[0].arrived = -1.0;
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
    }

    #[test]
    fn a_poll_at_another_time_than_announced_is_a_fault() {
        let mut seen = with(&[PROMPT, PENDING], 0);
        seen.stdout.push(DONE.as_bytes(), seen.clock_start() + Duration::from_secs(6));
        seen.log.requests.push(poll(5.2, 5.2));
        assert_eq!(count(json!({"exit": 0}), &seen), 0);
        seen.log.requests[0].arrived = 2.5;
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
        seen.log.requests[0].arrived = 15.5;
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
    }

    #[test]
    fn expected_events_must_match_in_order_and_number() {
        let seen = with(&[PROMPT, PENDING, DONE], 0);
        let expect = json!({"exit": 0, "events": [{"event": "prompt"}, {"event": "authorized", "expires_in": {"$between": [3000, 4000]}}],
            "count": {"pending": 1, "retrying": 0}});
        assert_eq!(count(expect, &seen), 0);
        assert_eq!(
            count(json!({"exit": 0, "events": [{"event": "authorized"}, {"event": "prompt"}]}), &seen),
            1
        );
        assert_eq!(count(json!({"exit": 0, "events": [{"event": "prompt", "user_code": "X"}]}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "count": {"pending": 2}}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "count": {"pending": [2, 3]}}), &seen), 1);
    }
}
