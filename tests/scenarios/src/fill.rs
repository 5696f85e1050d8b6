//! Placeholders: `{name}` in the data of a case is replaced by the URL, port or path of the run.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values of one run, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Replaces known names and leaves other braces unchanged, because some belong to the authserver.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    pub(crate) fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, inner)| (key.clone(), self.json(inner))).collect()
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_names_are_replaced_everywhere() {
        let mut values = Values::default();
        values.set("url", "http://h");
        assert_eq!(values.text("{url}/a?{url}"), "http://h/a?http://h");
        assert_eq!(values.json(&json!([{"a": "{url}"}, 1])), json!([{"a": "http://h"}, 1]));
        assert_eq!(values.text("{device_code}{"), "{device_code}{");
    }
}
