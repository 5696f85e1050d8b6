//! The device authorization response (RFC 8628 section 3.2).

use std::time::Duration;

use url::Url;

use super::{
    json::{IllTyped, Object},
    reply::{Code, Reply},
    uri::{self, Loopback},
};
use crate::{Error, ErrorKind, Secret};

/// RFC 8628 section 3.2: the interval if the server names none.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// The maximum of every number from a server. It keeps all arithmetic far from overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The maximum length of a URL. A longer one would push everything else off the screen.
const MAX_URI_BYTES: usize = 2048;

/// The maximum length of a user code. No user compares or types a longer one.
const MAX_USER_CODE_BYTES: usize = 8192;

/// The minimum length of a device code that other text is searched for. A shorter one may be part of other text by
/// chance.
const LEAST_SECRET_BYTES: usize = 8;

/// The content of a successful response: the two codes, the URL and the times.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
    pub(crate) expires_in: Duration,
    pub(crate) interval: Duration,
}

/// Reads the response of the device authorization endpoint. `sent` contains the secrets of the request.
pub(crate) fn read(reply: &Reply, loopback: Loopback, sent: &[&str]) -> Result<Grant, Error> {
    let refuse = |kind, message: &str| Err(reply.error(kind, message, sent));
    let invalid = |what: &str| {
        reply.error(
            ErrorKind::InvalidResponse,
            &format!("the server's device authorization response is invalid: {what}"),
            sent,
        )
    };
    match reply.code() {
        _ if reply.is_transient() => refuse(
            ErrorKind::Network,
            &format!("the server cannot start a login now (HTTP {}): try again later", reply.status),
        ),
        Code::Is(code) if code.as_str() == "access_denied" => refuse(
            ErrorKind::Rejected,
            "the device flow is not enabled for this client: enable it at the server (WorkOS: CLI Auth)",
        ),
        Code::Is(code) if code.as_str() == "invalid_client" => refuse(
            ErrorKind::Rejected,
            "the server does not know this client: check the client id and the client secret",
        ),
        Code::Is(code) if code.as_str() == "invalid_scope" => {
            refuse(ErrorKind::Rejected, "the server does not grant a requested scope: check the scopes")
        }
        Code::Is(code) if code.as_str() == "unauthorized_client" => refuse(
            ErrorKind::Rejected,
            "this client may not use the device flow: enable it where the client is registered",
        ),
        Code::Is(code) => {
            refuse(ErrorKind::Rejected, &format!("the server refused to start a login ({})", code.as_str()))
        }
        Code::IllFormed => Err(invalid("its error code is empty, too long or not a string")),
        Code::Absent => {
            let object =
                reply.object().map_err(|what| invalid(&format!("HTTP {} with {what}", reply.status)))?;
            if !reply.is_success() {
                return Err(invalid(&format!(
                    "HTTP {} without an error code; check the address",
                    reply.status
                )));
            }
            members(&object, loopback).map_err(|what| invalid(&what))
        }
    }
}

fn members(object: &Object<'_>, loopback: Loopback) -> Result<Grant, String> {
    let ill = |IllTyped(name)| format!("`{name}` is of the wrong type");
    let text = |name: &str| object.string(name).map_err(ill).map(|text| text.filter(|t| !t.is_empty()));
    let required = |name: &str| text(name)?.ok_or_else(|| format!("`{name}` is missing"));
    let uri = |name: &str, uri: String| match uri.len() {
        0..=MAX_URI_BYTES => Ok(uri),
        _ => Err(format!("`{name}` is too long to be shown")),
    };
    let uri = |name: &str, text: String| match uri::verification(&text, loopback) {
        Ok(_) => uri(name, text),
        Err(why) => Err(format!("`{name}` {why}; it was not shown or opened")),
    };

    let device_code = Secret::new(required("device_code")?);
    let user_code = required("user_code")?;
    if user_code.trim().is_empty() {
        return Err("`user_code` is blank".into());
    }
    if user_code.len() > MAX_USER_CODE_BYTES {
        return Err("`user_code` is too long to be shown".into());
    }
    // Google and Azure AD v1 name it `verification_url`.
    let verification_uri = match (text("verification_uri")?, text("verification_url")?) {
        (Some(uri), Some(url)) if uri != url => {
            return Err("`verification_uri` and `verification_url` differ".into());
        }
        (Some(uri), _) | (None, Some(uri)) => uri,
        (None, None) => return Err("`verification_uri` is missing".into()),
    };
    let secret = device_code.expose();
    let shows_secret = |text: &String| secret.len() >= LEAST_SECRET_BYTES && text.contains(secret);
    if shows_secret(&user_code) || shows_secret(&verification_uri) {
        return Err(
            "it would show the device code, which is a secret, to everyone who sees the screen".into()
        );
    }
    // The login works without this URL: one that must not be shown or opened is dropped.
    let complete = text("verification_uri_complete")?.filter(|complete| !shows_secret(complete));
    let verification_uri = uri("verification_uri", verification_uri)?;
    // The user would see one address, and the browser would open the other.
    let complete = complete
        .and_then(|text| uri("verification_uri_complete", text).ok())
        .filter(|complete| has_same_origin(complete, &verification_uri));
    let expires_in = object.number("expires_in").map_err(ill)?.ok_or("`expires_in` is missing")?;
    if expires_in <= 0.0 {
        return Err("`expires_in` is not positive".into());
    }
    let interval = object.number("interval").map_err(ill)?;
    Ok(Grant {
        device_code,
        user_code,
        verification_uri_complete: complete,
        verification_uri,
        expires_in: seconds(expires_in, LONGEST),
        interval: whole_interval(interval).unwrap_or(DEFAULT_INTERVAL),
    })
}

