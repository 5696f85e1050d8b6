//! Checks the requests: their number, endpoints and contents.

use std::collections::BTreeMap;

use super::Fault;
use crate::case::{Bounds, Case};
use crate::log::{Log, Request};
use crate::pattern::mismatch;
use crate::play::Seen;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) fn check(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = count_faults(case, &seen.log);
    faults.extend(content_faults(case, seen));
    for request in &seen.log.requests {
        faults.extend(hygiene_faults(request));
        for violation in request.violations.iter().filter(|name| !case.expect.violations.contains(name)) {
            faults.push(Fault::new(format!("{} request", request.endpoint), "no violation", violation));
        }
    }
    faults.extend(code_fault(&seen.log));
    faults.extend(peer_faults(case, seen));
    faults
}

fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u64> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

fn count_faults(case: &Case, log: &Log) -> Vec<Fault> {
    let mut counts = counted(log.requests.iter().map(|request| request.endpoint.as_str()));
    let foreign = |origin: &str| u64::from(origin == "other");
    counts.insert("other_origin", log.connections.iter().map(|connection| foreign(&connection.origin)).sum());
    counts.insert("all", u64::try_from(log.requests.len()).unwrap_or(u64::MAX));
    let lines: Vec<String> =
        log.requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    let paths = counted(lines.iter().map(String::as_str));
    let mut faults = Vec::new();
    for (wanted, counts) in [(&case.expect.requests, &counts), (&case.expect.paths, &paths)] {
        for (name, bounds) in wanted {
            let count = counts.get(name.as_str()).copied().unwrap_or(0);
            if !bounds.hold(count) {
                faults.push(Fault::new(
                    format!("requests: {name}"),
                    format!("{bounds:?}"),
                    format!("{count} of {lines:?}"),
                ));
            }
        }
    }
    let connections = u64::try_from(log.connections.len()).unwrap_or(u64::MAX);
    if let Some(bounds) = case.expect.connections.filter(|bounds: &Bounds| !bounds.hold(connections)) {
        faults.push(Fault::new("connections", format!("{bounds:?}"), connections));
    }
    faults
}

fn content_faults(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (endpoint, wanted) in &case.expect.form {
        let wanted: Vec<(String, String)> =
            wanted.iter().map(|(name, value)| (name.clone(), seen.values.text(value))).collect();
        let mut sorted = wanted.clone();
        sorted.sort();
        let mut any = false;
        for request in seen.log.to(endpoint) {
            any = true;
            let mut form = request.form.clone().unwrap_or_default();
            form.sort();
            let fits = form.len() == sorted.len()
                && form.iter().zip(&sorted).all(|(a, b)| a.0 == b.0 && (b.1 == "*" || a.1 == b.1));
            if !fits {
                faults.push(Fault::new(
                    format!("form of {endpoint}"),
                    format!("{wanted:?}"),
                    format!("{form:?}"),
                ));
            }
        }
        if !any {
            faults.push(Fault::new(format!("form of {endpoint}"), "a request", "none"));
        }
    }
    for (endpoint, wanted) in &case.expect.headers {
        for request in seen.log.to(endpoint) {
            for (name, value) in wanted {
                let value = value.as_deref().map(|text| seen.values.text(text));
                let values: Vec<&str> = request.header_values(name).collect();
                let fits = match &value {
                    Some(value) => values == [value.as_str()],
                    None => values.is_empty(),
                };
                if !fits {
                    faults.push(Fault::new(
                        format!("{endpoint} header {name}"),
                        format!("{value:?}"),
                        format!("{values:?}"),
                    ));
                }
            }
        }
        if seen.log.to(endpoint).next().is_none() {
            faults.push(Fault::new(format!("headers of {endpoint}"), "a request", "none"));
        }
    }
    for (endpoint, wanted) in &case.expect.query {
        for request in seen.log.to(endpoint) {
            let query = request.query.as_deref().unwrap_or_default();
            if query != wanted {
                faults.push(Fault::new(format!("query of {endpoint}"), wanted, query));
            }
        }
    }
    faults
}

