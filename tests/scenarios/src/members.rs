//! A JSON object that keeps the order of its members.
//!
//! The output format of the example tool fixes the order of the keys, but `serde_json` sorts them by default.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// One JSON object: its members in the original order, with duplicates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// Parses one object; anything else, and anything after it, is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the text of a member that is a string.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Returns the object as a `Value`, for matching.
    pub(crate) fn to_value(&self) -> Value {
        Value::Object(self.0.iter().cloned().collect::<Map<_, _>>())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_keys_is_kept() {
        let members = Members::parse(r#"{"z":1,"a":2,"m":null}"#).unwrap();
        assert_eq!(members.keys().collect::<Vec<_>>(), ["z", "a", "m"]);
        assert_eq!(members.get("m"), Some(&Value::Null));
        assert_eq!(members.get("q"), None);
    }

    #[test]
    fn anything_but_a_single_object_is_rejected() {
        for text in ["[]", "1", "null", "{} {}", "{", ""] {
            assert!(Members::parse(text).is_err(), "{text}");
        }
    }
}
