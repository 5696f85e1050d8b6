//! The userinfo endpoint's response (OpenID Connect Core sections 5.3.2 and 5.3.3).

use super::{Code, Reply, not_now};
use crate::{Error, ErrorKind, Identity, protocol::identity, secret::Masker};

/// Reads the response. `subject` is the user that the program expects. `sent` contains the secrets of the request, and
/// `access_token` is the only one of them that is masked in the user's data.
pub(crate) fn read(
    reply: &Reply,
    subject: Option<&str>,
    access_token: &str,
    sent: &[&str],
) -> Result<Identity, Error> {
    let refuse = |kind, message: &str| Err(reply.error(kind, message, sent));
    let invalid = |what: &str| {
        let message = format!("the server's userinfo response is invalid: {what}");
        refuse(ErrorKind::InvalidResponse, &message)
    };
    if reply.is_transient() {
        return Err(not_now(reply, sent));
    }
    // RFC 6750 section 3.1. The code may be in a header that is not read.
    let message = match (reply.status, reply.code()) {
        (401, _) => {
            Some("the server no longer accepts the access token: refresh it, or log in again".to_owned())
        }
        (_, Code::Is(code)) if code.as_str() == "insufficient_scope" => {
            Some("the access token may not be used to ask for the user: request the scope openid".to_owned())
        }
        (_, Code::Is(code)) => Some(format!("the server refused the request ({})", code.as_str())),
        (403, _) => Some("the server refused the request (HTTP 403)".to_owned()),
        _ => None,
    };
    if let Some(message) = message {
        return refuse(ErrorKind::Rejected, &message);
    }
    let object = match reply.object() {
        Ok(object) if reply.status == 200 => object,
        Ok(_) => return invalid(&format!("HTTP {}", reply.status)),
        Err(what) => return invalid(&format!("HTTP {} with {what}", reply.status)),
    };
    let masker = Masker::new([access_token]);
    let found = match object.string("sub") {
        Ok(Some(found)) if !found.is_empty() => found,
        Ok(_) => return invalid("`sub` is missing"),
        Err(_) => return invalid("`sub` is of the wrong type"),
    };
    if subject.is_some_and(|expected| expected != found) {
        return invalid("it is about another user");
    }
    Ok(identity::of_claims(&found, &object, &masker))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, subject: Option<&str>) -> Result<Identity, Error> {
        super::read(&Reply::json(status, body), subject, "tok-1", &["tok-1", "acme"])
    }

    // proves: OIDCC-5.3.2-01
    #[test]
    fn the_subject_must_be_the_expected_one() {
        let body = r#"{"sub":"u1","email":"a@acme","email_verified":true,"name":"tok-1","n":[1]}"#;
        for expected in [None, Some("u1")] {
            let user = read(200, body, expected).unwrap();
            assert_eq!((user.subject(), user.email(), user.name()), ("u1", Some("a@acme"), Some("****")));
            assert_eq!((user.email_verified(), user.claim("n")), (Some(true), Some("[1]")));
        }
        let error = read(200, body, Some("u2")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.to_string().contains("another user"), "{error}");
    }

    #[test]
    fn every_other_response_is_an_error() {
        for (status, body, kind) in [
            (200, "{}", ErrorKind::InvalidResponse),
            (200, r#"{"sub":""}"#, ErrorKind::InvalidResponse),
            (200, r#"{"sub":5}"#, ErrorKind::InvalidResponse),
            (200, "x", ErrorKind::InvalidResponse),
            (302, r#"{"sub":"u1"}"#, ErrorKind::InvalidResponse),
            (404, r#"{"sub":"u1"}"#, ErrorKind::InvalidResponse),
            (401, "", ErrorKind::Rejected),
            (400, r#"{"error":"invalid_token"}"#, ErrorKind::Rejected),
            (403, "", ErrorKind::Rejected),
            (403, r#"{"error":"insufficient_scope"}"#, ErrorKind::Rejected),
            (429, "", ErrorKind::Network),
            (503, r#"{"sub":"u1"}"#, ErrorKind::Network),
        ] {
            assert_eq!(read(status, body, None).unwrap_err().kind(), kind, "{status} {body}");
        }
    }
}