/// Checks the rules for every request of every case.
fn hygiene_faults(request: &Request) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |what: &str, expected: &str, seen: String| {
        faults.push(Fault::new(format!("{} request, {what}", request.endpoint), expected, seen));
    };
    let values = |name| request.header_values(name).collect::<Vec<_>>();
    for name in ["cookie", "referer"] {
        if !values(name).is_empty() {
            fault(name, "absent", format!("{:?}", values(name)));
        }
    }
    if values("user-agent").len() != 1 || values("user-agent").iter().any(|agent| agent.is_empty()) {
        fault("user-agent", "one", format!("{:?}", values("user-agent")));
    }
    let encodings = values("accept-encoding");
    if encodings.iter().any(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        fault("accept-encoding", "identity or absent", format!("{encodings:?}"));
    }
    if !values("accept").iter().any(|accept| accept.to_ascii_lowercase().contains("application/json")) {
        fault("accept", "application/json", format!("{:?}", values("accept")));
    }
    let posts = matches!(request.endpoint.as_str(), "device" | "token");
    let method = if posts { "POST" } else { "GET" };
    if (posts || request.endpoint.starts_with("discovery")) && request.method != method {
        fault("method", method, request.method.clone());
    }
    if posts {
        let types = values("content-type");
        let is_form = |value: &&str| {
            let media_type = value.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        if types.len() != 1 || !types.iter().all(is_form) {
            fault("content-type", "application/x-www-form-urlencoded", format!("{types:?}"));
        }
    }
    if request.endpoint == "token" && form_value(request, "grant_type") != Some(DEVICE_GRANT) {
        fault("grant_type", DEVICE_GRANT, format!("{:?}", form_value(request, "grant_type")));
    }
    faults
}

fn form_value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let form = request.form.as_ref()?;
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Checks that a login always sends the same device code.
fn code_fault(log: &Log) -> Option<Fault> {
    let mut codes = log.to("token").map(|request| form_value(request, "device_code"));
    let first = codes.next()?;
    codes
        .find(|code| *code != first)
        .map(|_| Fault::new("device_code", "the same in every poll", "a different one"))
}

