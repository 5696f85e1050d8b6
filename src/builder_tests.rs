//! Tests for the checks that `ClientBuilder::build` makes.

use std::sync::Arc;

use super::*;
use crate::{
    ErrorKind,
    config::{Config, LONGEST, RESERVED},
    flow::Source,
    protocol::metadata::Metadata,
};

fn authkit() -> ClientBuilder {
    Client::authkit("client_1")
}

fn refused(builder: ClientBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    error.to_string()
}

fn known(builder: ClientBuilder) -> Arc<Metadata> {
    match builder.0.check().unwrap().source {
        Source::Known(metadata) => metadata,
        Source::Discover(issuer) => panic!("{issuer:?}"),
    }
}

#[test]
fn presets_set_their_endpoints() {
    let authkit = known(authkit());
    assert_eq!(
        authkit.device_authorization_endpoint.as_ref().unwrap().as_str(),
        "https://api.workos.com/user_management/authorize/device"
    );
    assert_eq!(authkit.token_endpoint.as_str(), "https://api.workos.com/user_management/authenticate");
    assert!(authkit.issuer.is_none() && authkit.jwks_uri.is_none() && authkit.userinfo_endpoint.is_none());
    for domain in
        ["acme.authkit.app", "ACME.authkit.app", "https://acme.authkit.app", "https://acme.authkit.app/"]
    {
        let connect = known(Client::workos_connect(domain, "id"));
        assert_eq!(
            connect.device_authorization_endpoint.as_ref().unwrap().as_str(),
            "https://acme.authkit.app/oauth2/device_authorization"
        );
        assert_eq!(connect.token_endpoint.as_str(), "https://acme.authkit.app/oauth2/token");
        assert_eq!(connect.issuer.as_ref().unwrap().as_str(), "https://acme.authkit.app");
        assert_eq!(connect.jwks_uri.as_ref().unwrap().as_str(), "https://acme.authkit.app/oauth2/jwks");
        assert_eq!(
            connect.userinfo_endpoint.as_ref().unwrap().as_str(),
            "https://acme.authkit.app/oauth2/userinfo"
        );
    }
    let base = known(Client::authkit("id").api_base("https://h/base/"));
    assert_eq!(base.token_endpoint.as_str(), "https://h/base/user_management/authenticate");
}

// proves: R8628-3.1-04, R6749-3.2-02, URL-P-01, R7009-2-01
#[test]
fn the_error_names_the_setting_with_an_insecure_url() {
    for (builder, name) in [
        (Client::workos_connect("http://acme.example", "id"), "the AuthKit domain must use https"),
        (Client::authkit("id").api_base("http://h"), "the API base must use https"),
        (Client::authkit("id").api_base("https://h?x=1"), "the API base must not have a query"),
        (Client::for_issuer("http://h", "id"), "the issuer must use https"),
        (Client::for_issuer("https://h?x", "id"), "the issuer must not have a query"),
        (
            Client::with_endpoints("http://h/d", "https://h/t", "id"),
            "the device authorization endpoint must use https",
        ),
        (
            Client::with_endpoints("https://h/d", "https://h/t#f", "id"),
            "the token endpoint must not have a fragment",
        ),
        (
            Client::with_endpoints("https://h/d", "https://h/t", "id").revocation_endpoint("http://h/r"),
            "the revocation endpoint must",
        ),
        (
            Client::with_endpoints("http://127.0.0.1/d", "https://h/t", "id"),
            "plain http to this machine has to be allowed",
        ),
    ] {
        let message = refused(builder);
        assert!(message.contains(name), "{message}");
    }
    assert!(Client::for_issuer("http://127.0.0.1:1", "id").allow_insecure_loopback(true).build().is_ok());
    assert!(Client::for_issuer("http://h", "id").allow_insecure_loopback(true).build().is_err());
}

