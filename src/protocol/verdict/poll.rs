//! The token endpoint's response to a poll (RFC 8628 section 3.5).

use std::time::Duration;

use super::{
    Code, Dialect, Reply, TokenResponse, denied, expired, ill_formed, invalid_client, is_step_up, refused,
    step_up, token_or_refusal, unreadable,
};
use crate::{Error, ErrorKind, RetryReason, protocol::grant::whole_interval};

/// The result of one poll.
#[derive(Debug)]
pub(crate) enum Verdict {
    Granted(Box<TokenResponse>),
    /// The user has not decided yet. Some servers name an interval.
    Pending(Option<Duration>),
    /// RFC 8628 section 3.5: add 5 seconds, permanently. Some servers name an interval.
    SlowDown(Option<Duration>),
    /// A temporary failure of the server, or of something in front of it.
    Transient(RetryReason),
    Failed(Error),
}

/// Reads the response to a poll. `sent` contains the secrets of the request. `answered` says whether an earlier poll of
/// this login received a valid response.
pub(crate) fn read(reply: &Reply, dialect: Dialect, sent: &[&str], answered: bool) -> Verdict {
    let interval = || reply.object().ok().and_then(|o| whole_interval(o.number("interval").ok().flatten()));
    let code = reply.code();
    // The four codes of RFC 8628 decide whatever the status is. Servers send them with 200, 400, 401, 403, 428 and 429.
    match &code {
        Code::Is(code) if code.as_str() == "authorization_pending" => Verdict::Pending(interval()),
        Code::Is(code) if code.as_str() == "slow_down" => Verdict::SlowDown(interval()),
        Code::Is(code) if code.as_str() == "access_denied" => Verdict::Failed(denied(reply, sent)),
        Code::Is(code) if code.as_str() == "expired_token" => Verdict::Failed(expired(reply, sent)),
        _ if reply.is_transient() => Verdict::Transient(RetryReason::Http(reply.status)),
        Code::Is(code) => Verdict::Failed(failed(reply, code, sent)),
        Code::IllFormed if answered && is_foreign(reply) => Verdict::Transient(RetryReason::Blocked),
        Code::IllFormed => Verdict::Failed(ill_formed(reply, sent)),
        Code::Absent => match token_or_refusal(reply, dialect, sent) {
            Some(Ok(response)) => Verdict::Granted(Box::new(response)),
            Some(Err(error)) => Verdict::Failed(error),
            None if answered && is_foreign(reply) => Verdict::Transient(RetryReason::Blocked),
            None => Verdict::Failed(unreadable(reply, sent)),
        },
    }
}

/// Returns whether a response without a code may come from something in front of the server, such as a bot check, a
/// captive portal or a gateway.
fn is_foreign(reply: &Reply) -> bool {
    reply.object().is_err() || !matches!(reply.status, 200 | 400 | 401)
}

fn failed(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    match code {
        "authorization_declined" => denied(reply, sent),
        "code_expired" | "token_expired" => expired(reply, sent),
        _ if is_step_up(reply, code) => step_up(reply, code, sent),
        "invalid_grant" | "invalid_request" if reply.names_pkce() => {
            let message = "the server refused PKCE: set the PKCE option to \"never\"";
            reply.error(ErrorKind::Rejected, message, sent)
        }
        "invalid_grant" => reply.error(
            ErrorKind::Rejected,
            "the server no longer accepts the code; if the browser said that you are logged in, the response was lost: start again",
            sent,
        ),
        "invalid_client" | "unauthorized_client" => invalid_client(reply, sent),
        _ => refused(reply, code, sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(status: u16, body: &str) -> Verdict {
        read(&Reply::json(status, body), Dialect::Standard, &["dev-123"], false)
    }

    fn failed(verdict: Verdict) -> Error {
        match verdict {
            Verdict::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    // proves: R8628-3.5-02, R8628-3.5-05, R8628-3.5-06, R8628-3.5-12, D-1, P5-06, P5-07
    #[test]
    fn the_four_device_flow_codes_apply_at_any_status() {
        for status in [200, 400, 401, 403, 408, 428, 429, 500, 503] {
            for member in ["error", "code", "message", "detail"] {
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
    fn other_responses_are_retried_only_on_a_transient_status() {
        for body in [
            r#"{"error":"invalid_grant"}"#,
            r#"{"code":"daily_quota_exceeded"}"#,
            "<html>",
            "",
            r#"{"access_token":"t"}"#,
        ] {
            for status in [408, 429, 500, 502, 503, 504] {
                assert!(matches!(poll(status, body), Verdict::Transient(_)), "{status} {body}");
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
            (r#"{"message":"invalid_grant"}"#, ErrorKind::InvalidResponse),
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
    fn an_error_takes_precedence_over_a_token() {
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
    fn a_token_is_accepted_only_with_a_success_status() {
        let body = r#"{"access_token":"t","token_type":"Bearer"}"#;
        assert!(matches!(poll(200, body), Verdict::Granted(_)));
        assert!(matches!(poll(201, body), Verdict::Granted(_)));
        for status in [202, 204, 206, 302, 400, 404] {
            assert_eq!(failed(poll(status, body)).kind(), ErrorKind::InvalidResponse, "{status}");
        }
    }

    #[test]
    fn step_up_errors_carry_organizations_and_the_pending_token() {
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
        assert!(matches!(poll(429, r#"{"code":"mfa_challenge"}"#), Verdict::Transient(_)));
    }

    #[test]
    fn an_authkit_refusal_with_only_a_message_is_recognized() {
        let reply = Reply::json(400, r#"{"message":"Must use SSO for selected organization"}"#);
        let error = failed(read(&reply, Dialect::AuthKit, &[], true));
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert_eq!(error.description(), Some("Must use SSO for selected organization"));
        let empty = failed(read(&Reply::json(400, "{}"), Dialect::AuthKit, &[], false));
        assert_eq!(empty.kind(), ErrorKind::InvalidResponse);
    }

    #[test]
    fn an_intermediarys_page_after_a_valid_response_is_transient() {
        for (status, body, passes) in [
            (200, "<html>", true),
            (302, "", true),
            (400, "<html>", true),
            (403, "<html>", true),
            (403, "{}", true),
            (404, r#"{"error":{"code":31}}"#, true),
            (511, "<html>", true),
            (200, "{}", false),
            (400, "{}", false),
            (401, r#"{"error":7}"#, false),
            (403, r#"{"error":"made_up"}"#, false),
            (403, r#"{"message":"no"}"#, true),
        ] {
            let verdict = read(&Reply::json(status, body), Dialect::Standard, &[], true);
            assert_eq!(matches!(verdict, Verdict::Transient(_)), passes, "{status} {body}: {verdict:?}");
            let first = read(&Reply::json(status, body), Dialect::Standard, &[], false);
            assert_eq!(matches!(first, Verdict::Transient(_)), status == 511, "{status} {body}: {first:?}");
        }
    }
}
