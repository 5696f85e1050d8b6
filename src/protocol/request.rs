//! Requests: their URLs, their bodies, and how the client authenticates.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use url::Url;
use zeroize::Zeroizing;

use super::{
    metadata::Metadata,
    pkce::Verifier,
    settings::{ClientSettings, RefreshOptions},
};
use crate::{ClientAuth, Secret};

/// The grant type of a poll (RFC 8628 section 3.4).
pub(super) const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A request to the server: a GET, or a POST of a form.
pub(crate) struct Request {
    pub(crate) url: Url,
    /// The `Authorization` header. Wiped when dropped.
    pub(crate) authorization: Option<Zeroizing<String>>,
    /// The body of a POST. Wiped when dropped.
    pub(crate) form: Option<Zeroizing<String>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.url.as_str()).finish()
    }
}

impl Request {
    /// Returns the request of a public document: metadata (RFC 8414 section 3.1), or keys.
    pub(crate) fn document(url: Url) -> Self {
        Self { url, authorization: None, form: None }
    }

    /// Returns a request to the userinfo endpoint (OpenID Connect Core section 5.3.1). `None` if the server has none.
    pub(super) fn userinfo(server: &Metadata, access_token: &Secret) -> Option<Self> {
        let url = server.userinfo_endpoint.clone()?;
        let authorization = Zeroizing::new(format!("Bearer {}", access_token.expose()));
        Some(Self { url, authorization: Some(authorization), form: None })
    }

    /// Returns the device authorization request (RFC 8628 section 3.1), with a challenge if the login uses PKCE. `None`
    /// if the server does not offer the device flow.
    pub(super) fn device_authorization(
        client: &ClientSettings,
        server: &Metadata,
        pkce: Option<&Verifier>,
    ) -> Option<Self> {
        let url = server.device_authorization_endpoint.clone()?;
        let scope = client.scopes.join(" ");
        let scope = Some(("scope", scope.as_str())).filter(|(_, value)| !value.is_empty());
        let challenge =
            pkce.map(|pkce| [("code_challenge", pkce.challenge.as_str()), ("code_challenge_method", "S256")]);
        let pairs = scope.into_iter().chain(challenge.into_iter().flatten());
        Some(Self::post(url, client, server, pairs.chain(borrowed(&client.params))))
    }

    /// Returns a poll of the token endpoint (RFC 8628 section 3.4).
    pub(super) fn poll(
        client: &ClientSettings,
        server: &Metadata,
        device_code: &Secret,
        pkce: Option<&Verifier>,
    ) -> Self {
        let pairs = [("grant_type", DEVICE_CODE_GRANT), ("device_code", device_code.expose())];
        let verifier = pkce.map(|pkce| ("code_verifier", pkce.verifier.expose()));
        let pairs = pairs.into_iter().chain(verifier).chain(borrowed(&client.token_params));
        Self::post(server.token_endpoint.clone(), client, server, pairs)
    }

    /// Returns a refresh (RFC 6749 section 6). A parameter of `options` replaces those of the client with its name.
    pub(crate) fn refresh(
        client: &ClientSettings,
        server: &Metadata,
        refresh_token: &Secret,
        options: &RefreshOptions,
    ) -> Self {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let scope = options.scopes.join(" ");
        let scope = Some(("scope", scope.as_str())).filter(|(_, value)| !value.is_empty());
        let is_replaced = |name: &str| options.params.iter().any(|(replacing, _)| replacing == name);
        let params = borrowed(&client.refresh_params).filter(|(name, _)| !is_replaced(name));
        let pairs = pairs.into_iter().chain(scope).chain(params).chain(borrowed(&options.params));
        Self::post(server.token_endpoint.clone(), client, server, pairs)
    }

    /// Returns a revocation (RFC 7009 section 2.1). `None` if the server has no revocation endpoint.
    pub(super) fn revocation(client: &ClientSettings, server: &Metadata, token: &Secret) -> Option<Self> {
        let url = server.revocation_endpoint.clone()?;
        Some(Self::post(url, client, server, [("token", token.expose())]))
    }

    fn post<'a>(
        url: Url,
        client: &ClientSettings,
        server: &Metadata,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(pairs);
        let id = &client.client_id;
        let mut authorization = None;
        match &client.secret {
            None => {
                body.append_pair("client_id", id);
            }
            Some((secret, auth)) if is_post(*auth, server) => {
                body.append_pair("client_id", id).append_pair("client_secret", secret.expose());
            }
            Some((secret, _)) => authorization = Some(basic(id, secret)),
        }
        Self { url, authorization, form: Some(Zeroizing::new(body.finish())) }
    }
}

