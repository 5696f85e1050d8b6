//! What RFC 6749 and RFC 8628 ask of a request, checked before anything else looks at it.

use serde_json::Value;

use super::{Endpoint, Flavor};
use crate::http::{Request, Response, request};

pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const FORM: &str = "application/x-www-form-urlencoded";

/// The longest text from outside that a code or a session keeps.
pub(crate) const LONGEST_KEPT: usize = 4096;

/// Codes and sessions keep these two.
fn is_too_long(name: &str, value: &str) -> bool {
    matches!(name, "client_id" | "scope") && value.len() > LONGEST_KEPT
}

/// The parameters of a request and the rules that it breaks.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) parameters: Vec<(String, String)>,
    /// Whether they came as a form.
    pub(crate) is_form: bool,
    pub(crate) violations: Vec<String>,
}

impl Checked {
    /// The value of a parameter; an empty one counts as absent, and one that is too long to be kept.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty() && !is_too_long(name, value))
    }

    fn broken(&mut self, rule: impl Into<String>) {
        self.violations.push(rule.into());
    }

    /// The answer to a request that breaks a rule.
    pub(crate) fn refusal(&self) -> Option<Response> {
        let first = self.violations.first()?;
        let rule = first.split(':').next().unwrap_or(first);
        Some(match rule {
            "method" => Response::oauth_error(405, "invalid_request", "wrong method").with("Allow", "POST"),
            "unsupported_grant_type" => Response::oauth_error(400, rule, "unsupported grant type"),
            _ => {
                Response::oauth_error(400, "invalid_request", &format!("the request breaks a rule: {first}"))
            }
        })
    }
}

/// Checks a request for an endpoint. Pages, keys and metadata only need the right method.
pub(crate) fn check(endpoint: Endpoint, request: &Request) -> Checked {
    let mut checked = Checked::default();
    let posts = matches!(
        endpoint,
        Endpoint::Device(_) | Endpoint::Token(_) | Endpoint::Revoke | Endpoint::Introspection
    );
    let (is_get, is_post) = (matches!(request.method.as_str(), "GET" | "HEAD"), request.method == "POST");
    let method_fits = match endpoint {
        _ if posts => is_post,
        Endpoint::Userinfo | Endpoint::Page => is_get || is_post,
        Endpoint::Other => true,
        _ => is_get,
    };
    if !method_fits {
        checked.broken("method");
    }
    read_parameters(endpoint, request, posts, &mut checked);
    if posts || endpoint == Endpoint::Userinfo {
        // RFC 6749, section 3.2, and RFC 6750, section 2.3: URLs end up in logs.
        for (name, _) in request.query_parameters() {
            checked.broken(format!("parameter_in_url:{name}"));
        }
    }
    if posts && is_post {
        check_parameters(endpoint, &mut checked);
    }
    checked
}

fn read_parameters(endpoint: Endpoint, request: &Request, posts: bool, checked: &mut Checked) {
    let media_type = request.media_type();
    let may_be_json =
        matches!(endpoint, Endpoint::Device(Flavor::AuthKit) | Endpoint::Token(Flavor::AuthKit));
    if media_type.as_deref() == Some(FORM) {
        match request::form_pairs(&request.body) {
            Some(form) => {
                checked.is_form = true;
                checked.parameters = form.pairs;
                if !form.well_formed {
                    checked.broken("malformed_body");
                }
            }
            None => checked.broken("not_utf8"),
        }
    } else if may_be_json && media_type.as_deref() == Some("application/json") {
        match json_parameters(&request.body) {
            Some(parameters) => checked.parameters = parameters,
            None => checked.broken("malformed_body"),
        }
    } else if posts && request.method == "POST" {
        checked.broken("content_type");
    }
    if posts && request.method == "POST" && !request.body_announced {
        checked.broken("body_without_length");
    }
}

fn json_parameters(body: &[u8]) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return None;
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    if members.len() > request::MOST_PARAMETERS {
        return None;
    }
    Some(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn check_parameters(endpoint: Endpoint, checked: &mut Checked) {
    let mut seen: Vec<&str> = Vec::new();
    let mut broken = Vec::new();
    for (name, value) in &checked.parameters {
        // RFC 8707 lets `resource` repeat.
        if seen.contains(&name.as_str()) && name != "resource" {
            broken.push(format!("duplicate_parameter:{name}"));
        }
        if value.is_empty() {
            broken.push(format!("empty_parameter:{name}"));
        }
        if is_too_long(name, value) {
            broken.push(format!("long_parameter:{name}"));
        }
        seen.push(name);
    }
    checked.violations.append(&mut broken);
    let required: &[&str] = match endpoint {
        Endpoint::Token(_) => match checked.get("grant_type") {
            None => &["grant_type"],
            Some(DEVICE_GRANT) => &["device_code"],
            Some("refresh_token") => &["refresh_token"],
            Some(_) => {
                checked.broken("unsupported_grant_type");
                &[]
            }
        },
        Endpoint::Revoke | Endpoint::Introspection => &["token"],
        _ => &[],
    };
    for name in required {
        if checked.get(name).is_none() {
            checked.broken(format!("missing_parameter:{name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn post(body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: "/oauth2/token".to_owned(),
            query: None,
            http_1_0: false,
            headers: vec![("Content-Type".to_owned(), format!("{FORM}; charset=UTF-8"))],
            body: body.as_bytes().to_vec(),
            body_announced: true,
            arrived: Instant::now(),
        }
    }

    fn violations(request: &Request) -> Vec<String> {
        check(Endpoint::Token(Flavor::Connect), request).violations
    }

    const POLL: &str =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d&client_id=c";

    #[test]
    fn a_proper_poll_breaks_no_rule() {
        assert!(violations(&post(POLL)).is_empty());
    }

    #[test]
    fn each_broken_rule_is_named() {
        let twice = post(&format!("{POLL}&client_id=c&scope="));
        assert_eq!(violations(&twice), ["duplicate_parameter:client_id", "empty_parameter:scope"]);
        assert_eq!(violations(&post("grant_type=device_code&device_code=d")), ["unsupported_grant_type"]);
        assert_eq!(violations(&post("")), ["missing_parameter:grant_type"]);
        assert_eq!(violations(&post("a=%FF")), ["not_utf8", "missing_parameter:grant_type"]);
        let long = post(&format!("{POLL}&scope={}", "s".repeat(LONGEST_KEPT + 1)));
        assert_eq!(violations(&long), ["long_parameter:scope"]);
        assert_eq!(check(Endpoint::Token(Flavor::Connect), &long).get("scope"), None);
        let in_url = Request { query: Some("client_id=c".to_owned()), ..post(POLL) };
        assert_eq!(violations(&in_url), ["parameter_in_url:client_id"]);
        let json = Request {
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{}".to_vec(),
            ..post("")
        };
        assert_eq!(violations(&json), ["content_type", "missing_parameter:grant_type"]);
        let get = Request { method: "GET".to_owned(), ..post("") };
        assert_eq!(violations(&get), ["method"]);
    }

    #[test]
    fn authkit_takes_json_too() {
        let json = Request {
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: format!(r#"{{"grant_type":"{DEVICE_GRANT}","device_code":"d"}}"#).into_bytes(),
            ..post("")
        };
        let checked = check(Endpoint::Token(Flavor::AuthKit), &json);
        assert!(checked.violations.is_empty());
        assert_eq!(checked.get("device_code"), Some("d"));
    }
}
