//! The one table that decides what an answer of the token or revocation endpoint means.

use std::time::Duration;

use super::{
    grant::whole_interval,
    json::Object,
    reply::{Code, Reply},
    token::{self, Strictness, TokenAnswer},
};
use crate::{Error, ErrorKind, Organization, Secret};

/// No person chooses from a longer list.
const MAX_ORGANIZATIONS: usize = 1000;

/// What one poll brought.
#[derive(Debug)]
pub(crate) enum Verdict {
    Granted(Box<TokenAnswer>),
    /// Not yet. Some servers name an interval with it.
    Pending(Option<Duration>),
    /// RFC 8628 section 3.5: five seconds more from now on.
    SlowDown(Option<Duration>),
    /// Not now: trouble of the server or of something in front of it.
    Transient,
    Failed(Error),
}

/// Reads the answer to a poll. `sent` are the secrets that the request held.
pub(crate) fn of_poll(reply: &Reply, strictness: Strictness, sent: &[&str]) -> Verdict {
    let interval = || reply.object().ok().and_then(|o| whole_interval(o.number("interval").ok().flatten()));
    // The four codes of RFC 8628 decide at any status: servers send them with 200, 400, 401, 403, 428 and 429.
    if let Code::Is(code) = reply.code() {
        match code.as_str() {
            "authorization_pending" => return Verdict::Pending(interval()),
            "slow_down" => return Verdict::SlowDown(interval()),
            "access_denied" => return Verdict::Failed(denied(reply, sent)),
            "expired_token" => return Verdict::Failed(expired(reply, sent)),
            _ => {}
        }
    }
    if reply.is_transient() { Verdict::Transient } else { of_decided(reply, strictness, sent) }
}

/// Reads the answer to a refresh.
pub(crate) fn of_refresh(
    reply: &Reply,
    strictness: Strictness,
    sent: &[&str],
) -> Result<Box<TokenAnswer>, Error> {
    if reply.is_transient() {
        return Err(reply.error(ErrorKind::Network, &not_now(reply), sent));
    }
    match reply.code() {
        Code::Is(code) if code == "invalid_grant" => Err(reply.error(
            ErrorKind::Rejected,
            "the server no longer accepts this refresh token (used already, expired or revoked): log in again",
            sent,
        )),
        _ => match of_decided(reply, strictness, sent) {
            Verdict::Granted(answer) => Ok(answer),
            Verdict::Failed(error) => Err(error),
            Verdict::Pending(_) | Verdict::SlowDown(_) | Verdict::Transient => {
                Err(reply.error(ErrorKind::InvalidResponse, "the server answered a refresh as if it were a login", sent))
            }
        },
    }
}

/// Reads the answer to a revocation (RFC 7009 section 2.2): 200 is success whatever the body, even for a token that
/// the server never saw.
pub(crate) fn of_revocation(reply: &Reply, sent: &[&str]) -> Result<(), Error> {
    if matches!(reply.status, 200..=299) {
        return Ok(());
    }
    if reply.is_transient() {
        return Err(reply.error(ErrorKind::Network, &not_now(reply), sent));
    }
    match reply.code() {
        Code::Is(code) if code == "unsupported_token_type" => {
            Err(reply.error(ErrorKind::Unsupported, "the server cannot revoke this kind of token", sent))
        }
        Code::Is(code) => Err(refused(reply, &code, sent)),
        Code::Absent | Code::IllFormed => Err(unreadable(reply, sent)),
    }
}

/// The answers that neither a retry nor patience will change.
fn of_decided(reply: &Reply, strictness: Strictness, sent: &[&str]) -> Verdict {
    match reply.code() {
        Code::Is(code) => Verdict::Failed(refused(reply, &code, sent)),
        Code::IllFormed => Verdict::Failed(reply.error(
            ErrorKind::InvalidResponse,
            "the server's answer has an error code that is not a text",
            sent,
        )),
        Code::Absent if reply.is_success() => match reply.object() {
            Ok(object) => match token::read(&object, strictness, sent) {
                Ok(answer) => Verdict::Granted(Box::new(answer)),
                Err((kind, what)) => Verdict::Failed(reply.error(kind, &what, sent)),
            },
            Err(_) => Verdict::Failed(unreadable(reply, sent)),
        },
        // WorkOS says some refusals of AuthKit in a `message` alone.
        Code::Absent if strictness == Strictness::AuthKit && reply.description().is_some() => {
            Verdict::Failed(reply.error(ErrorKind::Rejected, "the server refused the request", sent))
        }
        Code::Absent => Verdict::Failed(unreadable(reply, sent)),
    }
}

