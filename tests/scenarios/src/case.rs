//! The data of a case: setup, actions and expectations.
//!
//! `README.md` documents the members for authors of cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::peers::Manner;
use crate::variants::Named;

/// One behaviour scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// Requirement ids that this case proves.
    pub(crate) proves: Vec<String>,
    /// One sentence that describes the behaviour.
    pub(crate) about: String,
    /// Whether the case is only for tools that can store logins (true) or only for those that cannot (false).
    #[serde(default)]
    pub(crate) sessions: Option<bool>,
    #[serde(default)]
    pub(crate) login: Login,
    #[serde(default = "yes")]
    pub(crate) json: bool,
    /// Arguments after those that `login` generates.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Environment variables; null removes one.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Option<String>>,
    /// Addresses by name that the tool's resolver returns instead of those of the system.
    #[serde(default)]
    pub(crate) resolver: BTreeMap<String, String>,
    /// Settings of the virtual server in the format of the authserver's control interface. By default the interval is
    /// 1 s and the user approves immediately.
    #[serde(default)]
    pub(crate) server: Map<String, Value>,
    /// Settings of a second virtual server, `{second_url}`; its requests are not checked.
    #[serde(default)]
    pub(crate) second: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) peers: BTreeMap<String, Manner>,
    /// Files to write into the tool's working directory, by name.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Whether standard input and standard error are a terminal.
    #[serde(default)]
    pub(crate) terminal: bool,
    /// The width of the terminal.
    #[serde(default = "usual_columns")]
    pub(crate) columns: u16,
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
    /// Typical duration in seconds, so that long cases are started first.
    #[serde(default = "usual_time")]
    pub(crate) takes: f64,
    pub(crate) expect: Expect,
}

impl Named for Case {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Case {
    /// Returns whether the case is for a tool that can store logins, or for one that cannot.
    pub(crate) fn is_for(&self, sessions: bool) -> bool {
        self.sessions.is_none_or(|needed| needed == sessions)
    }
}

fn yes() -> bool {
    true
}

fn usual_columns() -> u16 {
    100
}

fn usual_time() -> f64 {
    4.0
}

/// Which arguments the runner generates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Login {
    #[default]
    Endpoints,
    Authkit,
    Connect,
    Oidc,
    /// None: the case specifies every argument.
    Custom,
}

/// Something that happens once while the tool runs, in the order of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) when: When,
    /// Seconds to wait after the condition holds.
    #[serde(default)]
    pub(crate) wait: f64,
    #[serde(rename = "do")]
    pub(crate) deed: Deed,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum When {
    Start,
    /// The prompt was written: its event, or the first text on standard error.
    Prompt,
    /// An event of this name was written.
    Event(String),
    /// This many requests have arrived at this endpoint.
    Requests {
        endpoint: String,
        count: u32,
    },
    /// This peer has received a connection, or an attempt to connect to it hangs.
    Peer(String),
    /// The previous action is done.
    Then,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    Signal(SignalName),
    /// A decision in the format of the authserver's control interface.
    Answer(Value),
    /// The reader closes the tool's standard output.
    CloseStdout,
    /// The virtual server stops (false) or starts (true) listening.
    Listening(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SignalName {
    Int,
    Term,
    Stop,
    Cont,
    Kill,
}

impl SignalName {
    /// Returns whether the signal requests the tool to end.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Int | Self::Term)
    }
}

/// The expectations. What is not named here is not checked, apart from the checks that apply to every case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) exit: OneOrMany,
    /// Pattern for the final `error` event.
    #[serde(default)]
    pub(crate) error: Option<Value>,
    /// Patterns that must match events in this order, with other events between them.
    #[serde(default)]
    pub(crate) events: Vec<Value>,
    /// Number of events by name.
    #[serde(default)]
    pub(crate) count: BTreeMap<String, Bounds>,
    /// Requests by endpoint name; `other_origin` counts the requests to the second origin.
    #[serde(default)]
    pub(crate) requests: BTreeMap<String, Bounds>,
    /// Requests by `METHOD path`.
    #[serde(default)]
    pub(crate) paths: BTreeMap<String, Bounds>,
    /// Connections to the virtual server, both origins.
    #[serde(default)]
    pub(crate) connections: Option<Bounds>,
    /// Seconds from the end of a response to the arrival of the next poll, starting with the device authorization
    /// response.
    #[serde(default)]
    pub(crate) gaps: Vec<Gap>,
    /// The exact decoded form of every request to an endpoint.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, Vec<(String, String)>>,
    /// Headers of every request to an endpoint; null means absent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// The query of every request to an endpoint.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    /// Minimum and maximum number of seconds from start to exit.
    #[serde(default)]
    pub(crate) elapsed: Option<(f64, f64)>,
    /// Maximum number of seconds from the last ending signal to exit.
    #[serde(default)]
    pub(crate) ends_within: Option<f64>,
    /// Violations that the server may report; any other violation is a fault.
    #[serde(default)]
    pub(crate) violations: Vec<String>,
    /// First lines received by a peer. A peer that is not named here must not be reached.
    #[serde(default)]
    pub(crate) peers: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    pub(crate) stdout: Text,
    #[serde(default)]
    pub(crate) stderr: Text,
    /// The commands that opened a browser. Defaults to none.
    #[serde(default)]
    pub(crate) opened: Vec<Vec<String>>,
    /// Whether escape sequences are forbidden on a terminal too.
    #[serde(default)]
    pub(crate) plain: bool,
    /// Whether a line of standard error is rewritten in place. `None` if it does not matter.
    #[serde(default)]
    pub(crate) rewrites: Option<bool>,
    /// Maximum number of bytes on standard error.
    #[serde(default)]
    pub(crate) max_stderr: Option<usize>,
    /// Files in the tool's working directory that must not exist afterwards.
    #[serde(default)]
    pub(crate) absent_files: Vec<String>,
    /// Maximum peak resident memory of the tool in MB.
    #[serde(default)]
    pub(crate) max_rss_mb: Option<u64>,
}

/// The expected content of a stream.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    #[serde(default)]
    pub(crate) has: Vec<String>,
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
    #[serde(default)]
    pub(crate) empty: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(i32),
    Many(Vec<i32>),
}

impl OneOrMany {
    pub(crate) fn has(&self, value: i32) -> bool {
        match self {
            Self::One(one) => *one == value,
            Self::Many(many) => many.contains(&value),
        }
    }
}

/// An exact number, or a minimum and a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Bounds {
    Exactly(u64),
    Between(u64, u64),
}

impl Bounds {
    pub(crate) fn hold(self, number: u64) -> bool {
        match self {
            Self::Exactly(exact) => number == exact,
            Self::Between(low, high) => (low..=high).contains(&number),
        }
    }
}

/// Seconds: a minimum, or a minimum and a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Gap {
    AtLeast(f64),
    Between(f64, f64),
}

impl Gap {
    pub(crate) fn least(self) -> f64 {
        match self {
            Self::AtLeast(least) | Self::Between(least, _) => least,
        }
    }

    /// Returns the maximum. The default is generous: a busy machine is not a defect of the tool, and a guard may have
    /// grown to 40 %.
    pub(crate) fn most(self) -> f64 {
        match self {
            Self::AtLeast(least) => least * 1.45 + 3.0,
            Self::Between(_, most) => most,
        }
    }
}
