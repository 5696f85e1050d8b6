//! The requirements, `tests/scenarios/requirements.json`, and those that are open, `open.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::proofs::Proofs;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) id: String,
    /// The document that the requirement is from.
    pub(super) group: String,
    /// A short description of what the client must do.
    pub(super) text: String,
    /// Why the requirement is not proved yet.
    pub(super) open: Option<String>,
}

/// Returns all requirements in the order of their file.
pub(super) fn read(root: &Path) -> anyhow::Result<Vec<Requirement>> {
    let folder = root.join("tests").join("scenarios");
    list(&json(&folder.join("requirements.json"))?, &json(&folder.join("open.json"))?)
}

fn json(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// Parses `[{"id", "group", "text"}, ...]` and `{ID: reason, ...}`.
fn list(requirements: &Value, open: &Value) -> anyhow::Result<Vec<Requirement>> {
    let mut open = open.as_object().context("open.json is not an object")?.clone();
    let mut all = Vec::new();
    for item in requirements.as_array().context("requirements.json is not a list")? {
        let text = |member: &str| {
            let found = item.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
            found.map(str::to_owned).with_context(|| format!("a requirement has no {member}: {item}"))
        };
        let id = text("id")?;
        let reason = open.remove(&id).map(|reason| reason.as_str().unwrap_or_default().to_owned());
        all.push(Requirement { open: reason, id, group: text("group")?, text: text("text")? });
    }
    let unknown: Vec<_> = open.keys().map(String::as_str).collect();
    ensure!(
        unknown.is_empty(),
        "open.json has ids that are not in requirements.json: {}",
        unknown.join(", ")
    );
    Ok(all)
}

/// Returns the inconsistencies, one sentence each.
pub(super) fn faults(requirements: &[Requirement], proofs: &Proofs) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for requirement in requirements {
        let id = &requirement.id;
        if !seen.insert(id) {
            faults.push(format!("{id} is listed twice"));
        }
        match (proofs.contains_key(id), &requirement.open) {
            (true, Some(_)) => faults.push(format!("{id} is proved, so it must not be open")),
            (false, None) => faults.push(format!("{id} is neither proved nor open")),
            _ => {}
        }
    }
    for (id, tests) in proofs {
        if !seen.contains(id) {
            faults.push(format!("{id} is not a requirement but is marked by {}", tests.join(", ")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn requirement(id: &str, open: bool) -> Requirement {
        let reason = open.then(|| "later".to_owned());
        Requirement { id: id.to_owned(), group: "RFC 1".to_owned(), text: "do it".to_owned(), open: reason }
    }

    #[test]
    fn the_lists_are_joined_by_id() {
        let requirements = json!([
            {"id": "A-1", "group": "RFC 1", "text": "do it"},
            {"id": "A-2", "group": "RFC 1", "text": "do it"},
        ]);
        let both = [requirement("A-1", false), requirement("A-2", true)];
        assert_eq!(list(&requirements, &json!({"A-2": "later"})).unwrap(), both);
        assert!(list(&requirements, &json!({"A-3": "later"})).is_err());
        assert!(list(&json!([{"id": "A-1", "group": "RFC 1", "text": ""}]), &json!({})).is_err());
    }

    #[test]
    fn every_requirement_is_proved_or_open_and_not_both() {
        let proofs =
            |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), vec!["a test".to_owned()])).collect();
        let (closed, open) = ([requirement("A-1", false)], [requirement("A-1", true)]);
        assert_eq!(faults(&closed, &proofs(&["A-1"])), [""; 0]);
        assert_eq!(faults(&open, &proofs(&[])), [""; 0]);
        assert_eq!(faults(&closed, &proofs(&[])), ["A-1 is neither proved nor open"]);
        assert_eq!(faults(&open, &proofs(&["A-1"])), ["A-1 is proved, so it must not be open"]);
        assert_eq!(faults(&[], &proofs(&["A-9"])), ["A-9 is not a requirement but is marked by a test"]);
    }
}
