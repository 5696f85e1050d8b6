//! Constructed runs for the tests of the checks.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::control::ServerClock;
use crate::fill::Values;
use crate::log::{Log, Request};
use crate::play::Seen;
use crate::tool::{End, Stream};

pub(super) fn case(expect: Value) -> Case {
    case_with(json!({}), expect)
}

pub(super) fn case_with(more: Value, expect: Value) -> Case {
    let mut value = json!({"id": "made-up", "proves": ["X"], "about": "Made up.", "expect": expect});
    let members: &mut Map<String, Value> = value.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

/// Returns a run without output and requests, with the server's clock at 0 at its start.
pub(super) fn seen() -> Seen {
    Seen {
        end: End::Status(0),
        elapsed: 1.0,
        ended_after_signal: None,
        signalled_at: None,
        stdout: Stream::default(),
        stderr: Stream::default(),
        stdout_closed: false,
        log: Log::default(),
        clock: ServerClock::new(Instant::now(), 0.0),
        peers: BTreeMap::new(),
        opened: Vec::new(),
        peak_rss_kb: 0,
        unwanted_files: Vec::new(),
        missed_actions: Vec::new(),
        values: Values::default(),
        command: Vec::new(),
        raw_log: Value::Null,
    }
}

impl Seen {
    /// Returns the moment at which the server's clock was 0.
    pub(super) fn clock_start(&self) -> Instant {
        self.clock.start()
    }
}

pub(super) fn device(arrived: f64, replied: f64) -> Request {
    request("device", arrived, replied, &[("client_id", "c")])
}

pub(super) fn poll(arrived: f64, replied: f64) -> Request {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    request("token", arrived, replied, &[("grant_type", grant), ("device_code", "d"), ("client_id", "c")])
}

fn request(endpoint: &str, arrived: f64, replied: f64, form: &[(&str, &str)]) -> Request {
    let pairs =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    Request {
        arrived,
        replied: Some(replied),
        method: "POST".into(),
        path: format!("/{endpoint}"),
        headers: pairs(&[
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", "x/1"),
        ]),
        form: Some(pairs(form)),
        endpoint: endpoint.into(),
        ..Request::default()
    }
}