fn denied(reply: &Reply, sent: &[&str]) -> Error {
    reply.error(ErrorKind::Denied, "the login was denied in the browser", sent)
}

fn expired(reply: &Reply, sent: &[&str]) -> Error {
    reply.error(ErrorKind::Expired, "the code expired before the login was approved: start again", sent)
}

fn not_now(reply: &Reply) -> String {
    format!("the server cannot answer now (HTTP {}): try again later", reply.status)
}

fn unreadable(reply: &Reply, sent: &[&str]) -> Error {
    let what = reply.object().err().unwrap_or("neither a token nor an error code");
    let message = format!("the server's answer is unusable: HTTP {} with {what}", reply.status);
    reply.error(ErrorKind::InvalidResponse, &message, sent)
}

/// An error code that is not one of the four, sorted by what the caller does next.
fn refused(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    match code {
        "access_denied" | "authorization_declined" => denied(reply, sent),
        "expired_token" | "code_expired" | "token_expired" => expired(reply, sent),
        _ if is_step_up(reply, code) => step_up(reply, code, sent),
        "invalid_grant" => reply.error(
            ErrorKind::Rejected,
            "the server does not accept the code (any more): if the browser said that you are logged in, the answer was lost; start again",
            sent,
        ),
        "invalid_client" | "unauthorized_client" => {
            reply.error(ErrorKind::Rejected, "the server does not accept this client: check the client id and its grants", sent)
        }
        _ => reply.error(ErrorKind::Rejected, &format!("the server refused the request ({})", code), sent),
    }
}

/// Whether a person has to do something in a browser first: WorkOS's step-ups and their relatives of OpenID Connect.
fn is_step_up(reply: &Reply, code: &str) -> bool {
    matches!(
        code,
        "organization_selection_required"
            | "organization_authentication_methods_required"
            | "email_verification_required"
            | "sso_required"
            | "passkey_progressive_enrollment"
            | "application_consent_required"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "account_selection_required"
            | "insufficient_user_authentication"
    ) || code.starts_with("mfa_")
        || code.starts_with("radar_")
        || reply.object().is_ok_and(|object| object.raw("pending_authentication_token").is_some())
}

