//! Which case proves which requirement, and which requirements are open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::case::Case;

/// The requirements that a case may name, and those that are open or proved elsewhere, with the reason.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    ids: BTreeSet<String>,
    open: BTreeMap<String, String>,
    /// Requirements that the example tool cannot demonstrate, with where they are proved.
    elsewhere: BTreeMap<String, String>,
}

/// One line of `requirements.json`; `group` and `text` are for the conformance table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    #[serde(rename = "group")]
    _group: String,
    #[serde(rename = "text")]
    _text: String,
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

impl Requirements {
    /// Reads `requirements.json`, and `open.json` and `elsewhere.json`, which map ids to reasons.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let all: Vec<Requirement> = read(&folder.join("requirements.json"))?;
        Ok(Self {
            ids: all.into_iter().map(|requirement| requirement.id).collect(),
            open: read(&folder.join("open.json"))?,
            elsewhere: read(&folder.join("elsewhere.json"))?,
        })
    }

    /// Returns the inconsistencies: unknown ids, ids with several states, and ids with none.
    pub(crate) fn mistakes(&self, cases: &[Case]) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut proved = BTreeSet::new();
        for case in cases {
            for id in &case.proves {
                proved.insert(id.as_str());
                if !self.ids.contains(id) {
                    mistakes.push(format!("{} proves the unknown requirement {id}", case.id));
                }
            }
        }
        for id in &self.ids {
            let said =
                [proved.contains(id.as_str()), self.open.contains_key(id), self.elsewhere.contains_key(id)];
            match said.iter().filter(|yes| **yes).count() {
                0 => mistakes
                    .push(format!("{id} must be proved, open or proved elsewhere, but is none of them")),
                1 => {}
                _ => mistakes.push(format!("{id} must be only one of: proved, open, proved elsewhere")),
            }
        }
        let named = self.open.keys().chain(self.elsewhere.keys());
        let unknown = named.filter(|id| !self.ids.contains(*id));
        mistakes.extend(unknown.map(|id| format!("{id} has a reason but is not in requirements.json")));
        mistakes
    }

    /// Returns the proved requirements with the cases that prove them.
    pub(crate) fn proofs(cases: &[Case]) -> BTreeMap<&str, Vec<&str>> {
        let mut proofs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for case in cases {
            for id in &case.proves {
                proofs.entry(id).or_default().push(&case.id);
            }
        }
        proofs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variants;
    use serde_json::json;

    fn folder() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn every_requirement_is_proved_open_or_proved_elsewhere() {
        let cases: Vec<Case> = variants::load(&folder().join("cases")).unwrap();
        let mistakes = Requirements::load(folder()).unwrap().mistakes(&cases);
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    }

    #[test]
    fn inconsistencies_are_found() {
        let entry = json!({"id": "a", "proves": ["X", "Y"], "about": "", "expect": {"exit": 0}});
        let cases: Vec<Case> = variants::expand(entry.as_object().unwrap().clone()).unwrap();
        let map = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), String::new())).collect();
        let requirements = |ids: &[&str], open: &[&str], elsewhere: &[&str]| Requirements {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            open: map(open),
            elsewhere: map(elsewhere),
        };
        let count = |requirements: Requirements| requirements.mistakes(&cases).len();
        assert_eq!(count(requirements(&["X", "Y", "Z", "E"], &["Z"], &["E"])), 0);
        assert_eq!(count(requirements(&["X"], &[], &[])), 1, "a case proves an unknown requirement");
        assert_eq!(count(requirements(&["X", "Y", "Z"], &[], &[])), 1, "neither proved nor open");
        assert_eq!(count(requirements(&["X", "Y"], &["X"], &[])), 1, "both proved and open");
        assert_eq!(
            count(requirements(&["X", "Y", "Z"], &["Z"], &["Z"])),
            1,
            "both open and proved elsewhere"
        );
        assert_eq!(count(requirements(&["X", "Y"], &["Q"], &["E"])), 2, "reasons for unknown ids");
    }

    #[test]
    fn the_list_names_the_cases() {
        let entry = json!({"id": "a", "proves": ["X", "Y"], "about": "", "expect": {"exit": 0}, "each": {"1": {}, "2": {}}});
        let cases: Vec<Case> = variants::expand(entry.as_object().unwrap().clone()).unwrap();
        let proofs = Requirements::proofs(&cases);
        assert_eq!(json!(proofs), json!({"X": ["a-1", "a-2"], "Y": ["a-1", "a-2"]}));
    }
}