fn peer_faults(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, lines) in &seen.peers {
        let wanted = case.expect.peers.get(name).cloned().unwrap_or_default();
        let lines: Vec<serde_json::Value> = lines.iter().map(|line| line.as_str().into()).collect();
        let fits = wanted.len() == lines.len()
            && wanted
                .iter()
                .zip(&lines)
                .all(|(pattern, line)| mismatch(&seen.values.json(pattern), line).is_none());
        if !fits {
            faults.push(Fault::new(
                format!("connections to {name}"),
                format!("{wanted:?}"),
                format!("{lines:?}"),
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{case, device, poll, seen};
    use super::*;
    use crate::log::Connection;
    use serde_json::{Value, json};

    fn one_login() -> Seen {
        let mut seen = seen();
        seen.log.requests = vec![device(0.0, 0.0), poll(1.0, 1.0), poll(2.0, 2.0)];
        seen.log.connections = vec![Connection { origin: "main".into() }];
        seen
    }

    fn count(expect: Value, seen: &Seen) -> usize {
        check(&case(expect), seen).len()
    }

    #[test]
    fn a_correct_login_has_no_fault() {
        let expect = json!({"exit": 0, "requests": {"device": 1, "token": [2, 3], "other_origin": 0, "all": 3},
            "connections": 1, "paths": {"POST /token": 2},
            "form": {"device": [["client_id", "c"]], "token": [["client_id", "*"], ["device_code", "d"], ["grant_type", DEVICE_GRANT]]},
            "headers": {"token": {"authorization": null, "Accept": "application/json"}}, "query": {"token": ""}});
        assert_eq!(check(&case(expect), &one_login()), []);
    }

    #[test]
    fn wrong_request_counts_are_faults() {
        for expect in [
            json!({"exit": 0, "requests": {"token": 1}}),
            json!({"exit": 0, "requests": {"token": [3, 9]}}),
            json!({"exit": 0, "requests": {"discovery_oidc": 1}}),
            json!({"exit": 0, "requests": {"other_origin": 1}}),
            json!({"exit": 0, "requests": {"all": 2}}),
            json!({"exit": 0, "paths": {"POST /token": 0}}),
            json!({"exit": 0, "connections": 2}),
        ] {
            assert_eq!(count(expect.clone(), &one_login()), 1, "{expect}");
        }
        let mut seen = one_login();
        seen.log.connections.push(Connection { origin: "other".into() });
        assert_eq!(count(json!({"exit": 0, "requests": {"other_origin": 0}}), &seen), 1);
    }

    #[test]
    fn wrong_request_contents_are_faults() {
        for expect in [
            json!({"exit": 0, "form": {"device": [["client_id", "x"]]}}),
            json!({"exit": 0, "form": {"device": [["client_id", "c"], ["scope", "s"]]}}),
            json!({"exit": 0, "form": {"device": []}}),
            json!({"exit": 0, "form": {"revoke": []}}),
            json!({"exit": 0, "headers": {"device": {"authorization": "Basic x"}}}),
            json!({"exit": 0, "headers": {"device": {"accept": null}}}),
            json!({"exit": 0, "headers": {"revoke": {}}}),
            json!({"exit": 0, "query": {"device": "a=b"}}),
        ] {
            assert_eq!(count(expect.clone(), &one_login()), 1, "{expect}");
        }
    }

    #[test]
    fn violations_of_the_general_rules_are_faults() {
        let spoil: [fn(&mut Request); 12] = [
            |r| r.headers.push(("Cookie".into(), "a=b".into())),
            |r| r.headers.push(("Referer".into(), "x".into())),
            |r| r.headers.push(("User-Agent".into(), "two".into())),
            |r| r.headers.push(("Accept-Encoding".into(), "gzip".into())),
            |r| r.headers.retain(|(name, _)| name != "user-agent"),
            |r| r.headers.retain(|(name, _)| name != "accept"),
            |r| r.headers.retain(|(name, _)| name != "content-type"),
            |r| r.headers.push(("content-type".into(), "application/json".into())),
            |r| r.method = "GET".into(),
            |r| r.form = None,
            |r| {
                r.form = Some(vec![
                    ("grant_type".into(), "device_code".into()),
                    ("device_code".into(), "d".into()),
                ])
            },
            |r| r.violations.push("polled_too_early".into()),
        ];
        for (index, spoil) in spoil.iter().enumerate() {
            let mut seen = one_login();
            spoil(&mut seen.log.requests[2]);
            assert!(count(json!({"exit": 0}), &seen) > 0, "{index}");
        }
        let mut seen = one_login();
        seen.log.requests[2].violations.push("method".into());
        assert_eq!(count(json!({"exit": 0, "violations": ["method"]}), &seen), 0);
        seen.log.requests[2].form = poll(0.0, 0.0).form.map(|mut form| {
            form[1].1 = "e".into();
            form
        });
        assert_eq!(count(json!({"exit": 0, "violations": ["method"]}), &seen), 1, "a different device code");
    }

    #[test]
    fn reaching_an_unexpected_peer_is_a_fault() {
        let mut seen = one_login();
        seen.peers.insert("watch".into(), vec![]);
        assert_eq!(count(json!({"exit": 0}), &seen), 0);
        assert_eq!(count(json!({"exit": 0, "peers": {"watch": ["GET /"]}}), &seen), 1);
        seen.peers.insert("watch".into(), vec!["GET /".into()]);
        assert_eq!(count(json!({"exit": 0}), &seen), 1);
        assert_eq!(count(json!({"exit": 0, "peers": {"watch": ["GET /"]}}), &seen), 0);
        assert_eq!(count(json!({"exit": 0, "peers": {"watch": ["GET /a"]}}), &seen), 1);
    }
}