fn step_up(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    let object = reply.object().ok();
    let masker = reply.masker(sent);
    let organizations = object.as_ref().and_then(|o| o.objects("organizations")).map(|list| {
        let hide = |text: Option<String>| masker.hide(&text.unwrap_or_default());
        let organization =
            |o: &Object<'_>| Organization { id: hide(o.text("id")), name: hide(o.text("name")) };
        list.iter().take(MAX_ORGANIZATIONS).map(organization).collect()
    });
    let pending = object.and_then(|o| o.text("pending_authentication_token")).map(Secret::new);
    let what = match code {
        "organization_selection_required" => "choose an organization in the browser, then log in again",
        "email_verification_required" => "verify your e-mail address in the browser, then log in again",
        "sso_required" => "log in through your organization's single sign-on, then try again",
        _ if code.starts_with("mfa_") => {
            "set up or confirm a second factor in the browser, then log in again"
        }
        _ => "finish what it asks for in the browser, then log in again",
    };
    let message = format!("the server wants one more step ({}): {what}", code);
    reply.error(ErrorKind::ActionRequired, &message, sent).with_step_up(organizations, pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(status: u16, body: &str) -> Verdict {
        of_poll(&Reply::json(status, body), Strictness::Standard, &["dev-123"])
    }

    fn failed(verdict: Verdict) -> Error {
        match verdict {
            Verdict::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    // proves: R8628-3.5-02, R8628-3.5-05, R8628-3.5-06, R8628-3.5-12, D-1, P5-06, P5-07
    #[test]
    fn the_four_codes_decide_at_any_status() {
        for status in [200, 400, 401, 403, 408, 428, 429, 500, 503] {
            for member in ["error", "code"] {
                let with = |code: &str| poll(status, &format!("{{\"{member}\":\"{code}\"}}"));
                assert!(matches!(with("authorization_pending"), Verdict::Pending(None)), "{status}");
                assert!(matches!(with("slow_down"), Verdict::SlowDown(None)), "{status}");
                assert_eq!(failed(with("access_denied")).kind(), ErrorKind::Denied, "{status}");
                assert_eq!(failed(with("expired_token")).kind(), ErrorKind::Expired, "{status}");
            }
        }
        let interval = |body| match poll(400, body) {
            Verdict::Pending(interval) | Verdict::SlowDown(interval) => interval,
            other => panic!("{other:?}"),
        };
        assert_eq!(interval(r#"{"error":"slow_down","interval":30}"#), Some(Duration::from_secs(30)));
        assert_eq!(
            interval(r#"{"error":"authorization_pending","interval":2.5}"#),
            Some(Duration::from_secs(3))
        );
        assert_eq!(interval(r#"{"error":"slow_down","interval":"x"}"#), None);
    }

    // proves: R8628-3.5-07, D-1, D-9, P5-09, P5-10, P5-12, R9110-15.6.4-01
    #[test]
    fn any_other_answer_waits_on_a_transient_status_and_ends_the_login_elsewhere() {
        for body in [
            r#"{"error":"invalid_grant"}"#,
            r#"{"code":"daily_quota_exceeded"}"#,
            "<html>",
            "",
            r#"{"access_token":"t"}"#,
        ] {
            for status in [408, 429, 500, 502, 503, 504] {
                assert!(matches!(poll(status, body), Verdict::Transient), "{status} {body}");
            }
        }
        for (body, kind) in [
            (r#"{"error":"authorization_declined"}"#, ErrorKind::Denied),
            (r#"{"error":"code_expired"}"#, ErrorKind::Expired),
            (r#"{"error":"token_expired"}"#, ErrorKind::Expired),
            (r#"{"error":"bad_verification_code"}"#, ErrorKind::Rejected),
            (r#"{"error":"incorrect_device_code"}"#, ErrorKind::Rejected),
            (r#"{"error":"invalid_grant"}"#, ErrorKind::Rejected),
            (r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (r#"{"error":"unauthorized_client"}"#, ErrorKind::Rejected),
            (r#"{"error":"made_up"}"#, ErrorKind::Rejected),
            (r#"{"error":{"code":31}}"#, ErrorKind::InvalidResponse),
            (r#"{"message":"authorization_pending"}"#, ErrorKind::InvalidResponse),
            ("{}", ErrorKind::InvalidResponse),
            ("<html>", ErrorKind::InvalidResponse),
            ("", ErrorKind::InvalidResponse),
        ] {
            for status in [200, 400, 401, 404, 418, 302] {
                let error = failed(poll(status, body));
                let kind = if status == 302 { ErrorKind::InvalidResponse } else { kind };
                assert_eq!(error.kind(), kind, "{status} {body}");
                assert_eq!(error.http_status(), Some(status));
            }
        }
        assert_eq!(failed(poll(400, r#"{"error":"made_up"}"#)).oauth_error(), Some("made_up"));
        assert!(failed(poll(400, r#"{"error":"made_up"}"#)).to_string().contains("made_up"));
        assert!(failed(poll(400, r#"{"error":"invalid_client"}"#)).to_string().contains("client id"));
        assert!(failed(poll(400, r#"{"error":"invalid_grant"}"#)).to_string().contains("was lost"));
    }

    // proves: R6749-5.2-01, P5-08
    #[test]
    fn an_error_beats_a_token() {
        let body = r#"{"access_token":"t","token_type":"Bearer","error":"access_denied"}"#;
        assert_eq!(failed(poll(200, body)).kind(), ErrorKind::Denied);
        let odd = r#"{"access_token":"t","token_type":"Bearer","error":7}"#;
        assert_eq!(failed(poll(200, odd)).kind(), ErrorKind::InvalidResponse);
        assert!(matches!(
            poll(200, r#"{"access_token":"t","token_type":"Bearer","error":null}"#),
            Verdict::Granted(_)
        ));
    }

    #[test]
    fn a_token_counts_only_on_success() {
        let body = r#"{"access_token":"t","token_type":"Bearer"}"#;
        assert!(matches!(poll(200, body), Verdict::Granted(_)));
        assert!(matches!(poll(201, body), Verdict::Granted(_)));
        for status in [202, 204, 206, 302, 400, 404] {
            assert_eq!(failed(poll(status, body)).kind(), ErrorKind::InvalidResponse, "{status}");
        }
    }

    #[test]
    fn a_step_up_carries_the_organizations_and_the_pending_token() {
        let body = r#"{"code":"organization_selection_required","message":"Choose.","pending_authentication_token":"pend-1234",
            "organizations":[{"id":"org_A","name":"A pend-1234 dev-123"},{"id":"org_B"}]}"#;
        let error = failed(poll(403, body));
        assert_eq!(error.kind(), ErrorKind::ActionRequired);
        assert_eq!(error.oauth_error(), Some("organization_selection_required"));
        let organizations = error.organizations().unwrap();
        assert_eq!((organizations[0].id.as_str(), organizations[0].name.as_str()), ("org_A", "A **** ****"));
        assert_eq!(organizations[1].name, "");
        assert_eq!(error.pending_authentication_token().unwrap().expose(), "pend-1234");
        assert!(!format!("{error} {error:?}").contains("pend-1234"));
        for (code, words) in [
            ("organization_selection_required", "choose an organization"),
            ("email_verification_required", "e-mail"),
            ("sso_required", "single sign-on"),
            ("mfa_enrollment", "second factor"),
            ("mfa_challenge", "second factor"),
            ("radar_challenge", "finish"),
            ("interaction_required", "finish"),
        ] {
            let error = failed(poll(403, &format!("{{\"code\":\"{code}\"}}")));
            assert_eq!(error.kind(), ErrorKind::ActionRequired, "{code}");
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.organizations(), None);
        }
        let by_token = failed(poll(403, r#"{"code":"new_step","pending_authentication_token":"pend-1234"}"#));
        assert_eq!(by_token.kind(), ErrorKind::ActionRequired);
        assert!(matches!(poll(429, r#"{"code":"mfa_challenge"}"#), Verdict::Transient));
    }

    #[test]
    fn authkit_refuses_in_a_message_alone() {
        let reply = Reply::json(400, r#"{"message":"Must use SSO for selected organization"}"#);
        let error = failed(of_poll(&reply, Strictness::AuthKit, &[]));
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert_eq!(error.description(), Some("Must use SSO for selected organization"));
        let empty = failed(of_poll(&Reply::json(400, "{}"), Strictness::AuthKit, &[]));
        assert_eq!(empty.kind(), ErrorKind::InvalidResponse);
    }

    // proves: R6749-6-08, R9700-4.14.2-01
    #[test]
    fn a_refresh_tells_a_dead_token_from_a_bad_moment() {
        let refresh = |status, body| of_refresh(&Reply::json(status, body), Strictness::Standard, &["ref-1"]);
        assert!(refresh(200, r#"{"access_token":"t","token_type":"bearer"}"#).is_ok());
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_grant"}"#, ErrorKind::Rejected),
            (200, r#"{"error":"invalid_grant","access_token":"t"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"sso_required"}"#, ErrorKind::ActionRequired),
            (503, r#"{"error":"invalid_grant"}"#, ErrorKind::Network),
            (429, "", ErrorKind::Network),
            (400, r#"{"error":"authorization_pending"}"#, ErrorKind::Rejected),
            (200, "<html>", ErrorKind::InvalidResponse),
        ] {
            assert_eq!(refresh(status, body).unwrap_err().kind(), kind, "{status} {body}");
        }
        assert!(
            refresh(400, r#"{"error":"invalid_grant"}"#).unwrap_err().to_string().contains("log in again")
        );
    }

    // proves: R7009-2.2-01, R7009-2.2-02, R7009-2.2.1-01, R7009-2.2.1-02
    #[test]
    fn a_revocation_succeeds_by_status_and_fails_by_kind() {
        let revoke = |status, body| of_revocation(&Reply::json(status, body), &["tok-1"]);
        assert!(revoke(200, "<html>").is_ok());
        assert!(revoke(200, r#"{"error":"invalid_token"}"#).is_ok());
        assert!(revoke(204, "").is_ok());
        for (status, body, kind) in [
            (400, r#"{"error":"unsupported_token_type"}"#, ErrorKind::Unsupported),
            (401, r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (503, "", ErrorKind::Network),
            (404, "", ErrorKind::InvalidResponse),
            (302, "", ErrorKind::InvalidResponse),
        ] {
            assert_eq!(revoke(status, body).unwrap_err().kind(), kind, "{status} {body}");
        }
    }
}
