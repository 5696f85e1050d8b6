//! The bodies and the authentication of our requests.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use crate::Secret;

/// RFC 8628 section 3.4.
const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How the client tells the server who it is (RFC 6749 section 2.3).
#[derive(Clone, Debug)]
pub(crate) enum ClientAuth {
    /// A public client: `client_id` in the body, no secret.
    Public,
    /// HTTP Basic, which RFC 6749 prefers.
    Basic(Secret),
    /// `client_secret` in the body, for servers that know nothing else.
    Body(Secret),
}

/// A request's body, and its `Authorization` header where the client uses Basic. Both are wiped when dropped.
pub(crate) struct Form {
    pub(crate) body: Zeroizing<String>,
    pub(crate) authorization: Option<Zeroizing<String>>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form(****)")
    }
}

/// The device authorization request (RFC 8628 section 3.1).
pub(crate) fn device_authorization(
    id: &str,
    auth: &ClientAuth,
    scopes: &[String],
    params: &[(String, String)],
) -> Form {
    let scope = scopes.join(" ");
    let own = [("scope", scope.as_str())].into_iter().filter(|(_, value)| !value.is_empty());
    form(id, auth, own.chain(params.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
}

/// A poll of the token endpoint (RFC 8628 section 3.4).
pub(crate) fn poll(id: &str, auth: &ClientAuth, device_code: &Secret) -> Form {
    form(id, auth, [("grant_type", DEVICE_CODE_GRANT), ("device_code", device_code.expose())])
}

/// A refresh (RFC 6749 section 6).
pub(crate) fn refresh(id: &str, auth: &ClientAuth, refresh_token: &Secret) -> Form {
    form(id, auth, [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())])
}

/// A revocation (RFC 7009 section 2.1).
pub(crate) fn revocation(id: &str, auth: &ClientAuth, token: &Secret) -> Form {
    form(id, auth, [("token", token.expose())])
}

fn form<'a>(id: &str, auth: &ClientAuth, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Form {
    let mut body = Serializer::new(String::new());
    body.extend_pairs(pairs);
    let mut authorization = None;
    match auth {
        ClientAuth::Public => {
            body.append_pair("client_id", id);
        }
        ClientAuth::Body(secret) => {
            body.append_pair("client_id", id).append_pair("client_secret", secret.expose());
        }
        ClientAuth::Basic(secret) => authorization = Some(basic(id, secret)),
    }
    Form { body: Zeroizing::new(body.finish()), authorization }
}

/// RFC 6749 section 2.3.1: both are form-encoded before they are joined.
pub(crate) fn basic(id: &str, secret: &Secret) -> Zeroizing<String> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let secret = Zeroizing::new(encode(secret.expose()));
    let pair = Zeroizing::new(format!("{}:{}", encode(id), secret.as_str()));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(form: &Form) -> Vec<(String, String)> {
        form_urlencoded::parse(form.body.as_bytes()).into_owned().collect()
    }

    // proves: R8628-3.1-02, R8628-3.1-03, R8628-3.1-05, R8628-3.1-06, R8628-3.1-10
    #[test]
    fn a_public_client_names_itself_once_and_sends_nothing_empty() {
        let plain = device_authorization("id", &ClientAuth::Public, &[], &[]);
        assert_eq!(plain.body.as_str(), "client_id=id");
        assert!(plain.authorization.is_none());
        let scopes = ["a".to_owned(), "b".to_owned()];
        let full =
            device_authorization("id", &ClientAuth::Public, &scopes, &[("audience".into(), "x".into())]);
        assert_eq!(full.body.as_str(), "scope=a+b&audience=x&client_id=id");
    }

    // proves: R8628-3.4-01, R8628-3.4-02, R8628-3.4-03, R6749-B-01
    #[test]
    fn a_poll_sends_the_code_back_unchanged() {
        let form = poll("id", &ClientAuth::Public, &Secret::new("a+b&c=d%e/f é\u{20ac}"));
        assert_eq!(
            pairs(&form),
            [
                ("grant_type".into(), "urn:ietf:params:oauth:grant-type:device_code".into()),
                ("device_code".to_owned(), "a+b&c=d%e/f é\u{20ac}".to_owned()),
                ("client_id".into(), "id".into())
            ]
        );
        let vector = form_for_value(" %&+£€");
        assert_eq!(vector, "token=+%25%26%2B%C2%A3%E2%82%AC&client_id=id");
    }

    fn form_for_value(value: &str) -> String {
        revocation("id", &ClientAuth::Public, &Secret::new(value)).body.to_string()
    }

    // proves: R6749-2.3-01, R6749-2.3.1-01, R6749-2.3.1-02, R6749-2.3.1-03, R8628-3.1-08, R8628-3.4-04
    #[test]
    fn a_confidential_client_uses_one_way_to_authenticate() {
        let basic = poll("a:b c", &ClientAuth::Basic(Secret::new("p%+é")), &Secret::new("d"));
        assert!(!basic.body.contains("client"), "{}", basic.body.as_str());
        let header = basic.authorization.unwrap();
        let pair = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(pair, b"a%3Ab+c:p%25%2B%C3%A9");

        let body = refresh("id", &ClientAuth::Body(Secret::new("s")), &Secret::new("r"));
        assert_eq!(
            body.body.as_str(),
            "grant_type=refresh_token&refresh_token=r&client_id=id&client_secret=s"
        );
        assert!(body.authorization.is_none());
    }
}
