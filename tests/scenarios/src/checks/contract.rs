//! The JSON objects that a tool prints: their keys, the order of the keys, and the types of the values.

use serde_json::Value;

use super::Fault;
use crate::members::Members;

/// The name of the object that `token` prints, which is no event.
const TOKEN: &str = "token";

/// The type of a member of an event.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    TextOrNull,
    Number,
    NumberOrNull,
    Count,
    StatusOrNull,
    Bool,
    BoolOrNull,
    TextsOrNull,
    OrganizationsOrNull,
    Reason,
    Failure,
    SavedOrNull,
    State,
}

const ERROR_KINDS: &[&str] = &[
    "denied",
    "expired",
    "cancelled",
    "action_required",
    "login_required",
    "rejected",
    "unsupported",
    "network",
    "tls",
    "proxy",
    "invalid_response",
    "invalid_config",
    "forked",
    "busy",
    "internal",
    "misuse",
    "store",
];

/// Returns the members of a line in the required order. Those of an event come after `event`.
fn contract(event: &str) -> Option<&'static [(&'static str, Kind)]> {
    use Kind::*;
    Some(match event {
        "prompt" => &[
            ("user_code", Text),
            ("verification_uri", Text),
            ("verification_uri_complete", TextOrNull),
            ("expires_in", NumberOrNull),
        ],
        "pending" => &[("next_poll_in", Number), ("expires_in", NumberOrNull)],
        "slowed_down" => &[("interval", Number)],
        "retrying" => &[("reason", Reason), ("attempt", Count), ("retry_in", Number)],
        "resumed" => &[("suspended_for", Number)],
        "identity_unverified" => &[("message", Text)],
        "authorized" => &[
            ("token_type", TextOrNull),
            ("expires_in", NumberOrNull),
            ("scope", TextsOrNull),
            ("has_refresh_token", Bool),
            ("has_id_token", Bool),
            ("subject", TextOrNull),
            ("saved", SavedOrNull),
        ],
        "user_changed" => &[("previous_subject", Text)],
        "not_saved" => &[("message", Text)],
        "begun" => &[],
        TOKEN => {
            &[("access_token", Text), ("token_type", Text), ("expires_in", NumberOrNull), ("refreshed", Bool)]
        }
        "status" => &[
            ("state", State),
            ("profile", Text),
            ("subject", TextOrNull),
            ("organization", TextOrNull),
            ("expires_in", NumberOrNull),
            ("protection", SavedOrNull),
            ("path", TextOrNull),
        ],
        "logged_out" => &[("removed", Bool), ("revoked", BoolOrNull)],
        "error" => &[
            ("kind", Failure),
            ("oauth_error", TextOrNull),
            ("message", Text),
            ("http_status", StatusOrNull),
            ("request_id", TextOrNull),
            ("organizations", OrganizationsOrNull),
            ("claims", TextOrNull),
        ],
        _ => return None,
    })
}

impl Kind {
    fn holds(self, value: &Value) -> bool {
        let number = value.as_f64().is_some_and(|number| number >= 0.0);
        match self {
            Self::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::TextOrNull => value.is_null() || value.is_string(),
            Self::Number => number,
            Self::NumberOrNull => value.is_null() || number,
            Self::Count => value.as_u64().is_some_and(|count| count > 0),
            Self::StatusOrNull => value.is_null() || value.as_u64().is_some_and(|n| (100..1000).contains(&n)),
            Self::Bool => value.is_boolean(),
            Self::BoolOrNull => value.is_null() || value.is_boolean(),
            Self::TextsOrNull => {
                value.is_null() || value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            }
            Self::OrganizationsOrNull => {
                value.is_null() || value.as_array().is_some_and(|items| items.iter().all(is_organization))
            }
            Self::Reason => value.as_str().is_some_and(|text| {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                !text.is_empty() && text.chars().all(plain)
            }),
            Self::SavedOrNull => {
                value.is_null() || value.as_str().is_some_and(|place| ["keyring", "file"].contains(&place))
            }
            Self::State => {
                value.as_str().is_some_and(|state| ["valid", "refreshable", "ended", "none"].contains(&state))
            }
            Self::Failure => value.as_str().is_some_and(|kind| ERROR_KINDS.contains(&kind)),
        }
    }
}

fn is_organization(value: &Value) -> bool {
    value.as_object().is_some_and(|members| {
        members.len() == 2
            && members.get("id").is_some_and(Value::is_string)
            && members.get("name").is_some_and(|name| name.is_string() || name.is_null())
    })
}

/// Returns what is wrong with a line.
pub(crate) fn fault(members: &Members) -> Option<Fault> {
    let event = members.text("event");
    let name = event.unwrap_or(TOKEN);
    let Some(contract) = contract(name) else {
        return Some(Fault::new("event", "a known event", members.to_value()));
    };
    let wanted: Vec<&str> =
        event.map(|_| "event").into_iter().chain(contract.iter().map(|(key, _)| *key)).collect();
    let keys: Vec<&str> = members.keys().collect();
    if wanted != keys {
        return Some(Fault::new(format!("keys of {name}"), wanted.join(","), keys.join(",")));
    }
    contract.iter().find_map(|(key, kind)| {
        let value = members.get(key)?;
        (!kind.holds(value)).then(|| Fault::new(format!("{name}.{key}"), format!("{kind:?}"), value))
    })
}
