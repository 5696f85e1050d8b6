//! The data of a case: what is set up, what happens, what must be seen.
//!
//! `README.md` explains the members for people who write cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::peers::Manner;

/// One behaviour scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    /// Requirement ids that this case proves.
    pub(crate) proves: Vec<String>,
    /// One sentence.
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) login: Login,
    #[serde(default = "yes")]
    pub(crate) json: bool,
    /// Added after the arguments that `login` makes.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Environment variables; null takes one away.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Option<String>>,
    /// Settings of the virtual server, as the authserver's control interface takes them. Unless they say otherwise the
    /// interval is 1 s and the person approves at once.
    #[serde(default)]
    pub(crate) server: Map<String, Value>,
    /// Settings of a second virtual server, `{second_url}`; its requests are not looked at.
    #[serde(default)]
    pub(crate) second: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) peers: BTreeMap<String, Manner>,
    /// Files to write beside the login, by name.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Standard input and standard error are a terminal.
    #[serde(default)]
    pub(crate) terminal: bool,
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
    /// Seconds that the case usually takes, so that long ones are started first.
    #[serde(default = "usual_time")]
    pub(crate) takes: f64,
    pub(crate) expect: Expect,
}

fn yes() -> bool {
    true
}

fn usual_time() -> f64 {
    4.0
}

/// Which arguments the runner makes by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Login {
    #[default]
    Endpoints,
    Authkit,
    Connect,
    Oidc,
    /// None at all: the case gives every argument.
    Custom,
}

/// Something that happens while the tool runs, once, in the order of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) when: When,
    /// Seconds to wait after that.
    #[serde(default)]
    pub(crate) wait: f64,
    #[serde(rename = "do")]
    pub(crate) deed: Deed,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum When {
    Start,
    /// The prompt is out: its event, or the first words on standard error.
    Prompt,
    /// An event of this name is out.
    Event(String),
    /// So many requests have arrived at this endpoint.
    Requests {
        endpoint: String,
        count: u32,
    },
    /// A connection has been made to this peer.
    Peer(String),
    /// The action before this one is done.
    Then,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    Signal(SignalName),
    /// A decision, as the authserver's control interface takes it.
    Answer(Value),
    /// The reader of standard output goes away.
    CloseStdout,
    /// The virtual server stops or starts listening.
    Listening(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SignalName {
    Int,
    Term,
    Stop,
    Cont,
}

impl SignalName {
    /// Whether the tool is asked to end.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Int | Self::Term)
    }
}

/// What must be seen. What is not named here is free, apart from the checks that every case goes through.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) exit: OneOrMany,
    /// Pattern for the final `error` event.
    #[serde(default)]
    pub(crate) error: Option<Value>,
    /// Patterns that match events in this order; other events may lie between.
    #[serde(default)]
    pub(crate) events: Vec<Value>,
    /// How many events of a name there are.
    #[serde(default)]
    pub(crate) count: BTreeMap<String, Bounds>,
    /// Requests by endpoint name; `other_origin` counts the requests to the second origin.
    #[serde(default)]
    pub(crate) requests: BTreeMap<String, Bounds>,
    /// Requests by `METHOD path`.
    #[serde(default)]
    pub(crate) paths: BTreeMap<String, Bounds>,
    /// Connections made to the virtual server, both origins.
    #[serde(default)]
    pub(crate) connections: Option<Bounds>,
    /// Seconds from the end of one answer to the arrival of the next poll; the first counts from the device answer.
    #[serde(default)]
    pub(crate) gaps: Vec<Gap>,
    /// The exact decoded form of every request to an endpoint.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, Vec<(String, String)>>,
    /// Headers of every request to an endpoint; null is absent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// The query of every request to an endpoint.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    /// Seconds from start to exit, at least and at most.
    #[serde(default)]
    pub(crate) elapsed: Option<(f64, f64)>,
    /// Seconds from the last ending signal to exit, at most.
    #[serde(default)]
    pub(crate) ends_within: Option<f64>,
    /// What the server may complain about; anything else that it calls a violation is a fault.
    #[serde(default)]
    pub(crate) violations: Vec<String>,
    /// First lines that came to a peer. A peer that is not named here was not reached.
    #[serde(default)]
    pub(crate) peers: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    pub(crate) stdout: Text,
    #[serde(default)]
    pub(crate) stderr: Text,
    /// The commands with which a browser was opened; none unless named.
    #[serde(default)]
    pub(crate) opened: Vec<Vec<String>>,
    /// A terminal too gets no escape sequence.
    #[serde(default)]
    pub(crate) plain: bool,
    /// Bytes on standard error, at most.
    #[serde(default)]
    pub(crate) max_stderr: Option<usize>,
    /// Files beside the login that must not come to be.
    #[serde(default)]
    pub(crate) absent_files: Vec<String>,
    /// Peak resident memory of the tool, MB.
    #[serde(default)]
    pub(crate) max_rss_mb: Option<u64>,
}

/// What a stream holds.
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

/// A number, or at least and at most.
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

/// Seconds: the least alone, or the least and the most.
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

    /// The upper side is generous: a busy machine is no defect of the tool, and a guard may have grown to 40 %.
    pub(crate) fn most(self) -> f64 {
        match self {
            Self::AtLeast(least) => least * 1.45 + 3.0,
            Self::Between(_, most) => most,
        }
    }
}