fn borrowed(params: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Returns whether the secret is sent in the body.
fn is_post(auth: ClientAuth, server: &Metadata) -> bool {
    match auth {
        ClientAuth::Auto => server.prefers_client_secret_post,
        ClientAuth::ClientSecretBasic => false,
        ClientAuth::ClientSecretPost => true,
    }
}

/// Returns the value of the `Authorization` header. Id and secret are form-encoded before they are joined (RFC 6749
/// section 2.3.1).
pub(crate) fn basic(id: &str, secret: &Secret) -> Zeroizing<String> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let secret = Zeroizing::new(encode(secret.expose()));
    let pair = Zeroizing::new(format!("{}:{}", encode(id), secret.as_str()));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &Request) -> &str {
        request.form.as_ref().unwrap()
    }

    fn pairs(request: &Request) -> Vec<(String, String)> {
        form_urlencoded::parse(body(request).as_bytes()).into_owned().collect()
    }

    fn confidential(client_id: &str, secret: &str, auth: ClientAuth) -> ClientSettings {
        ClientSettings { secret: Some((Secret::new(secret), auth)), ..ClientSettings::public(client_id) }
    }

    // proves: R8628-3.1-02, R8628-3.1-03, R8628-3.1-05, R8628-3.1-06, R8628-3.1-10
    #[test]
    fn public_clients_send_their_id_once_and_no_empty_parameter() {
        let server = Metadata::example();
        let plain = Request::device_authorization(&ClientSettings::public("id"), &server, None).unwrap();
        assert_eq!(Some(&plain.url), server.device_authorization_endpoint.as_ref());
        assert_eq!(body(&plain), "client_id=id");
        assert!(plain.authorization.is_none());
        let client = ClientSettings {
            scopes: vec!["a".into(), "b".into()],
            params: vec![("audience".into(), "x".into())],
            ..ClientSettings::public("id")
        };
        let full = Request::device_authorization(&client, &server, None).unwrap();
        assert_eq!(body(&full), "scope=a+b&audience=x&client_id=id");
    }

    // proves: R8628-3.4-01, R8628-3.4-02, R8628-3.4-03, R6749-B-01
    #[test]
    fn a_poll_sends_the_device_code_unchanged() {
        let (client, server) = (ClientSettings::public("id"), Metadata::example());
        let poll = Request::poll(&client, &server, &Secret::new("a+b&c=d%e/f é\u{20ac}"), None);
        assert_eq!(poll.url, server.token_endpoint);
        assert_eq!(
            pairs(&poll),
            [
                ("grant_type".into(), "urn:ietf:params:oauth:grant-type:device_code".into()),
                ("device_code".to_owned(), "a+b&c=d%e/f é\u{20ac}".to_owned()),
                ("client_id".into(), "id".into())
            ]
        );
        let vector = Request::revocation(&client, &server, &Secret::new(" %&+£€")).unwrap();
        assert_eq!(body(&vector), "token=+%25%26%2B%C2%A3%E2%82%AC&client_id=id");
    }

    // proves: R6749-2.3-01, R6749-2.3.1-01, R6749-2.3.1-02, R6749-2.3.1-03, R8628-3.1-08, R8628-3.4-04
    #[test]
    fn a_confidential_client_uses_one_authentication_method() {
        let server = Metadata::example();
        let client = confidential("a:b c", "p%+é", ClientAuth::ClientSecretBasic);
        let basic = Request::poll(&client, &server, &Secret::new("d"), None);
        assert!(!body(&basic).contains("client"), "{}", body(&basic));
        let header = basic.authorization.unwrap();
        let pair = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(pair, b"a%3Ab+c:p%25%2B%C3%A9");

        let client = confidential("id", "s", ClientAuth::ClientSecretPost);
        let post = Request::refresh(&client, &server, &Secret::new("r"), &RefreshOptions::new());
        assert_eq!(body(&post), "grant_type=refresh_token&refresh_token=r&client_id=id&client_secret=s");
        assert!(post.authorization.is_none());
    }

    #[test]
    fn automatic_client_authentication_follows_the_metadata() {
        let client = confidential("id", "s", ClientAuth::Auto);
        for (prefers_client_secret_post, by_header) in [(false, true), (true, false)] {
            let server = Metadata { prefers_client_secret_post, ..Metadata::example() };
            let request = Request::refresh(&client, &server, &Secret::new("r"), &RefreshOptions::new());
            assert_eq!(request.authorization.is_some(), by_header);
        }
    }
}
