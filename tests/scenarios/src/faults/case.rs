//! The cases, as data: `faults.json`.

use serde::Deserialize;
use serde_json::Value;

/// What is wrong with the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    FullDisk,
    ReadOnly,
    MountedRecord,
    /// The directory belongs to another user.
    ForeignDirectory,
    /// The directory and everything in it belongs to another user.
    ForeignHome,
    /// Another user runs the tool, in the same home directory.
    OtherUser,
    NoLocks,
    /// The same, and there is no other directory for locks.
    NoLocksAnywhere,
    /// The same, and locks do not work in that directory either.
    NoLocksAtAll,
    #[serde(rename = "umask_000")]
    Umask000,
    #[serde(rename = "umask_077")]
    Umask077,
    MuteBus,
    AbsentBus,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) about: String,
    /// The requirements that it proves.
    pub(crate) proves: Vec<String>,
    pub(crate) fault: Fault,
    pub(crate) runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Session {
    None,
    Fresh,
    /// In the last fifth of the lifetime.
    Early,
    Expired,
}

impl Session {
    /// Returns the lifetime of access tokens in seconds, and how long the run waits after the login.
    pub(crate) fn times(self) -> (u64, f64) {
        match self {
            Self::None | Self::Fresh => (300, 0.0),
            // Every process refreshes early from 3.75 s before the end.
            Self::Early => (25, 21.3),
            Self::Expired => (1, 1.1),
        }
    }
}

/// What becomes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    Same,
    New,
    Gone,
    Absent,
}

/// One command on such a machine, in a session that was made before.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) run: Word,
    pub(crate) session: Session,
    /// The option `--store` of a login.
    #[serde(default = "file")]
    pub(crate) store: String,
    pub(crate) exit: i32,
    /// A pattern for the last line of standard output.
    pub(crate) last: Value,
    /// Texts that are written somewhere.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// The number of refresh requests.
    #[serde(default)]
    pub(crate) sent: usize,
    /// The number of revocation requests.
    #[serde(default)]
    pub(crate) revoked: usize,
    record: Option<Fate>,
    /// The maximum duration in seconds.
    #[serde(default = "patience")]
    pub(crate) within: f64,
    /// Whether it connects to the session bus.
    #[serde(default)]
    pub(crate) asks_bus: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    Login,
    Token,
    Status,
    Logout,
}

impl Word {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Token => "token",
            Self::Status => "status",
            Self::Logout => "logout",
        }
    }
}

impl Run {
    pub(crate) fn record(&self) -> Fate {
        let usual = if self.session == Session::None { Fate::Absent } else { Fate::Same };
        self.record.unwrap_or(usual)
    }

    /// Whether the session is there afterwards.
    pub(crate) fn leaves_session(&self) -> bool {
        matches!(self.record(), Fate::Same | Fate::New)
    }
}

fn file() -> String {
    "file".to_owned()
}

fn patience() -> f64 {
    20.0
}

pub(crate) fn load() -> Result<Vec<Case>, String> {
    let cases = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/faults.json"));
    serde_json::from_str(cases).map_err(|error| format!("faults.json: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_cases_are_readable_and_have_names_of_their_own() {
        let cases = load().unwrap();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert!(
                case.about.ends_with('.') && !case.proves.is_empty() && !case.runs.is_empty(),
                "{}",
                case.id
            );
        }
    }

    #[test]
    fn every_case_but_of_the_umask_and_the_bus_tries_each_word() {
        for case in load().unwrap() {
            let words: BTreeSet<&str> = case.runs.iter().map(|run| run.run.as_str()).collect();
            if !case.id.ends_with("umask") && !case.id.ends_with("bus") {
                assert_eq!(words.len(), 4, "{}", case.id);
            }
        }
    }
}
