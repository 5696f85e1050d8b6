use serde_json::json;

use super::*;
use crate::settings::Answer;

struct World {
    codes: Codes,
    settings: Settings,
    start: Instant,
}

impl World {
    fn new(settings: Value) -> World {
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let (mut codes, start) = (Codes::default(), Instant::now());
        let new = NewCode {
            device_code: "d".to_owned(),
            user_code: "BCDF-GHJK".to_owned(),
            client_id: "c".to_owned(),
            scope: String::new(),
            flavor: Flavor::Connect,
            challenge: None,
        };
        codes.issue(new, &settings, start);
        World { codes, settings, start }
    }

    /// A poll so many seconds after the code was issued, answered at once.
    fn poll(&mut self, at: f64) -> (Verdict, Vec<&'static str>) {
        let now = self.start + clock::duration(at);
        let noticed = self.codes.notice("d", now);
        let verdict = self.codes.poll("d", ("c", Flavor::Connect), &noticed, &self.settings, now);
        self.codes.poll_is_over("d");
        (verdict, noticed.violations)
    }
}

fn granted() -> Verdict {
    Verdict::Granted { scope: String::new(), organization_id: None }
}

#[test]
fn the_interval_counts_from_the_issue_and_from_the_last_poll() {
    let mut world = World::new(json!({"interval": 5}));
    assert_eq!(world.poll(4.999), (Verdict::SlowDown, vec!["polled_too_early"]));
    // Now it is 10, and each early poll adds 5 more for good.
    assert_eq!(world.poll(14.9).0, Verdict::SlowDown);
    assert_eq!(world.poll(29.95), (Verdict::Pending, vec![]));
    assert_eq!(world.poll(44.9).0, Verdict::SlowDown);
}

#[test]
fn a_lenient_server_still_notices() {
    let mut world = World::new(json!({"interval": 5, "slow_down": false}));
    assert_eq!(world.poll(1.0), (Verdict::Pending, vec!["polled_too_early"]));
    let mut world = World::new(json!({"interval": 5, "enforce_interval": 0}));
    assert_eq!(world.poll(1.0), (Verdict::Pending, vec!["polled_too_early"]));
}

#[test]
fn a_code_is_redeemed_once() {
    let mut world = World::new(json!({"answer": "approve"}));
    assert_eq!(world.poll(5.0).0, granted());
    assert_eq!(world.poll(10.0), (Verdict::Unknown, vec!["polled_after_end"]));
}

#[test]
fn a_denial_stays() {
    let mut world = World::new(json!({"answer": "deny"}));
    assert_eq!(world.poll(5.0), (Verdict::Denied, vec![]));
    assert_eq!(world.poll(10.0), (Verdict::Denied, vec!["polled_after_end"]));
}

#[test]
fn expiry_comes_before_everything() {
    let mut world = World::new(json!({"answer": "approve", "expires_in": 10}));
    assert_eq!(world.poll(10.1), (Verdict::Expired, vec!["polled_after_expiry"]));
    assert_eq!(world.poll(20.0), (Verdict::Expired, vec!["polled_after_end"]));
}

#[test]
fn the_answer_can_wait_for_time_and_for_polls() {
    let mut world = World::new(json!({"answer": "approve", "answer_after": 12}));
    assert_eq!(world.poll(5.0).0, Verdict::Pending);
    assert_eq!(world.poll(12.0).0, granted());
    let mut world = World::new(json!({"answer": "approve", "answer_after_polls": 1}));
    assert_eq!(world.poll(5.0).0, Verdict::Pending);
    assert_eq!(world.poll(10.0).0, granted());
}

#[test]
fn another_client_cannot_redeem() {
    let mut world = World::new(json!({"answer": "approve"}));
    let now = world.start + Duration::from_secs(6);
    let noticed = world.codes.notice("d", now);
    assert_eq!(
        world.codes.poll("d", ("thief", Flavor::Connect), &noticed, &world.settings, now),
        Verdict::Unknown
    );
}

#[test]
fn what_was_announced_is_what_counts() {
    let mut world = World::new(json!({}));
    let answer = json!({"device_code": "é+1", "user_code": "X", "interval": "2", "expires_in": 7.5});
    world.codes.announce("d", answer.as_object().unwrap(), world.start);
    assert!(world.codes.get("d").is_none());
    let at = |seconds: f64| world.start + clock::duration(seconds);
    let code = world.codes.get("é+1").unwrap();
    assert!(!code.is_expired(at(7.5)) && code.is_expired(at(7.6)));
    assert_eq!(code.announced, Duration::from_secs(2));
    assert_eq!(world.codes.by_user_code("x").unwrap().device_code, "é+1");
    assert!(world.codes.by_user_code("BCDF-GHJK").is_none());
}

#[test]
fn overlapping_polls_are_noticed() {
    let mut world = World::new(json!({"interval": 1}));
    let at = |seconds: u64| world.start + Duration::from_secs(seconds);
    assert_eq!(world.codes.notice("d", at(2)).violations, Vec::<&str>::new());
    assert_eq!(world.codes.notice("d", at(4)).violations, ["overlapping_poll"]);
}

#[test]
fn user_codes_are_found_as_people_type_them() {
    let mut world = World::new(json!({}));
    for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk "] {
        assert_eq!(world.codes.by_user_code(typed).unwrap().device_code, "d");
    }
    assert!(world.codes.decide("d", Decision::Deny {}));
    assert!(!world.codes.decide("d", Answer::approve().0.unwrap()));
    assert!(world.codes.newest_pending().is_none());
}
