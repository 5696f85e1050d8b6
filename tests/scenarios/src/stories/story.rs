//! The data of a story: commands that share a home directory and a server. `README.md` documents the members.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::SignalName;
use crate::variants::Named;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Story {
    pub(crate) id: String,
    /// One sentence that describes the behaviour.
    pub(crate) about: String,
    /// The requirements that it proves.
    #[serde(default)]
    pub(crate) proves: Vec<String>,
    #[serde(default)]
    pub(crate) provider: Provider,
    /// Whether there is a session bus with an unlocked key store.
    #[serde(default)]
    pub(crate) keyring: bool,
    /// Settings of the server, in the format of its control interface.
    #[serde(default)]
    pub(crate) server: Map<String, Value>,
    pub(crate) steps: Vec<Step>,
}

impl Named for Story {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Story {
    /// Returns for how many seconds it waits, at least.
    pub(crate) fn waits(&self) -> f64 {
        let seconds = |step: &Step| match step {
            Step::Wait { wait } => *wait,
            Step::Run(run) => run.after,
            _ => 0.0,
        };
        self.steps.iter().map(seconds).sum()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    #[default]
    Endpoints,
    Authkit,
    Connect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, untagged)]
pub(crate) enum Step {
    Run(Box<Run>),
    /// The end of a command that was left running.
    Finish(Finish),
    /// What the server does from now on.
    Script {
        script: Value,
    },
    /// The user decides.
    Answer {
        answer: Value,
    },
    Listening {
        listening: bool,
    },
    /// Waits until a login with this store is saved: the key store takes a moment to start.
    Saved {
        saved: String,
    },
    /// Seconds.
    Wait {
        wait: f64,
    },
    File(Box<FileStep>),
}

/// One command, or several at the same time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// `login`, `token`, `status` or `logout`.
    pub(crate) run: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Variables; null removes one.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Option<String>>,
    #[serde(default = "yes")]
    pub(crate) json: bool,
    /// The number of processes.
    #[serde(default = "one")]
    pub(crate) times: usize,
    /// Something to do when the server has received so many requests of this command.
    pub(crate) when: Option<When>,
    /// Leaves the command running under this name, once the condition holds.
    pub(crate) leave: Option<String>,
    /// The exit status, or the negative number of the signal that ended it.
    pub(crate) exit: i32,
    /// A pattern for the last line of standard output.
    pub(crate) last: Option<Value>,
    /// The names of all events, without `pending`.
    pub(crate) events: Option<Vec<String>>,
    /// The whole standard output.
    pub(crate) stdout: Option<String>,
    /// Texts that are written on either stream.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// The whole of standard error is empty.
    #[serde(default)]
    pub(crate) quiet: bool,
    /// The number of requests to each endpoint. Those to `refresh` and `revoke` are 0 unless they are named.
    #[serde(default)]
    pub(crate) requests: BTreeMap<String, usize>,
    /// Patterns for the form of the last request to an endpoint.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, Value>,
    /// The number of processes that say that they have refreshed.
    pub(crate) refreshed: Option<usize>,
    /// Keeps the access token that was printed as `{NAME}`.
    pub(crate) keep: Option<String>,
    pub(crate) record: Option<Fate>,
    /// The maximum duration in seconds.
    #[serde(default = "patience")]
    pub(crate) within: f64,
    /// The minimum duration in seconds.
    #[serde(default)]
    pub(crate) after: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) endpoint: String,
    #[serde(default = "one")]
    pub(crate) count: usize,
    /// Seconds to wait after that.
    #[serde(default)]
    pub(crate) wait: f64,
    pub(crate) signal: Option<SignalName>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finish {
    pub(crate) finish: String,
    pub(crate) signal: Option<SignalName>,
}

/// What becomes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    Same,
    New,
    Absent,
}

/// Something done to a file, or a look at it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileStep {
    /// What follows the name of the record without `.json`, for example `.lock`. The record itself is `.json`.
    pub(crate) file: String,
    #[serde(rename = "do")]
    pub(crate) deed: Deed,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    Write(String),
    Append(String),
    /// Keeps so many bytes.
    Truncate(usize),
    /// Replaces a text in the header, and makes the checksum right again.
    EditHeader {
        from: String,
        to: String,
    },
    /// Octal.
    Mode(String),
    Remove,
    /// A directory in its place.
    Directory,
    /// Moves the file to this name in the home directory, and leaves a symbolic link.
    Link(String),
    /// Copies, or moves, the file to the name that ends like this.
    Copy(String),
    Move(String),
    /// The mode, `link` or `absent`.
    Is(String),
    /// The file contains the text, or does not.
    Contains(String),
    Lacks(String),
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn patience() -> f64 {
    20.0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::variants;

    #[test]
    fn the_stories_are_valid() {
        let stories: Vec<Story> =
            variants::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/stories"))).unwrap();
        for story in &stories {
            assert!(story.about.ends_with('.') && !story.steps.is_empty(), "{}", story.id);
        }
    }
}
