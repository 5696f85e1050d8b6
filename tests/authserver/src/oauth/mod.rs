//! What the server does when nothing is scripted.

pub(crate) mod authkit;
pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod connect;
pub(crate) mod grants;
pub(crate) mod id_token;
pub(crate) mod jwt;
pub(crate) mod metadata;
pub(crate) mod pkce;
pub(crate) mod sessions;

/// The two families of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    AuthKit,
    Connect,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Device(Flavor),
    Token(Flavor),
    Revoke,
    Introspection,
    Userinfo,
    Jwks,
    DiscoveryOauth,
    DiscoveryOidc,
    Page,
    Logout,
    Other,
}

impl Endpoint {
    /// Connect's endpoints lie below the path of the issuer, AuthKit's and RFC 8414's at the root.
    pub(crate) fn of(path: &str, issuer_path: &str) -> Endpoint {
        match path {
            "/user_management/authorize/device" => return Endpoint::Device(Flavor::AuthKit),
            "/user_management/authenticate" => return Endpoint::Token(Flavor::AuthKit),
            "/user_management/sessions/logout" => return Endpoint::Logout,
            "/device" => return Endpoint::Page,
            _ => {}
        }
        if path.strip_prefix("/sso/jwks/").is_some_and(|client_id| !client_id.is_empty()) {
            return Endpoint::Jwks;
        }
        let tenant = issuer_path.trim_end_matches('/');
        if path.strip_prefix(metadata::OAUTH_WELL_KNOWN) == Some(tenant) {
            return Endpoint::DiscoveryOauth;
        }
        match path.strip_prefix(tenant) {
            Some("/oauth2/device_authorization") => Endpoint::Device(Flavor::Connect),
            Some("/oauth2/token") => Endpoint::Token(Flavor::Connect),
            Some("/oauth2/revoke") => Endpoint::Revoke,
            Some("/oauth2/introspection") => Endpoint::Introspection,
            Some("/oauth2/userinfo") => Endpoint::Userinfo,
            Some("/oauth2/jwks") => Endpoint::Jwks,
            Some("/device") => Endpoint::Page,
            Some(metadata::OIDC_WELL_KNOWN) => Endpoint::DiscoveryOidc,
            _ => Endpoint::Other,
        }
    }

    /// Its name in logs and scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Endpoint::Device(_) => "device",
            Endpoint::Token(_) => "token",
            Endpoint::Revoke => "revoke",
            Endpoint::Introspection => "introspection",
            Endpoint::Userinfo => "userinfo",
            Endpoint::Jwks => "jwks",
            Endpoint::DiscoveryOauth => "discovery_oauth",
            Endpoint::DiscoveryOidc => "discovery_oidc",
            Endpoint::Page => "page",
            Endpoint::Logout => "logout",
            Endpoint::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_a_path_moves_what_belongs_to_it() {
        let of = |path| Endpoint::of(path, "/tenant/1");
        assert_eq!(of("/.well-known/oauth-authorization-server/tenant/1"), Endpoint::DiscoveryOauth);
        assert_eq!(of("/.well-known/oauth-authorization-server"), Endpoint::Other);
        assert_eq!(of("/tenant/1/.well-known/openid-configuration"), Endpoint::DiscoveryOidc);
        assert_eq!(of("/tenant/1/oauth2/token"), Endpoint::Token(Flavor::Connect));
        assert_eq!(of("/oauth2/token"), Endpoint::Other);
        assert_eq!(of("/user_management/authenticate"), Endpoint::Token(Flavor::AuthKit));
    }

    #[test]
    fn an_issuer_without_a_path_has_everything_at_the_root() {
        let of = |path| Endpoint::of(path, "");
        assert_eq!(of("/.well-known/oauth-authorization-server"), Endpoint::DiscoveryOauth);
        assert_eq!(of("/.well-known/openid-configuration"), Endpoint::DiscoveryOidc);
        assert_eq!(of("/oauth2/jwks"), Endpoint::Jwks);
        assert_eq!(of("/sso/jwks/client_1"), Endpoint::Jwks);
    }
}
