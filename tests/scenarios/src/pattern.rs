//! Matches a JSON value against a pattern written in JSON.
//!
//! An object matches if each member of the pattern matches; members that the pattern does not name are ignored. Arrays
//! match element by element. An object whose keys all start with `$` is a set of conditions:
//!
//! | condition | holds when the value |
//! | --- | --- |
//! | `"$between": [a, b]` | is a number, a <= value <= b |
//! | `"$one_of": [..]` | matches one of the patterns |
//! | `"$contains": ".."` or `[..]` | is a string that contains each text, ignoring case |
//! | `"$lacks": ".."` or `[..]` | is a string that contains none of the texts, ignoring case |
//! | `"$shorter_than": n` | is a string of fewer than n characters |
//! | `"$given": true` | is present and not null |

use serde_json::Value;

/// Returns why `seen` does not match `pattern`, or `None` if it does.
pub(crate) fn mismatch(pattern: &Value, seen: &Value) -> Option<String> {
    match (pattern, seen) {
        (Value::Object(wanted), _) if is_condition_set(pattern) => {
            wanted.iter().find_map(|(name, operand)| broken_condition(name, operand, seen))
        }
        (Value::Object(wanted), Value::Object(members)) => wanted.iter().find_map(|(key, inner)| {
            let why = match members.get(key) {
                Some(value) => mismatch(inner, value)?,
                None => "is missing".to_owned(),
            };
            Some(format!("{key}: {why}"))
        }),
        (Value::Array(wanted), Value::Array(items)) => {
            if wanted.len() != items.len() {
                return Some(format!("{} elements expected, {} seen", wanted.len(), items.len()));
            }
            wanted.iter().zip(items).find_map(|(inner, item)| mismatch(inner, item))
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        _ if pattern == seen => None,
        _ => Some(format!("{pattern} expected, {seen} seen")),
    }
}

fn is_condition_set(pattern: &Value) -> bool {
    pattern.as_object().is_some_and(|map| !map.is_empty() && map.keys().all(|key| key.starts_with('$')))
}

fn broken_condition(name: &str, operand: &Value, seen: &Value) -> Option<String> {
    let holds = match name {
        "$between" => between(operand, seen),
        "$one_of" => operand.as_array().is_some_and(|any| any.iter().any(|p| mismatch(p, seen).is_none())),
        "$contains" => text_test(operand, seen, |text, part| text.contains(part)),
        "$lacks" => text_test(operand, seen, |text, part| !text.contains(part)),
        "$shorter_than" => operand.as_u64().zip(seen.as_str()).is_some_and(|(limit, text)| {
            u64::try_from(text.chars().count()).is_ok_and(|count| count < limit)
        }),
        "$given" => !seen.is_null(),
        _ => return Some(format!("the pattern has an unknown condition {name}")),
    };
    (!holds).then(|| format!("{name} {operand} expected, {seen} seen"))
}

fn between(operand: &Value, seen: &Value) -> bool {
    let bound = |index: usize| operand.get(index).and_then(Value::as_f64);
    match (bound(0), bound(1), seen.as_f64()) {
        (Some(low), Some(high), Some(number)) => low <= number && number <= high,
        _ => false,
    }
}

fn text_test(operand: &Value, seen: &Value, holds: impl Fn(&str, &str) -> bool) -> bool {
    let parts: Vec<String> = match operand {
        Value::String(one) => vec![one.to_lowercase()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
        _ => return false,
    };
    seen.as_str().map(str::to_lowercase).is_some_and(|text| parts.iter().all(|part| holds(&text, part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: Value, seen: Value) -> bool {
        mismatch(&pattern, &seen).is_none()
    }

    #[test]
    fn objects_match_by_the_members_of_the_pattern() {
        assert!(matches(json!({"a": 1}), json!({"a": 1.0, "b": 2})));
        assert!(!matches(json!({"a": 1}), json!({"a": 2})));
        assert!(!matches(json!({"a": null}), json!({"b": 2})));
        assert!(!matches(json!({"a": 1}), json!([1])));
    }

    #[test]
    fn arrays_match_element_by_element() {
        assert!(matches(json!([1, {"a": 2}]), json!([1, {"a": 2, "b": 3}])));
        assert!(!matches(json!([1]), json!([1, 2])));
        assert!(!matches(json!([1, 2]), json!([2, 1])));
    }

    #[test]
    fn conditions_can_fail() {
        assert!(matches(json!({"$between": [1, 2]}), json!(1.5)));
        assert!(!matches(json!({"$between": [1, 2]}), json!(2.1)));
        assert!(!matches(json!({"$between": [1, 2]}), json!("1")));
        assert!(matches(json!({"$one_of": [1, "x"]}), json!("x")));
        assert!(!matches(json!({"$one_of": [1, "x"]}), json!("y")));
        assert!(matches(json!({"$contains": ["GREY", "cat"]}), json!("a grey Cat")));
        assert!(!matches(json!({"$contains": ["grey", "dog"]}), json!("a grey cat")));
        assert!(!matches(json!({"$contains": "grey"}), json!(null)));
        assert!(matches(json!({"$lacks": "dog"}), json!("a grey cat")));
        assert!(!matches(json!({"$lacks": ["dog", "cat"]}), json!("a grey cat")));
        assert!(matches(json!({"$shorter_than": 3}), json!("äb")));
        assert!(!matches(json!({"$shorter_than": 3}), json!("abc")));
        assert!(!matches(json!({"$shorter_than": 3}), json!(1)));
        assert!(matches(json!({"$given": true}), json!(0)));
        assert!(!matches(json!({"$given": true}), json!(null)));
        assert!(!matches(json!({"$near": 1}), json!(1)));
    }

    #[test]
    fn all_conditions_must_hold() {
        let pattern = json!({"$contains": "a", "$lacks": "b"});
        assert!(matches(pattern.clone(), json!("ac")));
        assert!(!matches(pattern, json!("ab")));
    }
}
