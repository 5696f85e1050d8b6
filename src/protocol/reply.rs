//! An HTTP response, reduced to what the protocol reads.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use zeroize::Zeroizing;

use super::json::Object;
use crate::{Error, ErrorKind, Secret, sanitize, secret::Masker};

/// The maximum length of an error code. No server uses a longer one.
const MAX_CODE_BYTES: usize = 256;

/// The codes of RFC 8628 section 3.5. Some servers send them only as the text for the user.
const DEVICE_FLOW_CODES: [&str; 4] = ["authorization_pending", "slow_down", "access_denied", "expired_token"];

/// What is wrong with a response in HTML.
const WEB_PAGE: &str =
    "a web page: check the address, and whether something in front of the server wants a browser";

/// One complete HTTP response.
pub(crate) struct Reply {
    pub(crate) sent: Sent,
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// Whether the body is compressed, although the request asked for `identity`.
    pub(crate) encoded: bool,
    pub(crate) retry_after: Option<Duration>,
    /// The server's clock (RFC 9110 section 6.6.1). `None` also if this machine's clock was set during the request,
    /// because the two clocks cannot be compared then.
    pub(crate) date: Option<SystemTime>,
    pub(crate) request_id: Option<String>,
    /// The body. `None` if it is too long. Wiped when dropped, because it may contain tokens.
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
}

/// When a request was sent, on this machine's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// On the clock that includes suspended time.
    pub(crate) elapsed: Duration,
    pub(crate) time_of_day: SystemTime,
}

/// The error code of a response: its `error` (RFC 6749 section 5.2), or WorkOS's `code`, or else one of
/// [`DEVICE_FLOW_CODES`] as its text for the user.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Absent,
    /// There is an `error`, but it is not a code: a number, an object, empty or too long.
    IllFormed,
    /// Wiped when dropped, because a server may echo a secret.
    Is(Zeroizing<String>),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// Returns whether a response with this status may contain a token or a document. Some servers use 201 for a new
    /// token.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    /// Returns whether the status means "not now": the request may succeed later (RFC 6585 section 4, RFC 9110 section
    /// 15.6).
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..=599)
    }

    /// Returns the JSON object in the body, or what is wrong with the response.
    pub(crate) fn object(&self) -> Result<Object<'_>, &'static str> {
        if matches!(self.status, 300..=399) {
            return Err("a redirect, which is never followed with credentials");
        }
        if self.encoded {
            return Err("a compressed body that was not asked for");
        }
        let body = self.body.as_ref().ok_or("a body of more than 1 MiB")?;
        match self.content_type.as_deref().map(media_type).as_deref() {
            None | Some("application/json") => {}
            Some(kind) if kind.starts_with("application/") && kind.ends_with("+json") => {}
            Some("text/html") => return Err(WEB_PAGE),
            Some(_) => return Err("something other than JSON"),
        }
        Object::parse(body).ok_or("something that is not one JSON object")
    }

    /// Returns the response's error code, whatever the status. A code from any other member than `error` counts only if
    /// the response grants nothing.
    pub(crate) fn code(&self) -> Code {
        let Ok(object) = self.object() else { return Code::Absent };
        let text = |name| object.text(name).map(Zeroizing::new);
        let usable = |code: &Zeroizing<String>| !code.is_empty() && code.len() <= MAX_CODE_BYTES;
        if object.raw("error").is_some() {
            return text("error").filter(usable).map_or(Code::IllFormed, Code::Is);
        }
        if object.raw("access_token").is_some() || object.raw("device_code").is_some() {
            return Code::Absent;
        }
        let is_device_flow_code = |text: &Zeroizing<String>| DEVICE_FLOW_CODES.contains(&text.as_str());
        let in_text = || ["message", "detail"].into_iter().filter_map(text).find(is_device_flow_code);
        text("code").filter(usable).or_else(in_text).map_or(Code::Absent, Code::Is)
    }

    /// Returns the server's text for the user: `error_description`, or else `message` (WorkOS), or else `detail` (RFC
    /// 9457).
    pub(crate) fn description(&self) -> Option<String> {
        let object = self.object().ok()?;
        ["error_description", "message", "detail"].iter().find_map(|name| object.text(name))
    }

    /// Returns whether the server permanently refuses the request as such.
    pub(crate) fn is_invalid_request(&self) -> bool {
        !self.is_transient() && matches!(self.code(), Code::Is(code) if code.as_str() == "invalid_request")
    }

    /// Returns whether the server's text for the user names PKCE.
    pub(crate) fn names_pkce(&self) -> bool {
        let text = Zeroizing::new(self.description().unwrap_or_default());
        let text = Zeroizing::new(text.to_ascii_lowercase());
        ["pkce", "code_challenge", "code challenge", "code_verifier", "code verifier"]
            .iter()
            .any(|word| text.contains(word))
    }

    /// Returns an error with everything that this response says. Every secret that the response echoes or contains is
    /// masked in all texts, including the message, which may quote the server. Then the texts are sanitised. The order
    /// matters: a secret that was cut or changed could no longer be found.
    pub(crate) fn error(&self, kind: ErrorKind, message: &str, sent: &[&str]) -> Error {
        let masker = self.masker(sent);
        let hide = |text: &str| masker.hide(text);
        let code = match self.code() {
            Code::Is(code) => Some(hide(&code)),
            Code::Absent | Code::IllFormed => None,
        };
        Error::new(kind, sanitize(&hide(message)))
            .with_oauth_error(code)
            .with_description(self.description().map(Secret::new).map(|text| hide(text.expose())).as_deref())
            .with_http(self.status, self.request_id.as_deref().map(hide).as_deref(), self.retry_after)
            .with_members(self.object().map(|object| object.secrets()).unwrap_or_default())
    }

    /// Returns a masker for the secrets that were sent and those in this response.
    pub(crate) fn masker(&self, sent: &[&str]) -> Masker {
        const SECRETS: [&str; 5] =
            ["access_token", "refresh_token", "id_token", "device_code", "pending_authentication_token"];
        let object = self.object().ok();
        let text = |name: &&str| object.as_ref()?.text(name).map(Secret::new);
        let received: Vec<_> = SECRETS.iter().filter_map(text).collect();
        Masker::new(sent.iter().copied().chain(received.iter().map(Secret::expose)))
    }
}

