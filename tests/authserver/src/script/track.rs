//! Which step answers which call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{ConnectionStep, Step};

const ENDPOINTS: [&str; 13] = [
    "device",
    "token",
    "refresh",
    "revoke",
    "introspection",
    "userinfo",
    "jwks",
    "discovery_oauth",
    "discovery_oidc",
    "page",
    "logout",
    "other",
    "any",
];

/// A whole script. Cloning it starts it from the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    endpoints: BTreeMap<String, Track<Step>>,
    connections: Option<Track<ConnectionStep>>,
}

/// The step for one call.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen<'a, T> {
    /// Its place in the list, from 0.
    pub(crate) index: usize,
    pub(crate) step: &'a T,
}

impl Script {
    /// Counts a call and gives its step; None is real behaviour.
    pub(crate) fn next(&self, path: &str, endpoint: &str) -> Option<Chosen<'_, Step>> {
        let named = self.endpoints.get(path).or_else(|| self.endpoints.get(endpoint));
        named.or_else(|| self.endpoints.get("any"))?.next()
    }

    /// Counts a connection.
    pub(crate) fn next_connection(&self) -> ConnectionStep {
        let chosen = self.connections.as_ref().and_then(Track::next);
        chosen.map_or(ConnectionStep::Real, |chosen| *chosen.step)
    }
}

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Script, D::Error> {
        let mut script = Script::default();
        for (name, value) in BTreeMap::<String, Value>::deserialize(input)? {
            let told = |error| D::Error::custom(format!("script, {name}: {error}"));
            if name == "connection" {
                let read = |step| serde_json::from_value(step).map_err(|error| error.to_string());
                script.connections = Some(Track::read(value, read, |_| 1).map_err(told)?);
            } else if name.starts_with('/') || ENDPOINTS.contains(&name.as_str()) {
                let track = Track::read(value, Step::read, |step| step.times.unwrap_or(1)).map_err(told)?;
                script.endpoints.insert(name, track);
            } else {
                return Err(D::Error::custom(format!("script: there is no endpoint {name}")));
            }
        }
        Ok(script)
    }
}

/// A list of steps and how far it has been played.
#[derive(Debug)]
struct Track<T> {
    steps: Vec<T>,
    /// For each step how many calls it and those before it answer.
    ends: Vec<usize>,
    then: Then,
    calls: AtomicUsize,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    #[default]
    Real,
    Repeat,
    Loop,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongForm {
    steps: Vec<Value>,
    #[serde(default)]
    then: Then,
}

impl<T> Track<T> {
    fn read(
        value: Value,
        read: impl Fn(Value) -> Result<T, String>,
        times: impl Fn(&T) -> usize,
    ) -> Result<Track<T>, String> {
        let list = match value {
            Value::Array(steps) => LongForm { steps, then: Then::Real },
            object => serde_json::from_value(object).map_err(|error| error.to_string())?,
        };
        let mut track =
            Track { steps: Vec::new(), ends: Vec::new(), then: list.then, calls: AtomicUsize::new(0) };
        for (index, value) in list.steps.into_iter().enumerate() {
            let step = read(value).map_err(|error| format!("step {index}: {error}"))?;
            track.ends.push(track.length().saturating_add(times(&step)));
            track.steps.push(step);
        }
        Ok(track)
    }

    /// How many calls the list answers.
    fn length(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn next(&self) -> Option<Chosen<'_, T>> {
        let mut call = self.calls.fetch_add(1, Ordering::Relaxed);
        let length = self.length();
        if call >= length {
            call = match self.then {
                Then::Real => return None,
                Then::Repeat => length.checked_sub(1)?,
                Then::Loop => call.checked_rem(length)?,
            };
        }
        let index = self.ends.partition_point(|end| *end <= call);
        self.steps.get(index).map(|step| Chosen { index, step })
    }
}

impl<T: Clone> Clone for Track<T> {
    fn clone(&self) -> Track<T> {
        let calls = AtomicUsize::new(0);
        Track { steps: self.steps.clone(), ends: self.ends.clone(), then: self.then, calls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        serde_json::from_str(text).unwrap()
    }

    fn indices(script: &Script, endpoint: &str, calls: usize) -> Vec<Option<usize>> {
        (0..calls).map(|_| script.next("/x", endpoint).map(|chosen| chosen.index)).collect()
    }

    #[test]
    fn a_list_is_played_once_and_then_reality_follows() {
        let script = script(r#"{"token":["authorization_pending",{"status":502,"times":2}]}"#);
        assert_eq!(indices(&script, "token", 4), [Some(0), Some(1), Some(1), None]);
        assert_eq!(indices(&script, "device", 1), [None]);
    }

    #[test]
    fn a_list_can_repeat_its_end_or_begin_again() {
        let repeat = script(r#"{"token":{"steps":["a","b"],"then":"repeat"}}"#);
        assert_eq!(indices(&repeat, "token", 4), [Some(0), Some(1), Some(1), Some(1)]);
        let again = script(r#"{"token":{"steps":["a","b"],"then":"loop"}}"#);
        assert_eq!(indices(&again, "token", 4), [Some(0), Some(1), Some(0), Some(1)]);
        let empty = script(r#"{"token":{"steps":[],"then":"loop"}}"#);
        assert_eq!(indices(&empty, "token", 1), [None]);
        let never = script(r#"{"token":{"steps":["a",{"error":"b","times":0}],"then":"repeat"}}"#);
        assert_eq!(indices(&never, "token", 3), [Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn a_large_number_of_times_needs_no_memory() {
        let most = format!(r#"{{"error":"a","times":{}}}"#, usize::MAX);
        let script = script(&format!(r#"{{"token":{{"steps":[{most},{most},"b"],"then":"loop"}}}}"#));
        assert_eq!(indices(&script, "token", 2), [Some(0), Some(0)]);
    }

    #[test]
    fn a_path_goes_before_a_name_and_any_takes_the_rest() {
        let script = script(r#"{"/x":["a"],"token":["b","c"],"any":["d"]}"#);
        let word =
            |path, endpoint| script.next(path, endpoint).map(|chosen| chosen.step.error.clone().unwrap());
        assert_eq!(word("/x", "token").as_deref(), Some("a"));
        assert_eq!(word("/y", "token").as_deref(), Some("b"));
        assert_eq!(word("/y", "jwks").as_deref(), Some("d"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let wrong = |text| serde_json::from_str::<Script>(text).unwrap_err().to_string();
        assert!(wrong(r#"{"tokens":[]}"#).contains("tokens"));
        let step = wrong(r#"{"token":["real",{"stauts":1}]}"#);
        assert!(step.contains("token: step 1") && step.contains("stauts"), "{step}");
        assert!(wrong(r#"{"token":[{"body":"a","json":1}]}"#).contains("exclude"));
    }
}
