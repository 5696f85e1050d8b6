//! The revocation endpoint's response (RFC 7009 section 2.2).

use super::{Code, Reply, invalid_client, not_now, refused, unreadable};
use crate::{Error, ErrorKind};

/// Reads the response to a revocation. Any 2xx status is success, whatever the body, even for a token that the server
/// never issued. `sent` contains the secrets of the request.
pub(crate) fn read(reply: &Reply, sent: &[&str]) -> Result<(), Error> {
    if matches!(reply.status, 200..=299) {
        return Ok(());
    }
    match reply.code() {
        _ if reply.is_transient() => Err(not_now(reply, sent)),
        Code::Is(code) => Err(failed(reply, &code, sent)),
        Code::Absent | Code::IllFormed => Err(unreadable(reply, sent)),
    }
}

fn failed(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    match code {
        "unsupported_token_type" => {
            reply.error(ErrorKind::Unsupported, "the server cannot revoke this kind of token", sent)
        }
        "temporarily_unavailable" | "server_error" | "slow_down" => not_now(reply, sent),
        "invalid_client" | "unauthorized_client" => invalid_client(reply, sent),
        _ => refused(reply, code, sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R7009-2.2-01, R7009-2.2-02, R7009-2.2.1-01, R7009-2.2.1-02
    #[test]
    fn revocation_responses_map_to_success_or_an_error_kind() {
        let revoke = |status, body| read(&Reply::json(status, body), &["tok-1"]);
        assert!(revoke(200, "<html>").is_ok());
        assert!(revoke(200, r#"{"error":"invalid_token"}"#).is_ok());
        assert!(revoke(204, "").is_ok());
        for (status, body, kind) in [
            (400, r#"{"error":"unsupported_token_type"}"#, ErrorKind::Unsupported),
            (401, r#"{"error":"invalid_client"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"access_denied"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"expired_token"}"#, ErrorKind::Rejected),
            (400, r#"{"error":"server_error"}"#, ErrorKind::Network),
            (503, "", ErrorKind::Network),
            (404, "", ErrorKind::InvalidResponse),
            (302, "", ErrorKind::InvalidResponse),
        ] {
            assert_eq!(revoke(status, body).unwrap_err().kind(), kind, "{status} {body}");
        }
    }
}
