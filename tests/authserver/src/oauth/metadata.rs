//! The two discovery documents.

use serde_json::{Value, json};

use super::check::DEVICE_GRANT;
use super::jwt;
use crate::object::{Object, object, put};
use crate::settings::{Alg, Settings};

pub(crate) const OAUTH_WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
const AUTH_METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];
pub(crate) const OIDC_WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What both documents have.
fn common(issuer: &str, settings: &Settings) -> Object {
    let base = issuer.trim_end_matches('/');
    let mut document = object(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/device_authorization"),
        "token_endpoint": format!("{base}/oauth2/token"),
        "introspection_endpoint": format!("{base}/oauth2/introspection"),
        "jwks_uri": format!("{base}/oauth2/jwks"),
        "userinfo_endpoint": format!("{base}/oauth2/userinfo"),
        "scopes_supported": ["email", "offline_access", "openid", "profile"],
        "response_types_supported": ["code"],
        "grant_types_supported": [DEVICE_GRANT, "refresh_token"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
    }));
    if settings.revocation {
        put(&mut document, "revocation_endpoint", format!("{base}/oauth2/revoke"));
        put(&mut document, "revocation_endpoint_auth_methods_supported", json!(AUTH_METHODS));
    }
    document
}

/// RFC 8414.
pub(crate) fn oauth(issuer: &str, settings: &Settings) -> Value {
    let mut document = common(issuer, settings);
    put(&mut document, "response_modes_supported", json!(["query"]));
    put(&mut document, "code_challenge_methods_supported", json!(["S256"]));
    Value::Object(document)
}

/// OpenID Connect Discovery.
pub(crate) fn oidc(issuer: &str, settings: &Settings, alg: Alg) -> Value {
    let mut document = common(issuer, settings);
    put(&mut document, "subject_types_supported", json!(["public"]));
    put(&mut document, "id_token_signing_alg_values_supported", json!([jwt::name(alg)]));
    Value::Object(document)
}
