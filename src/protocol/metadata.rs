//! Authorization server metadata (RFC 8414) and OpenID Connect Discovery 1.0.

use url::Url;

use super::{
    json::{IllTyped, Object},
    reply::Reply,
    request::DEVICE_CODE_GRANT,
    uri::{self, Loopback},
};
use crate::{Error, ErrorKind};

/// An issuer identifier, exactly as the program set it. It is compared code point by code point (RFC 8414 section 4).
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    text: String,
    url: Url,
    named: Box<NamedEndpoints>,
}

/// Endpoints that the program named. They take precedence over those of the metadata.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedEndpoints {
    pub(crate) device_authorization: Option<Url>,
    pub(crate) token: Option<Url>,
    pub(crate) revocation: Option<Url>,
}

/// What a client needs to know about a server.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// `None` if the server does not offer the device flow. Refresh and revocation are still possible.
    pub(crate) device_authorization_endpoint: Option<Url>,
    /// Whether `grant_types_supported` lists the device flow.
    pub(crate) lists_device_flow: bool,
    /// Whether the server supports PKCE with the method `S256`.
    pub(crate) lists_pkce: bool,
    pub(crate) token_endpoint: Url,
    pub(crate) revocation_endpoint: Option<Url>,
    pub(crate) userinfo_endpoint: Option<Url>,
    /// The issuer of the server's ID tokens. `None` if it is not known, or if there are none.
    pub(crate) issuer: Option<Issuer>,
    /// The URL of the keys that verify them.
    pub(crate) jwks_uri: Option<Url>,
    /// Whether the server supports `client_secret_post` but not `client_secret_basic`, which is the default (RFC 8414
    /// section 2).
    pub(crate) prefers_client_secret_post: bool,
}

/// The reason why there is no metadata.
#[derive(Debug)]
pub(crate) enum NoMetadata {
    /// There is no usable document at this URL. The other well-known URL may have one.
    Elsewhere(Error),
    /// There is a document, and it is invalid. The other URL is not requested, so that no document is chosen over
    /// another.
    Refused(Error),
}

