use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::advance;
use crate::log::Origin;
use crate::oauth::check::DEVICE_GRANT;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A server on a clock that the test moves.
struct World {
    server: Server,
    connection: Place,
    origins: Origins,
}

impl World {
    fn new(settings: Value) -> World {
        let settings = serde_json::from_value(settings).unwrap();
        let server = Server::new(settings, Alg::Es256, Arc::new(Keys::new().unwrap()));
        let connection = server.log.opened(Origin::Main, &Arc::default());
        let origin = "http://127.0.0.1:1".to_owned();
        World { server, connection, origins: Origins { this: origin.clone(), other: origin } }
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: None,
            http_1_0: false,
            headers: vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: pairs.join("&").into_bytes(),
            body_announced: true,
            arrived: clock::now(),
        };
        let (answer, _, _in_flight) = self.server.answer(self.connection, &self.origins, &request);
        (answer.response.status, answer.response.body.json().unwrap_or_default())
    }

    fn start(&self) -> Value {
        self.post("/oauth2/device_authorization", &[("client_id", "c"), ("scope", "offline_access")]).1
    }

    fn log_in(&self) -> Value {
        let started = self.start();
        advance(Duration::from_secs(5));
        let code = text(&started, "device_code");
        let (status, tokens) = self.post(
            "/oauth2/token",
            &[("client_id", "c"), ("grant_type", DEVICE_GRANT), ("device_code", code)],
        );
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// The new refresh token, or what the client is told.
    fn refresh(&self, token: &str) -> Result<String, String> {
        let form = [("client_id", "c"), ("grant_type", "refresh_token"), ("refresh_token", token)];
        match self.post("/oauth2/token", &form) {
            (200, tokens) => Ok(text(&tokens, "refresh_token").to_owned()),
            (_, error) => Err(text(&error, "error_description").to_owned()),
        }
    }

    fn revoke(&self, token: &str) {
        assert_eq!(self.post("/oauth2/revoke", &[("client_id", "c"), ("token", token)]).0, 200);
    }

    fn is_active(&self, token: &str) -> bool {
        let client = [("client_id", "client_confidential"), ("client_secret", "test+secret:%2B%25%C3%A9")];
        let form = [client[0], client[1], ("token", token)];
        self.post("/oauth2/introspection", &form).1["active"] == true
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

#[test]
fn months_of_use_leave_a_month_of_sessions_and_minutes_of_codes() {
    let world = World::new(json!({"answer": "approve"}));
    let mut lasting = text(&world.log_in(), "refresh_token").to_owned();
    let first = lasting.clone();
    for hour in 0..4000 {
        let tokens = world.log_in();
        let successor = world.refresh(text(&tokens, "refresh_token")).unwrap();
        match hour % 3 {
            0 => world.revoke(text(&tokens, "access_token")),
            1 => world.revoke(&successor),
            _ => {}
        }
        if hour % 600 == 0 {
            lasting = world.refresh(&lasting).unwrap();
        }
        advance(Duration::from_secs(3600));
        let state = world.server.state();
        // A collection is swept when it has doubled.
        assert!(state.codes.all().len() <= 64 && state.sessions.count() <= 2 * 30 * 24, "after {hour} hours");
    }
    let log = world.server.log.json("s1");
    let recorded = log["requests"].as_array().unwrap().len();
    assert_eq!(
        (recorded, &log["dropped"]["requests"]),
        (10_000, &json!(log["requests"][0]["request"].as_u64().unwrap() - 1))
    );
    assert!(world.refresh(&lasting).is_ok());
    assert_eq!(world.refresh(&first), Err("Refresh token already exchanged.".to_owned()));
}

#[test]
fn every_token_is_what_it_was_until_it_expires() {
    let world = World::new(json!({"answer": "approve", "access_token_expires_in": 3600}));
    let (used, revoked, idle) = (world.log_in(), world.log_in(), world.log_in());
    let access = |tokens: &Value| world.is_active(text(tokens, "access_token"));
    let successor = world.refresh(text(&used, "refresh_token")).unwrap();
    world.revoke(text(&revoked, "access_token"));
    for _ in 0..200 {
        world.log_in();
    }
    assert_eq!((access(&used), access(&revoked), access(&idle)), (true, false, true));
    advance(DAY * 29);
    for _ in 0..200 {
        world.log_in();
    }
    assert_eq!((access(&used), access(&revoked), access(&idle)), (false, false, false));
    assert!(world.refresh(text(&idle, "refresh_token")).is_ok());
    let reused = world.refresh(text(&used, "refresh_token"));
    assert_eq!(reused, Err("Refresh token already exchanged.".to_owned()));
    assert_eq!(world.refresh(&successor), Err("Session has already ended.".to_owned()));
    advance(DAY * 2);
    let expired = world.refresh(text(&revoked, "refresh_token"));
    assert_eq!(expired, Err("Invalid refresh token.".to_owned()));
}

#[test]
fn a_device_code_that_is_given_out_again_belongs_to_the_last_user_code() {
    let world = World::new(
        json!({"script": {"device": {"steps": [{"merge": {"device_code": "d"}}], "then": "repeat"}}}),
    );
    for _ in 0..1000 {
        let started = world.start();
        advance(Duration::from_secs(60));
        let state = world.server.state();
        let found = state.codes.by_user_code(text(&started, "user_code")).unwrap();
        assert_eq!((found.device_code.as_str(), state.codes.all().len() <= 64), ("d", true));
    }
}

#[test]
fn an_expired_code_is_told_as_such_for_ten_minutes() {
    let world = World::new(json!({"expires_in": 60}));
    let started = world.start();
    let poll = || {
        let form = [
            ("client_id", "c"),
            ("grant_type", DEVICE_GRANT),
            ("device_code", text(&started, "device_code")),
        ];
        text(&world.post("/oauth2/token", &form).1, "error").to_owned()
    };
    advance(Duration::from_secs(650));
    (0..200).for_each(|_| drop(world.start()));
    assert_eq!(poll(), "expired_token");
    advance(Duration::from_secs(20));
    (0..200).for_each(|_| drop(world.start()));
    assert_eq!(poll(), "invalid_grant");
}
