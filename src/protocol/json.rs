//! JSON in the response of an authorization server: one object, parsed strictly and kept as raw text.
//!
//! Members are kept as raw text and decoded on access. A member that is never read may therefore have any type, and any
//! size of number, without invalidating the response (RFC 6749 section 5.1).

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::Secret;

/// A JSON object without duplicate names. RFC 8259 section 4 leaves duplicates undefined: two readers of one response
/// could see two different tokens.
#[derive(Debug)]
pub(crate) struct Object<'a>(BTreeMap<String, &'a RawValue>);

/// A member that is present but not of the type that the standards require. Contains its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IllTyped(pub(crate) String);

impl<'a> Object<'a> {
    /// Parses a body, which must be one object in UTF-8 with nothing after it. A byte order mark is ignored, as RFC
    /// 8259 section 8.1 permits.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()
    }

    /// Returns a member's raw text. `null` counts as absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get()).filter(|text| *text != "null")
    }

    /// Returns a string member.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, IllTyped> {
        self.raw(name).map(|raw| serde_json::from_str(raw).map_err(|_| IllTyped(name.to_owned()))).transpose()
    }

    /// Returns a string member. A member of any other type counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.string(name).ok().flatten()
    }

    /// Returns a number in any notation of JSON, or in a decimal string, because some servers quote numbers. It may be
    /// infinite: `1e999` is valid JSON.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, IllTyped> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let unquoted: Option<String> = serde_json::from_str(raw).ok();
        let digits = unquoted.as_deref().unwrap_or(raw).trim();
        // Rust also parses "inf" and "NaN", which are not numbers in JSON.
        let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        match digits.parse::<f64>() {
            Ok(number) if is_number => Ok(Some(number)),
            _ => Err(IllTyped(name.to_owned())),
        }
    }

    /// Returns an integer that is not negative and has no fraction, exponent or quotes.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        self.raw(name)?.parse().ok()
    }

    /// Returns a truth value.
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.raw(name)?.parse().ok()
    }

    /// Returns the numbers of a list. Empty if the member is anything else.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default()
    }

    /// Returns a list of strings.
    pub(crate) fn strings(&self, name: &str) -> Option<Vec<String>> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// Returns the objects of a list. Each is parsed as strictly as the whole.
    pub(crate) fn objects(&self, name: &str) -> Option<Vec<Object<'a>>> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// Returns a member that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// Returns a number that is not quoted and not infinite.
    pub(crate) fn plain_number(&self, name: &str) -> Result<Option<f64>, IllTyped> {
        match self.number(name)? {
            Some(number) if number.is_finite() && self.string(name).is_err() => Ok(Some(number)),
            Some(_) => Err(IllTyped(name.to_owned())),
            None => Ok(None),
        }
    }

    /// Returns the objects of a list, without the entries that are none.
    pub(crate) fn objects_among(&self, name: &str) -> Option<Vec<Object<'a>>> {
        let entries: Vec<&'a RawValue> = serde_json::from_str(self.raw(name)?).ok()?;
        Some(entries.into_iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect())
    }

    /// Returns every member as a secret, because any may contain one.
    pub(crate) fn secrets(&self) -> BTreeMap<String, Secret> {
        self.members().map(|(name, raw)| (name.to_owned(), Secret::new(raw))).collect()
    }

    /// Returns every member with its raw text.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), raw.get()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = BTreeMap<String, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without duplicate names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("duplicate name"));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R6749-5.1-10, R8259-4-01, R8259-8.1-01, R8259-9-01, R8259-P-01, R6749-5.1-08, P5-24
    #[test]
    fn only_a_single_object_without_duplicates_is_accepted() {
        for bad in [
            &b"null"[..],
            b"[]",
            b"[\"tok\",60]",
            b"\"x\"",
            b"5",
            b"",
            b"{}x",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":1,\"\\u0061\":1}",
            b"\xff\xfe{\0}\0",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":",
        ] {
            assert!(Object::parse(bad).is_none(), "{:?}", String::from_utf8_lossy(bad));
        }
        let deep = format!("{{\"a\":{}1{},\"n\":1e999,\"s\":\"x\"}}", "[".repeat(2000), "]".repeat(2000));
        let with_bom = format!("\u{feff}{deep} \n");
        let object = Object::parse(with_bom.as_bytes()).unwrap();
        assert_eq!(object.string("s").unwrap().as_deref(), Some("x"));
        assert_eq!(object.members().count(), 3);
    }

    // proves: R8259-6-01, D-6, P5-13, P5-23
    #[test]
    fn numbers_of_any_notation_and_size_are_accepted() {
        let body =
            br#"{"a":1800,"b":1800.0,"c":1.8e3,"d":"1800","e":18446744073709551616,"f":1e999,"g":-1,"h":null,
            "i":"","j":true,"k":"abc","l":[1],"m":"NaN","n":"inf"}"#;
        let object = Object::parse(body).unwrap();
        for name in ["a", "b", "c", "d"] {
            assert_eq!(object.number(name), Ok(Some(1800.0)), "{name}");
        }
        assert_eq!(object.number("e"), Ok(Some(18_446_744_073_709_551_616.0)));
        assert_eq!(object.number("f"), Ok(Some(f64::INFINITY)));
        assert_eq!(object.number("g"), Ok(Some(-1.0)));
        assert_eq!(object.number("h"), Ok(None));
        assert_eq!(object.plain_number("c"), Ok(Some(1800.0)));
        assert_eq!(object.plain_number("h"), Ok(None));
        for name in ["d", "f", "j"] {
            assert_eq!(object.plain_number(name), Err(IllTyped(name.into())), "{name}");
        }
        for name in ["i", "j", "k", "l", "m", "n"] {
            assert_eq!(object.number(name), Err(IllTyped(name.into())), "{name}");
        }
    }

    #[test]
    fn integers_and_truth_values_are_read_in_their_plain_form_only() {
        let body = br#"{"a":18446744073709551615,"b":18446744073709551616,"c":1.0,"d":"1","e":-1,"f":true,"g":"true"}"#;
        let object = Object::parse(body).unwrap();
        assert_eq!(object.integer("a"), Some(u64::MAX));
        for name in ["b", "c", "d", "e", "f", "none"] {
            assert_eq!(object.integer(name), None, "{name}");
        }
        assert_eq!((object.boolean("f"), object.boolean("g"), object.boolean("a")), (Some(true), None, None));
    }

    #[test]
    fn only_json_strings_are_read_as_strings() {
        let object = Object::parse(br#"{"a":"x","b":5,"c":"\ud800","d":null}"#).unwrap();
        assert_eq!(object.string("a"), Ok(Some("x".into())));
        assert_eq!(object.string("b"), Err(IllTyped("b".into())));
        assert_eq!(object.string("c"), Err(IllTyped("c".into())));
        assert_eq!(object.string("d"), Ok(None));
        assert_eq!(object.string("e"), Ok(None));
        assert_eq!(object.text("b"), None);
    }

    #[test]
    fn lists_of_strings_and_objects_are_read() {
        let object =
            Object::parse(br#"{"s":["a","b"],"o":[{"id":"1"}],"m":{"id":"2"},"x":[{"id":1,"id":1}]}"#)
                .unwrap();
        assert_eq!(object.strings("s").unwrap(), ["a", "b"]);
        assert_eq!(object.strings("o"), None);
        assert_eq!(object.objects("o").unwrap()[0].text("id").unwrap(), "1");
        assert_eq!(object.object("m").unwrap().text("id").unwrap(), "2");
        assert!(object.objects("x").is_none());
        assert_eq!(object.objects_among("x").unwrap().len(), 0);
        assert_eq!(object.objects_among("o").unwrap().len(), 1);
        assert!(object.objects_among("m").is_none());
    }
}