impl Issuer {
    /// Parses an issuer. It must use https and have no query and no fragment (RFC 8414 section 2).
    pub(crate) fn parse(text: &str, loopback: Loopback) -> Result<Self, &'static str> {
        if text.contains(['{', '}']) {
            return Err("is a template: replace the part in braces, for example by the ID of your tenant");
        }
        let url = uri::endpoint(text, loopback)?;
        if url.query().is_some() {
            return Err("must not have a query (?…)");
        }
        Ok(Self { text: text.to_owned(), url, named: Box::default() })
    }

    /// The issuer as it is compared.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn with_endpoints(self, named: NamedEndpoints) -> Self {
        Self { named: Box::new(named), ..self }
    }

    /// Returns the URLs of the document in the order in which they are requested. RFC 8414 section 3.1 inserts the
    /// well-known path before the issuer's path; OpenID Connect Discovery section 4 appends it.
    pub(crate) fn well_known(&self) -> [Url; 2] {
        let path = self.url.path().trim_end_matches('/').to_owned();
        let at = |path: String| {
            let mut url = self.url.clone();
            url.set_path(&path);
            url
        };
        [
            at(format!("/.well-known/oauth-authorization-server{path}")),
            at(format!("{path}/.well-known/openid-configuration")),
        ]
    }

    /// Reads a metadata document and checks that it belongs to this issuer.
    pub(crate) fn read(
        &self,
        reply: &Reply,
        address: &Url,
        loopback: Loopback,
    ) -> Result<Metadata, NoMetadata> {
        let error = |kind, message: String| reply.error(kind, &message, &[]);
        if reply.is_transient() {
            let message = format!(
                "the server cannot give its metadata now (HTTP {} at {address}): try again later",
                reply.status
            );
            return Err(NoMetadata::Elsewhere(error(ErrorKind::Network, message)));
        }
        let object = match reply.object() {
            Ok(object) if reply.status == 200 => object,
            Ok(_) => {
                let message = format!("no metadata at {address} (HTTP {}): check the issuer", reply.status);
                return Err(NoMetadata::Elsewhere(error(ErrorKind::Unsupported, message)));
            }
            Err(what) if reply.status == 200 || matches!(reply.status, 300..=399) => {
                let message = format!("unusable metadata at {address}: HTTP {} with {what}", reply.status);
                return Err(NoMetadata::Elsewhere(error(ErrorKind::InvalidResponse, message)));
            }
            Err(_) => {
                let message = format!("no metadata at {address} (HTTP {}): check the issuer", reply.status);
                return Err(NoMetadata::Elsewhere(error(ErrorKind::Unsupported, message)));
            }
        };
        // Endpoints that use http to this machine are allowed only if the issuer itself does so.
        let loopback = if self.url.scheme() == "http" { loopback } else { Loopback::Refused };
        self.members(&object, loopback)
            .map_err(|(kind, what)| NoMetadata::Refused(error(kind, format!("{what} ({address})"))))
    }

    fn members(&self, object: &Object<'_>, loopback: Loopback) -> Result<Metadata, (ErrorKind, String)> {
        let invalid =
            |what: String| (ErrorKind::InvalidResponse, format!("the server's metadata was refused: {what}"));
        let text = |name: &str| {
            object.string(name).map_err(|IllTyped(name)| invalid(format!("`{name}` is of the wrong type")))
        };
        match text("issuer")? {
            Some(issuer) if issuer == self.text => {}
            // Microsoft Entra ID responds so to `common` and `organizations`.
            Some(issuer) if issuer.contains(['{', '}']) => {
                return Err(invalid(format!(
                    "its issuer is the template \"{issuer}\": use the issuer of one tenant, with its ID in place of the \
                     braces"
                )));
            }
            Some(issuer) => {
                return Err(invalid(format!(
                    "it is not for \"{}\", but for the issuer \"{issuer}\"",
                    self.text
                )));
            }
            None => return Err(invalid("`issuer` is missing".into())),
        }
        let endpoint = |name: &str| match text(name)? {
            Some(url) => {
                uri::endpoint(&url, loopback).map(Some).map_err(|why| invalid(format!("`{name}` {why}")))
            }
            None => Ok(None),
        };
        let named = &self.named;
        let endpoint_unless = |named: &Option<Url>, name: &str| match named {
            Some(url) => Ok(Some(url.clone())),
            None => endpoint(name),
        };
        let token_endpoint = endpoint_unless(&named.token, "token_endpoint")?;
        let revocation_endpoint = endpoint_unless(&named.revocation, "revocation_endpoint")?;
        let device_authorization_endpoint =
            endpoint_unless(&named.device_authorization, "device_authorization_endpoint")?;
        let grants = object.strings("grant_types_supported").unwrap_or_default();
        let challenges = object.strings("code_challenge_methods_supported").unwrap_or_default();
        let methods = object.strings("token_endpoint_auth_methods_supported").unwrap_or_default();
        let offers = |method: &str| methods.iter().any(|m| m == method);
        Ok(Metadata {
            device_authorization_endpoint,
            lists_device_flow: grants.iter().any(|grant| grant == DEVICE_CODE_GRANT),
            lists_pkce: challenges.iter().any(|method| method == "S256"),
            token_endpoint: token_endpoint.ok_or_else(|| invalid("`token_endpoint` is missing".into()))?,
            revocation_endpoint,
            // No login needs it: one that cannot be used is as good as none.
            userinfo_endpoint: endpoint("userinfo_endpoint").ok().flatten(),
            issuer: Some(self.clone()),
            jwks_uri: endpoint("jwks_uri")?,
            prefers_client_secret_post: offers("client_secret_post") && !offers("client_secret_basic"),
        })
    }
}

impl Metadata {
    /// Whether the document contradicts itself: it lists the device flow, and has no endpoint for it.
    pub(crate) fn lacks_device_endpoint(&self) -> bool {
        self.lists_device_flow && self.device_authorization_endpoint.is_none()
    }

    /// Whether polls go to the server that issued the code.
    pub(super) fn has_one_origin(&self) -> bool {
        let device = self.device_authorization_endpoint.as_ref().map(Url::origin);
        device == Some(self.token_endpoint.origin())
    }
}

