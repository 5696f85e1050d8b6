//! Reads the case files and expands each variant into a case.
//!
//! A case with `"each": {"SUFFIX": {"name": value}}` stands for one case per suffix, with the id `ID-SUFFIX`. The
//! string `<name>` is replaced by the value; inside a longer string or a key, `<name>` is replaced by its text.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What has an id of its own.
pub(crate) trait Named: DeserializeOwned {
    fn id(&self) -> &str;
}

/// Loads the cases of all `*.json` files of a directory. Their ids must be unique.
pub(crate) fn load<T: Named>(folder: &Path) -> Result<Vec<T>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut cases: Vec<T> = Vec::new();
    for path in paths {
        let place = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| place(&error))?;
        let entries: Vec<Map<String, Value>> = serde_json::from_str(&text).map_err(|error| place(&error))?;
        for entry in entries {
            let id = entry.get("id").and_then(Value::as_str).unwrap_or("a case without id").to_owned();
            let made = expand(entry).map_err(|error| place(&format!("{id}: {error}")))?;
            cases.extend(made);
        }
    }
    let mut seen = BTreeSet::new();
    match cases.iter().find(|case| !seen.insert(case.id().to_owned())) {
        Some(twice) => Err(format!("two cases have the id {}", twice.id())),
        None => Ok(cases),
    }
}

/// Returns the cases that one entry of a file stands for.
pub(crate) fn expand<T: Named>(mut entry: Map<String, Value>) -> Result<Vec<T>, String> {
    let variants = match entry.remove("each") {
        None => vec![(String::new(), Map::new())],
        Some(Value::Object(each)) => each
            .into_iter()
            .map(|(suffix, names)| match names {
                Value::Object(names) => Ok((format!("-{suffix}"), names)),
                _ => Err(format!("each.{suffix} is not an object")),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("each is not an object".to_owned()),
    };
    let template = Value::Object(entry);
    variants
        .into_iter()
        .map(|(suffix, names)| {
            let mut value = substitute(&template, &names);
            if let Some(Value::String(id)) = value.get_mut("id") {
                id.push_str(&suffix);
            }
            serde_json::from_value(value).map_err(|error| error.to_string())
        })
        .collect()
}

fn substitute(value: &Value, names: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            match whole.and_then(|name| names.get(name)) {
                Some(value) => value.clone(),
                None => Value::String(in_text(text, names)),
            }
        }
        Value::Array(items) => items.iter().map(|item| substitute(item, names)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, inner)| (in_text(key, names), substitute(inner, names))).collect()
        }
        other => other.clone(),
    }
}

fn in_text(text: &str, names: &Map<String, Value>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("<{name}>"), &shown)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::case::Case;

    fn entry(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_entry_without_variants_is_one_case() {
        let cases: Vec<Case> =
            expand(entry(json!({"id": "a", "proves": ["X"], "about": "A.", "expect": {"exit": 0}}))).unwrap();
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].id, "a");
        assert!(cases[0].json);
    }

    #[test]
    fn variants_replace_values_text_and_keys() {
        let cases: Vec<Case> = expand(entry(json!({
            "id": "a", "proves": [], "about": "The <what>.", "expect": {"exit": "<exit>"},
            "server": {"script": {"device": [{"merge": {"<what>": "<value>"}, "body": "<html>"}]}},
            "each": {"one": {"what": "x", "value": null, "exit": 3}, "two": {"what": "y", "value": [1], "exit": 4}}
        })))
        .unwrap();
        assert_eq!(cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["a-one", "a-two"]);
        assert_eq!(cases[0].about, "The x.");
        assert_eq!(cases[1].server["script"], json!({"device": [{"merge": {"y": [1]}, "body": "<html>"}]}));
        assert!(cases[1].expect.exit.has(4));
    }

    #[test]
    fn unknown_members_are_rejected() {
        let wrong = json!({"id": "a", "proves": [], "about": "", "expect": {"exit": 0}, "evnets": []});
        assert!(expand::<Case>(entry(wrong)).unwrap_err().contains("evnets"));
        let wrong = json!({"id": "a", "proves": [], "about": "", "expect": {"exit": 0, "gap": []}});
        assert!(expand::<Case>(entry(wrong)).unwrap_err().contains("gap"));
    }

    #[test]
    fn the_case_files_are_valid() {
        let cases: Vec<Case> = load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"))).unwrap();
        assert!(cases.len() > 100, "{}", cases.len());
        for case in &cases {
            assert!(!case.proves.is_empty(), "{} proves nothing", case.id);
            assert!(
                case.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                case.id
            );
        }
    }
}
