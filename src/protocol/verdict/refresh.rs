//! The token endpoint's response to a refresh (RFC 6749 section 6).

use super::{
    Code, Dialect, Reply, TokenResponse, denied, expired, ill_formed, invalid_client, is_step_up, not_now,
    refused, step_up, tokens,
};
use crate::{Error, ErrorKind};

/// Reads the response to a refresh. `sent` are the secrets that the request held.
pub(crate) fn read(reply: &Reply, dialect: Dialect, sent: &[&str]) -> Result<TokenResponse, Error> {
    match reply.code() {
        _ if reply.is_transient() => Err(not_now(reply, sent)),
        Code::Is(code) => Err(failed(reply, &code, sent)),
        Code::IllFormed => Err(ill_formed(reply, sent)),
        Code::Absent => tokens(reply, dialect, sent),
    }
}

fn failed(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    match code {
        "invalid_grant" => reply.error(
            ErrorKind::Rejected,
            "the server no longer accepts this refresh token (used already, expired or revoked): log in again",
            sent,
        ),
        "access_denied" | "authorization_declined" => denied(reply, sent),
        "expired_token" | "code_expired" | "token_expired" => expired(reply, sent),
        _ if is_step_up(reply, code) => step_up(reply, code, sent),
        "invalid_client" | "unauthorized_client" => invalid_client(reply, sent),
        _ => refused(reply, code, sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R6749-6-08, R9700-4.14.2-01
    #[test]
    fn a_refresh_tells_a_dead_token_from_a_bad_moment() {
        let refresh = |status, body| read(&Reply::json(status, body), Dialect::Standard, &["ref-1"]);
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
}