#[cfg(test)]
impl Metadata {
    /// The endpoints of a server that offers everything, for unit tests.
    pub(crate) fn example() -> Self {
        let at = |path: &str| Url::parse(&format!("https://h/{path}")).unwrap();
        Self {
            device_authorization_endpoint: Some(at("device")),
            lists_device_flow: true,
            lists_pkce: false,
            token_endpoint: at("token"),
            revocation_endpoint: Some(at("revoke")),
            userinfo_endpoint: Some(at("userinfo")),
            issuer: Issuer::parse("https://h", Loopback::Refused).ok(),
            jwks_uri: Some(at("jwks")),
            prefers_client_secret_post: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text, Loopback::Allowed).unwrap()
    }

    fn read(issuer_text: &str, status: u16, body: &str) -> Result<Metadata, NoMetadata> {
        let issuer = issuer(issuer_text);
        issuer.read(&Reply::json(status, body), &issuer.well_known()[0], Loopback::Allowed)
    }

    fn refused(result: Result<Metadata, NoMetadata>) -> Error {
        match result.unwrap_err() {
            NoMetadata::Refused(error) => error,
            NoMetadata::Elsewhere(error) => panic!("{error}"),
        }
    }

    const GOOD: &str = r#"{"issuer":"https://h/t","device_authorization_endpoint":"https://h/d","token_endpoint":"https://h/k?x=1","more":[1]}"#;

    // proves: R8414-2-01
    #[test]
    fn an_issuer_must_be_https_without_query_or_fragment() {
        for bad in ["http://example.com", "https://h?x", "https://h#y", "h", "https://u@h"] {
            assert!(Issuer::parse(bad, Loopback::Allowed).is_err(), "{bad}");
        }
        let template = Issuer::parse("https://h/{tenantid}/v2.0", Loopback::Refused);
        assert!(template.unwrap_err().starts_with("is a template"));
        assert!(Issuer::parse("http://127.0.0.1:1", Loopback::Refused).is_err());
    }

    // proves: R8414-3-01, R8414-3.1-02, OIDCD-4-01, P5-20
    #[test]
    fn well_known_urls_insert_or_append_the_suffix() {
        for (text, first, second) in [
            (
                "https://h",
                "https://h/.well-known/oauth-authorization-server",
                "https://h/.well-known/openid-configuration",
            ),
            (
                "https://h/",
                "https://h/.well-known/oauth-authorization-server",
                "https://h/.well-known/openid-configuration",
            ),
            (
                "https://h/t",
                "https://h/.well-known/oauth-authorization-server/t",
                "https://h/t/.well-known/openid-configuration",
            ),
            (
                "https://h/t/",
                "https://h/.well-known/oauth-authorization-server/t",
                "https://h/t/.well-known/openid-configuration",
            ),
        ] {
            let [a, b] = issuer(text).well_known();
            assert_eq!((a.as_str(), b.as_str()), (first, second), "{text}");
        }
    }

    // proves: R8414-3.3-01, R8414-4-01, R8414-6.2-01, OIDCD-4.3-01, P5-20
    #[test]
    fn the_issuer_must_match_code_point_by_code_point() {
        assert!(read("https://h/t", 200, GOOD).is_ok());
        assert!(read("https://h/t", 200, &GOOD.replace("https://h/t\"", "\\u0068ttps://h/t\"")).is_ok());
        for other in ["https://h/t/", "https://H/t", "https://h:443/t", "https://h/T", "https://h"] {
            let error = refused(read(other, 200, GOOD));
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{other}");
            assert!(error.to_string().contains(other), "{error}");
        }
        assert!(
            refused(read("https://h/t", 200, &GOOD.replace("issuer", "iss")))
                .to_string()
                .contains("`issuer` is missing")
        );
    }

