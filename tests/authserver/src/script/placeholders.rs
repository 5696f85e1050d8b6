//! `{device_code}` and friends in the texts of a script.

use serde_json::Value;

/// Gives the value of a placeholder, made when it is first asked for.
pub(crate) trait Placeholders {
    fn value(&mut self, name: &str) -> Option<String>;
}

/// Replaces the placeholders in a text; other braces stay.
pub(crate) fn fill(text: &str, values: &mut dyn Placeholders) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = after.split_once('}').filter(|(name, _)| is_name(name));
        match known.and_then(|(name, tail)| values.value(name).map(|value| (value, tail))) {
            Some((value, tail)) => {
                filled.push_str(&value);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:-".contains(&byte))
}

/// Replaces them in every text of a JSON value.
pub(crate) fn fill_json(value: &mut Value, values: &mut dyn Placeholders) {
    match value {
        Value::String(text) if text.contains('{') => *text = fill(text, values),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_json(item, values)),
        Value::Object(members) => members.values_mut().for_each(|member| fill_json(member, values)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Placeholders for Fixed {
        fn value(&mut self, name: &str) -> Option<String> {
            (name == "origin").then(|| "http://h".to_owned())
        }
    }

    #[test]
    fn only_known_names_are_replaced() {
        let fill = |text| fill(text, &mut Fixed);
        assert_eq!(fill("{origin}/a{origin}"), "http://h/ahttp://h");
        assert_eq!(fill(r#"{"a":{origin}}"#), r#"{"a":http://h}"#);
        assert_eq!(fill("{unknown}{"), "{unknown}{");
    }
}
