//! The token endpoint's response to a refresh (RFC 6749 section 6).

use super::{
    Code, Dialect, Reply, TokenResponse, invalid_client, is_step_up, refused, step_up, token_or_refusal,
};
use crate::{Error, ErrorKind, ErrorReason};

/// Reads the response to a refresh. `sent` contains the secrets of the request.
///
/// The refresh token is dead only if the error code says so. A response that means "later" is a temporary failure. So
/// is one without a valid code, unless it contains a token or is a refusal of AuthKit: a gateway's page must not log
/// the user out.
pub(crate) fn read(reply: &Reply, dialect: Dialect, sent: &[&str]) -> Result<TokenResponse, Error> {
    match reply.code() {
        _ if reply.is_transient() => Err(later(reply, sent)),
        Code::Is(code) => Err(failed(reply, &code, sent)),
        Code::IllFormed => Err(later(reply, sent)),
        Code::Absent => match token_or_refusal(reply, dialect, sent) {
            // Nothing in it was used: the response is as good as lost.
            Some(Err(error)) if error.kind() == ErrorKind::InvalidResponse => Err(later(reply, sent)),
            Some(outcome) => outcome,
            None => Err(later(reply, sent)),
        },
    }
}

fn failed(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    match code {
        _ if is_step_up(reply, code) => step_up(reply, code, sent),
        "invalid_grant" | "expired_token" | "token_expired" | "invalid_token" => {
            let message = "the refresh token is no longer valid (used, expired or revoked): log in again";
            reply.error(ErrorKind::LoginRequired, message, sent).with_reason(ErrorReason::SessionEnded)
        }
        "slow_down"
        | "authorization_pending"
        | "temporarily_unavailable"
        | "server_error"
        | "rate_limit_exceeded"
        | "too_many_requests" => later(reply, sent),
        "invalid_client" | "unauthorized_client" => invalid_client(reply, sent),
        _ => refused(reply, code, sent),
    }
}

fn later(reply: &Reply, sent: &[&str]) -> Error {
    let what = match reply.object() {
        Err(what) if !reply.is_transient() => format!(" with {what}"),
        _ => String::new(),
    };
    let message =
        format!("the server cannot refresh the token now (HTTP {}{what}): try again later", reply.status);
    reply.error(ErrorKind::Network, &message, sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claims_challenge_is_an_action_and_a_dead_token_is_not() {
        let refused = |members: &str| {
            let body = format!(r#"{{"error":"invalid_grant",{members}}}"#);
            let error = read(&Reply::json(400, &body), Dialect::Standard, &["ref-1"]).unwrap_err();
            (error.kind(), error.claims().map(str::to_owned))
        };
        let claims = r#""claims":"{\"access_token\":{\"x\":\"ref-1\"}}""#;
        let masked = Some(r#"{"access_token":{"x":"****"}}"#.to_owned());
        assert_eq!(refused(claims), (ErrorKind::ActionRequired, masked.clone()));
        assert_eq!(
            refused(&format!(r#"{claims},"suberror":"bad_token""#)),
            (ErrorKind::ActionRequired, masked)
        );
        for action in [
            "basic_action",
            "additional_action",
            "consent_required",
            "user_password_expired",
            "interaction_required",
        ] {
            let suberror = format!(r#""suberror":"{action}""#);
            assert_eq!(refused(&suberror), (ErrorKind::ActionRequired, None), "{action}");
        }
        for number in [50072, 50074, 50076, 50078, 50079, 65001] {
            let codes = format!(r#""error_codes":[1,{number}]"#);
            assert_eq!(refused(&codes), (ErrorKind::ActionRequired, None), "{number}");
        }
        for dead in [
            r#""suberror":"bad_token""#,
            r#""suberror":"token_expired""#,
            r#""suberror":"made_up""#,
            r#""error_codes":[700082]"#,
            r#""error_codes":"50076""#,
            r#""claims":"""#,
            r#""claims":{}"#,
        ] {
            assert_eq!(refused(dead), (ErrorKind::LoginRequired, None), "{dead}");
        }
    }

    // proves: R6749-6-08, R9700-4.14.2-01
    #[test]
    fn a_rejected_token_and_a_transient_failure_are_distinguished() {
        let refresh = |status, body| read(&Reply::json(status, body), Dialect::Standard, &["ref-1"]);
        assert!(refresh(200, r#"{"access_token":"t","token_type":"bearer"}"#).is_ok());
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_grant"}"#, ErrorKind::LoginRequired),
            (401, r#"{"error":"invalid_grant"}"#, ErrorKind::LoginRequired),
            (200, r#"{"error":"invalid_grant","access_token":"t"}"#, ErrorKind::LoginRequired),
            (400, r#"{"error":"expired_token"}"#, ErrorKind::LoginRequired),
            (400, r#"{"error":"token_expired"}"#, ErrorKind::LoginRequired),
            (401, r#"{"error":"invalid_token"}"#, ErrorKind::LoginRequired),
            (400, r#"{"error":"sso_required"}"#, ErrorKind::ActionRequired),
            (400, r#"{"error":"access_denied"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"made_up"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"slow_down"}"#, ErrorKind::Network),
            (400, r#"{"error":"authorization_pending"}"#, ErrorKind::Network),
            (400, r#"{"error":"temporarily_unavailable"}"#, ErrorKind::Network),
            (400, r#"{"error":"server_error"}"#, ErrorKind::Network),
            (503, r#"{"error":"invalid_grant"}"#, ErrorKind::Network),
            (400, r#"{"error":7}"#, ErrorKind::Network),
            (429, "", ErrorKind::Network),
            (404, "<html>", ErrorKind::Network),
            (302, "", ErrorKind::Network),
            (200, "<html>", ErrorKind::Network),
            (200, "{}", ErrorKind::Network),
            (200, r#"{"access_token":5,"token_type":"bearer"}"#, ErrorKind::Network),
            (200, r#"{"access_token":null,"token_type":"bearer"}"#, ErrorKind::Network),
            (200, r#"{"access_token":"t","token_type":"mac"}"#, ErrorKind::Unsupported),
        ] {
            assert_eq!(refresh(status, body).unwrap_err().kind(), kind, "{status} {body}");
        }
        let dead = refresh(400, r#"{"error":"invalid_grant"}"#).unwrap_err();
        assert!(dead.to_string().contains("log in again"), "{dead}");
    }

    #[test]
    fn an_authkit_message_without_a_code_rejects_on_four_statuses() {
        let refresh = |status| {
            let reply = Reply::json(status, r#"{"message":"No such client"}"#);
            read(&reply, Dialect::AuthKit, &[]).unwrap_err().kind()
        };
        for status in [400, 403, 404, 422] {
            assert_eq!(refresh(status), ErrorKind::Rejected, "{status}");
        }
        for status in [200, 401, 409, 418, 500] {
            assert_eq!(refresh(status), ErrorKind::Network, "{status}");
        }
    }
}