    // proves: R8414-2-02, R8414-2-05, R8414-2-06, R8628-4-01, R8628-4-02
    #[test]
    fn endpoints_in_use_must_be_secure() {
        let metadata = read("https://h/t", 200, GOOD).unwrap();
        assert_eq!(metadata.device_authorization_endpoint.unwrap().as_str(), "https://h/d");
        assert_eq!(metadata.token_endpoint.as_str(), "https://h/k?x=1");
        assert!(metadata.revocation_endpoint.is_none() && !metadata.prefers_client_secret_post);
        for name in ["device_authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"] {
            for bad in ["http://h/x", "http://127.0.0.1/x", "https://h/x#f", "https://u@h/x"] {
                let mut object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(GOOD).unwrap();
                object.insert(name.into(), bad.into());
                let error = refused(read("https://h/t", 200, &serde_json::to_string(&object).unwrap()));
                assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{name} {bad}");
                assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
            }
        }
        let userinfo = GOOD.replace("\"more\"", "\"userinfo_endpoint\":\"http://h/u\",\"more\"");
        assert!(read("https://h/t", 200, &userinfo).unwrap().userinfo_endpoint.is_none());
        let without = read("https://h/t", 200, &GOOD.replace("device_authorization_endpoint", "x")).unwrap();
        assert!(without.device_authorization_endpoint.is_none());
        assert_eq!(
            refused(read("https://h/t", 200, &GOOD.replace("token_endpoint", "x"))).kind(),
            ErrorKind::InvalidResponse
        );
        let local = GOOD.replace("https://h/", "http://127.0.0.1:9/");
        assert!(read("http://127.0.0.1:9/t", 200, &local).is_ok());
    }

    #[test]
    fn the_issuer_of_a_template_is_refused_with_the_way_out() {
        let error = refused(read("https://h/t", 200, &GOOD.replace("h/t\"", "h/{tenantid}\"")));
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        let message = error.to_string();
        assert!(
            message.contains("the template \"https://h/{tenantid}\": use the issuer of one tenant"),
            "{message}"
        );
    }

    #[test]
    fn a_document_may_list_the_device_flow_without_its_endpoint() {
        let grants = r#""grant_types_supported":["urn:ietf:params:oauth:grant-type:device_code"],"more""#;
        let listed = GOOD.replace("\"more\"", grants);
        assert!(!read("https://h/t", 200, GOOD).unwrap().lists_device_flow);
        assert!(!read("https://h/t", 200, &listed).unwrap().lacks_device_endpoint());
        let without = listed.replace("device_authorization_endpoint", "x");
        assert!(read("https://h/t", 200, &without).unwrap().lacks_device_endpoint());
    }

    #[test]
    fn endpoints_that_the_program_named_take_precedence() {
        let at = |path: &str| Some(Url::parse(&format!("https://named/{path}")).unwrap());
        let named = NamedEndpoints { device_authorization: at("d"), token: at("t"), revocation: None };
        let issuer = issuer("https://h/t").with_endpoints(named);
        for body in [GOOD, r#"{"issuer":"https://h/t","revocation_endpoint":"https://h/r"}"#] {
            let read = issuer.read(&Reply::json(200, body), &issuer.well_known()[0], Loopback::Refused);
            let metadata = read.unwrap();
            assert_eq!(metadata.device_authorization_endpoint, at("d"));
            assert_eq!(Some(metadata.token_endpoint), at("t"));
            assert_eq!(metadata.revocation_endpoint.is_some(), body != GOOD);
        }
    }

    // proves: R8414-2-03
    #[test]
    fn client_secret_post_is_used_only_if_basic_is_not_supported() {
        let with = |methods: &str| {
            let body = GOOD.replace(
                "\"more\"",
                &format!("\"token_endpoint_auth_methods_supported\":{methods},\"more\""),
            );
            read("https://h/t", 200, &body).unwrap().prefers_client_secret_post
        };
        assert!(with(r#"["none","client_secret_post"]"#));
        assert!(!with(r#"["client_secret_post","client_secret_basic"]"#));
        assert!(!with(r#"["none"]"#));
        assert!(!with("5"));
    }

    // proves: R8414-3.2-01, OIDCD-4.2-01, R8414-5-01
    #[test]
    fn an_unusable_document_leads_to_the_next_well_known_url() {
        for (status, body, kind) in [
            (404, "<html>", ErrorKind::Unsupported),
            (404, "{}", ErrorKind::Unsupported),
            (401, "", ErrorKind::Unsupported),
            (204, "", ErrorKind::Unsupported),
            (206, GOOD, ErrorKind::Unsupported),
            (200, "<html>", ErrorKind::InvalidResponse),
            (302, "", ErrorKind::InvalidResponse),
            (503, GOOD, ErrorKind::Network),
        ] {
            match read("https://h/t", status, body).unwrap_err() {
                NoMetadata::Elsewhere(error) => assert_eq!(error.kind(), kind, "{status} {body}"),
                NoMetadata::Refused(error) => panic!("{status} {body}: {error}"),
            }
        }
    }
}