// proves: R8628-3.1-06, R6749-3.3-01, R6749-3.2-03
#[test]
fn build_rejects_invalid_scopes_and_parameters() {
    for scope in ["", "a b", "a\"b", "a\\b", "ä", "a\n"] {
        assert!(refused(authkit().scope(scope)).contains("is no scope"), "{scope:?}");
    }
    assert!(authkit().scopes(["openid", "a:b/c.d"]).build().is_ok());
    for name in RESERVED {
        assert!(refused(authkit().param(name, "x")).contains("set by the protocol"), "{name}");
    }
    assert!(refused(authkit().param("a", "1").param("a", "2")).contains("twice"));
    assert!(refused(authkit().param("a", "")).contains("a name and a value"));
    assert!(refused(authkit().param("", "1")).contains("a name and a value"));
    assert!(authkit().param("resource", "https://a").param("resource", "https://b").build().is_ok());
}

#[test]
fn build_rejects_invalid_headers_secrets_certificates_and_limits() {
    assert!(refused(authkit().header("Content-Type", "x")).contains("set by the protocol"));
    assert!(refused(authkit().header("a b", "x")).contains("is no header name"));
    assert!(refused(authkit().header("x-a", "1\r\nx: y")).contains("characters that no header may have"));
    assert!(authkit().header("Authorization", "Bearer sk_test").build().is_ok());
    let both = authkit().header("authorization", "x").client_secret("s", ClientAuth::Auto);
    assert!(refused(both).contains("exclude each other"));
    assert!(
        refused(authkit().client_secret("", ClientAuth::ClientSecretBasic))
            .contains("the client secret is empty")
    );
    assert!(refused(Client::authkit("a\n")).contains("control characters"));
    assert!(refused(authkit().ca_pem("hello")).contains("no certificate"));
    assert!(refused(authkit().proxy("ftp://h")).contains("the proxy must be an http://"));
    assert!(authkit().proxy("socks5h://h").build().is_ok());
    assert!(refused(authkit().product("my cli")).contains("the product must look like"));
    assert!(refused(authkit().login_timeout(Duration::ZERO)).contains("the login timeout must be"));
    assert!(
        refused(authkit().request_timeout(LONGEST + Duration::from_millis(1)))
            .contains("the request timeout must be")
    );
    assert!(authkit().connect_timeout(LONGEST).build().is_ok());
    // RFC 6749 section 2.2: an id may have any length.
    assert!(Client::authkit("x".repeat(4096)).build().is_ok());
}

#[test]
fn build_rejects_settings_of_another_kind_of_client() {
    assert!(refused(Client::for_issuer("https://h", "id").api_base("https://h")).contains("API base"));
    assert!(refused(authkit().revocation_endpoint("https://h/r")).contains("revocation endpoint"));
}

#[test]
fn every_encoding_of_a_secret_is_masked() {
    let config = authkit().client_secret("sec-1", ClientAuth::ClientSecretBasic).0.check().unwrap();
    let known =
        |config: &Config| config.client.secrets.iter().map(|s| s.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(known(&config), ["Basic Y2xpZW50XzE6c2VjLTE=", "Y2xpZW50XzE6c2VjLTE=", "sec-1"]);
    let config = authkit().header("Authorization", "Bearer sk_1").header("x-a", "b").0.check().unwrap();
    assert_eq!(known(&config), ["Bearer sk_1", "sk_1", "b"]);
    assert!(known(&authkit().0.check().unwrap()).is_empty());
}

#[test]
fn the_product_is_in_the_user_agent_and_the_prompt() {
    let config = authkit().product("my-cli/1.2").0.check().unwrap();
    assert_eq!(config.http.user_agent, concat!("my-cli/1.2 cli-auth/", env!("CARGO_PKG_VERSION")));
    assert_eq!(config.product.as_deref(), Some("my-cli"));
}

#[test]
fn builder_debug_output_contains_no_secret() {
    let builder = authkit()
        .client_secret("sec-1", ClientAuth::ClientSecretBasic)
        .header("x-a", "sec-2")
        .proxy("http://u:sec-3@h");
    assert!(!format!("{builder:?}").contains("sec-"));
    assert!(!format!("{:?}", builder.0.check().unwrap()).contains("sec-"));
}