/// Returns whether two URLs have the same scheme, host and port. The user sees one, and the browser opens the other.
fn has_same_origin(one: &str, other: &str) -> bool {
    let origin = |text| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| Some(one) == origin(other))
}

/// Converts a server's number of seconds to a duration. Never panics or overflows. A negative number is zero.
pub(crate) fn seconds(number: f64, longest: Duration) -> Duration {
    if number <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(number).unwrap_or(longest).min(longest)
}

/// Converts a server's interval. Fractions are rounded up, since a longer wait is always allowed. Zero and negative
/// numbers are `None`.
pub(crate) fn whole_interval(number: Option<f64>) -> Option<Duration> {
    number.filter(|n| *n > 0.0).map(|n| seconds(n.ceil(), LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"device_code":"d+&=%/ü","user_code":"WDJB-MJHT","verification_uri":"https://h/device","expires_in":300}"#;

    fn grant(body: &str) -> Result<Grant, Error> {
        read(&Reply::json(200, body), Loopback::Refused, &["s3cret"])
    }

    fn changed(member: &str, value: &str) -> String {
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(GOOD).unwrap();
        object.insert(member.into(), serde_json::from_str(value).unwrap());
        serde_json::to_string(&object).unwrap()
    }

    // proves: R8628-3.2-01, R8628-3.2-04, R8628-3.2-08, R8628-3.4-02
    #[test]
    fn a_valid_response_is_kept_unchanged() {
        let grant = grant(GOOD).unwrap();
        assert_eq!(grant.device_code.expose(), "d+&=%/ü");
        assert_eq!(grant.user_code, "WDJB-MJHT");
        assert_eq!(grant.verification_uri, "https://h/device");
        assert_eq!(grant.verification_uri_complete, None);
        assert_eq!(grant.expires_in, Duration::from_secs(300));
        assert_eq!(grant.interval, DEFAULT_INTERVAL);
    }

    // proves: R8628-3.2-01, R8628-3.1-07
    #[test]
    fn the_error_names_a_missing_or_ill_typed_member() {
        for name in ["device_code", "user_code", "verification_uri", "expires_in"] {
            for value in ["null", "\"\"", "[]", "{}", "true"] {
                let error = grant(&changed(name, value)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{name} {value}");
                assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
            }
        }
        for (name, value) in [
            ("interval", "true"),
            ("verification_uri_complete", "5"),
            ("expires_in", "0"),
            ("expires_in", "-1"),
        ] {
            assert!(grant(&changed(name, value)).unwrap_err().to_string().contains(&format!("`{name}`")));
        }
        assert!(grant(&GOOD.replace("{", r#"{"device_code":"x","#)).is_err(), "duplicate");
    }

    // proves: R8628-3.2-02, R8628-3.2-07, P5-01, P5-13, P5-22, P5-23
    #[test]
    fn intervals_and_lifetimes_are_bounded_and_round_up() {
        for (value, seconds) in [
            ("null", 5),
            ("0", 5),
            ("-3", 5),
            ("\"0\"", 5),
            ("0.2", 1),
            ("2.5", 3),
            ("\"7\"", 7),
            ("1e1", 10),
            ("5.0", 5),
        ] {
            assert_eq!(
                grant(&changed("interval", value)).unwrap().interval,
                Duration::from_secs(seconds),
                "{value}"
            );
        }
        for huge in ["18446744073709551616", "1e308"] {
            assert_eq!(grant(&changed("interval", huge)).unwrap().interval, LONGEST, "{huge}");
            assert_eq!(grant(&changed("expires_in", huge)).unwrap().expires_in, LONGEST, "{huge}");
        }
        assert_eq!(grant(&GOOD.replace("300", "1e999")).unwrap().expires_in, LONGEST);
        assert_eq!(grant(&changed("expires_in", "0.5")).unwrap().expires_in, Duration::from_millis(500));
        assert_eq!(LONGEST, Duration::from_secs(31_622_400));
    }

    // proves: P5-15
    #[test]
    fn verification_url_is_accepted_unless_it_differs_from_verification_uri() {
        let old = GOOD.replace("verification_uri", "verification_url");
        assert_eq!(grant(&old).unwrap().verification_uri, "https://h/device");
        assert!(grant(&changed("verification_url", "\"https://h/device\"")).is_ok());
        assert!(grant(&changed("verification_url", "\"https://h/other\"")).is_err());
    }

    // proves: CLI-06, P5-21
    #[test]
    fn unsafe_verification_uris_are_rejected() {
        for bad in ["javascript:alert(1)", "file:///x", "http://h/", "https://u:p@h/", "http://127.0.0.1/"] {
            let error = grant(&changed("verification_uri", &format!("\"{bad}\""))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{bad}");
            assert!(error.to_string().contains("`verification_uri`"), "{error}");
        }
    }

    #[test]
    fn an_unsafe_or_foreign_verification_uri_complete_is_dropped() {
        for (complete, kept) in [
            ("https://h/device?user_code=WDJB-MJHT", true),
            ("https://H:443/elsewhere", true),
            ("https://h.evil.example/device", false),
            ("https://evil.example/https://h/device", false),
            ("https://h:8443/device", false),
            ("https://www.h/device", false),
            ("http://h/device", false),
            ("javascript:alert(1)", false),
            ("https://u:p@h/device", false),
            ("/device", false),
            ("", false),
        ] {
            let grant = grant(&changed("verification_uri_complete", &format!("\"{complete}\""))).unwrap();
            assert_eq!(grant.verification_uri_complete.is_some(), kept, "{complete}");
        }
        let local = |complete: &str| {
            let body = GOOD.replace("https://h/", "http://127.0.0.1:9/");
            let body = body.replacen('{', &format!("{{\"verification_uri_complete\":\"{complete}\","), 1);
            read(&Reply::json(200, &body), Loopback::Allowed, &[]).unwrap().verification_uri_complete
        };
        assert!(local("http://127.0.0.1:9/?c=1").is_some());
        assert!(local("https://127.0.0.1:9/?c=1").is_none());
    }

    #[test]
    fn a_blank_user_code_is_rejected() {
        let error = grant(&changed("user_code", "\"  \"")).unwrap_err();
        assert!(error.to_string().contains("`user_code` is blank"), "{error}");
    }

    #[test]
    fn overlong_uris_and_codes_are_rejected() {
        for (name, longest) in [("verification_uri", MAX_URI_BYTES), ("user_code", MAX_USER_CODE_BYTES)] {
            let of = |length: usize| format!("\"https://h/{}\"", "x".repeat(length - 10));
            assert!(grant(&changed(name, &of(longest))).is_ok(), "{name}");
            assert!(
                grant(&changed(name, &of(longest + 1))).unwrap_err().to_string().contains("too long"),
                "{name}"
            );
        }
    }

    // proves: R8628-3.3-02, R8628-5.2-01
    #[test]
    fn a_response_that_exposes_the_device_code_is_rejected() {
        let secret = GOOD.replace("d+&=%/ü", "01234567");
        assert!(grant(&secret).is_ok());
        for shown in ["WDJB-MJHT", "https://h/device"] {
            let error = grant(&secret.replace(shown, &format!("{shown}01234567"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
            assert!(!error.to_string().contains("01234567"));
        }
        let short = secret.replace("01234567", "0123456").replace("WDJB-MJHT", "0123456");
        assert!(grant(&short).is_ok());
        let complete = |uri: &str| {
            let body = secret.replacen('{', &format!("{{\"verification_uri_complete\":\"{uri}\","), 1);
            grant(&body).unwrap().verification_uri_complete
        };
        assert_eq!(complete("https://h/?c=01234567"), None);
        assert!(complete("https://h/?c=WDJB").is_some());
    }

    // proves: R8628-3.2-05, R6749-5.2-02
    #[test]
    fn error_responses_map_to_distinct_error_kinds() {
        let kind = |status, body: &str| read(&Reply::json(status, body), Loopback::Refused, &[]).unwrap_err();
        for (status, body, expected) in [
            (403, r#"{"error":"access_denied"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (401, r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"invalid_scope"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"unauthorized_client"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"made_up"}"#, ErrorKind::Rejected),
            (400, r#"{"error":7}"#, ErrorKind::InvalidResponse),
            (404, "{}", ErrorKind::InvalidResponse),
            (204, "{}", ErrorKind::InvalidResponse),
            (302, "{}", ErrorKind::InvalidResponse),
            (503, "{}", ErrorKind::Network),
            (429, r#"{"error":"invalid_client"}"#, ErrorKind::Network),
            (500, "<html>", ErrorKind::Network),
        ] {
            let error = kind(status, body);
            assert_eq!(error.kind(), expected, "{status} {body}");
            assert_eq!(error.http_status(), Some(status));
        }
        assert!(kind(403, r#"{"error":"access_denied"}"#).to_string().contains("CLI Auth"));
        assert!(kind(400, r#"{"error":"invalid_client"}"#).to_string().contains("client id"));
        assert!(kind(400, r#"{"error":"invalid_scope"}"#).to_string().contains("check the scopes"));
        assert!(kind(400, r#"{"error":"unauthorized_client"}"#).to_string().contains("registered"));
        assert!(kind(400, r#"{"error":"made_up"}"#).to_string().contains("made_up"));
    }
}