/// Returns a media type without its parameters, in lower case (RFC 9110 section 8.3.1).
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns the wait of a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date. A date is measured against
/// the response's own `Date`, so that a wrong clock on this machine does not matter. An invalid value is `None`. A date
/// in the past is zero.
pub(crate) fn retry_after(value: &str, date: Option<SystemTime>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(date.unwrap_or(now)).unwrap_or_default())
}

#[cfg(test)]
impl Reply {
    /// A response for unit tests.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self {
            sent: Sent { elapsed: Duration::ZERO, time_of_day: SystemTime::UNIX_EPOCH },
            date: None,
            status,
            content_type: Some("application/json".into()),
            encoded: false,
            retry_after: None,
            request_id: None,
            body: Some(Zeroizing::new(body.as_bytes().to_vec())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R9110-10.2.3-01, R6585-4-01
    #[test]
    fn retry_after_accepts_seconds_or_a_date_by_the_servers_clock() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let at = |value, date: Option<&str>| {
            retry_after(value, date.and_then(|date| httpdate::parse_http_date(date).ok()), now)
        };
        assert_eq!(at("7", None), Some(Duration::from_secs(7)));
        assert_eq!(at(" 0 ", None), Some(Duration::ZERO));
        assert_eq!(at("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
        let (date, later) = ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:09 GMT");
        assert_eq!(at(later, Some(date)), Some(Duration::from_secs(9)));
        assert_eq!(at(date, Some(later)), Some(Duration::ZERO));
        assert_eq!(at("Sun, 09 Sep 2001 01:46:45 GMT", None), Some(Duration::from_secs(5)));
        assert_eq!(at("Sun, 09 Sep 2001 01:46:45 GMT", Some("soon")), Some(Duration::from_secs(5)));
        for nonsense in ["", "-1", "1.5", "soon", "+7"] {
            assert_eq!(at(nonsense, None), None, "{nonsense}");
        }
    }

    // proves: R6749-5.1-11, R9110-8.3-01
    #[test]
    fn only_json_media_types_are_read() {
        let mut reply = Reply::json(200, "{}");
        let mut flaw = |content_type: Option<&str>| {
            reply.content_type = content_type.map(str::to_owned);
            reply.object().err()
        };
        assert_eq!(flaw(None), None);
        for good in ["application/json", "Application/JSON; Charset=UTF-8", "application/problem+json"] {
            assert_eq!(flaw(Some(good)), None, "{good}");
        }
        for bad in ["text/plain", "text/json", "application/jsonp", "", "application/x-www-form-urlencoded"] {
            assert_eq!(flaw(Some(bad)), Some("something other than JSON"), "{bad}");
        }
        assert_eq!(flaw(Some("Text/HTML; charset=utf-8")), Some(WEB_PAGE));
    }

    // proves: R6749-5.2-01, R6749-5.2-03
    #[test]
    fn the_error_code_is_read_from_error_or_code() {
        let code = |body| Reply::json(400, body).code();
        assert_eq!(code(r#"{"error":"a","code":"b"}"#), Code::Is("a".to_owned().into()));
        assert_eq!(code(r#"{"error":null,"code":"b"}"#), Code::Is("b".to_owned().into()));
        assert_eq!(code(r#"{"access_token":"t","code":"b"}"#), Code::Absent);
        assert_eq!(code(r#"{"device_code":"t","code":"b"}"#), Code::Absent);
        assert_eq!(code(r#"{"access_token":"t","error":"b"}"#), Code::Is("b".to_owned().into()));
        assert_eq!(code(r#"{"code":429}"#), Code::Absent);
        assert_eq!(code(r#"{"message":"slow_down"}"#), Code::Is("slow_down".to_owned().into()));
        let status = code(r#"{"status":400,"code":400,"message":"Bad request","detail":"expired_token"}"#);
        assert_eq!(status, Code::Is("expired_token".to_owned().into()));
        assert_eq!(code(r#"{"code":"b","message":"slow_down"}"#), Code::Is("b".to_owned().into()));
        for absent in [
            r#"{"message":"invalid_grant"}"#,
            r#"{"message":"Please slow_down"}"#,
            r#"{"access_token":"t","message":"slow_down"}"#,
        ] {
            assert_eq!(code(absent), Code::Absent, "{absent}");
        }
        for ill in
            [r#"{"error":5}"#, r#"{"error":""}"#, r#"{"error":["a"]}"#, r#"{"error":{"code":31},"code":"b"}"#]
        {
            assert_eq!(code(ill), Code::IllFormed, "{ill}");
        }
        let edge = |n: usize| Reply::json(400, &format!("{{\"error\":\"{}\"}}", "x".repeat(n))).code();
        assert_eq!(edge(MAX_CODE_BYTES), Code::Is("x".repeat(MAX_CODE_BYTES).into()));
        assert_eq!(edge(MAX_CODE_BYTES + 1), Code::IllFormed);
    }

    #[test]
    fn statuses_are_classified_as_success_transient_or_other() {
        for (status, success, transient) in [
            (200, true, false),
            (201, true, false),
            (204, false, false),
            (206, false, false),
            (302, false, false),
            (400, false, false),
            (407, false, false),
            (408, false, true),
            (409, false, false),
            (428, false, false),
            (429, false, true),
            (499, false, false),
            (500, false, true),
            (599, false, true),
            (600, false, false),
        ] {
            let reply = Reply::json(status, "{}");
            assert_eq!((reply.is_success(), reply.is_transient()), (success, transient), "{status}");
            assert_eq!(reply.object().is_err(), status == 302, "{status}");
        }
    }

    #[test]
    fn an_unreadable_body_states_the_reason() {
        let mut reply = Reply::json(200, "{}");
        reply.encoded = true;
        assert_eq!(reply.object().unwrap_err(), "a compressed body that was not asked for");
        reply.encoded = false;
        reply.body = None;
        assert_eq!(reply.object().unwrap_err(), "a body of more than 1 MiB");
    }

    #[test]
    fn echoed_secrets_are_masked_in_all_text() {
        let mut reply = Reply::json(
            400,
            r#"{"error":"no_dev-123","error_description":"dev-123 tok-456","access_token":"tok-456"}"#,
        );
        reply.request_id = Some("req-dev-123".into());
        let error = reply.error(ErrorKind::Rejected, "no dev-123", &["dev-123"]);
        let everything = format!("{error} {error:?}");
        assert!(!everything.contains("dev-123") && !everything.contains("tok-456"), "{everything}");
        let cut = format!("{} dev-123", "x".repeat(393));
        assert!(!reply.error(ErrorKind::Rejected, &cut, &["dev-123"]).to_string().contains("dev"));
        let odd = reply.error(ErrorKind::Rejected, "no dev\t1\u{200b}23", &["dev\t1\u{200b}23"]);
        assert!(odd.to_string().starts_with("no ****"), "{odd}");
        assert_eq!(error.oauth_error(), Some("no_****"));
        assert_eq!(error.description(), Some("**** ****"));
        assert_eq!(error.request_id(), Some("req-****"));
    }
}
