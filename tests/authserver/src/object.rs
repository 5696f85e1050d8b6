//! JSON objects that are built step by step.

use serde_json::{Map, Value};

pub(crate) type Object = Map<String, Value>;

/// The members of a value that was written as an object.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Sets one member.
pub(crate) fn put(object: &mut Object, name: &str, value: impl Into<Value>) {
    object.insert(name.to_owned(), value.into());
}
