//! The settings of a client, checked before anything is sent.

use std::time::Duration;

use url::Url;

use crate::{
    ClientBuilder, Error, Secret, SecretIn,
    builder::Provider,
    protocol::{
        form::{self, ClientAuth},
        metadata::{Issuer, Metadata},
        token::Strictness,
        uri::{self, Loopback},
    },
    transport::{self, Settings},
};

/// Parameters of the device authorization request that belong to the protocol.
const RESERVED: [&str; 8] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "grant_type",
    "device_code",
    "refresh_token",
];

/// The one parameter that may be sent more than once (RFC 8707 section 2).
const REPEATABLE: &str = "resource";

/// Longest that the waits of one request may be set to.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the endpoints come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Known(Metadata),
    Discover(Issuer),
}

/// Settings that were found to be usable.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) source: Source,
    pub(crate) client_id: String,
    pub(crate) secret: Option<(Secret, SecretIn)>,
    /// Everything secret that our requests carry, in each form in which a server could echo it.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) scopes: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) strictness: Strictness,
    pub(crate) loopback: Loopback,
    pub(crate) asker: Option<String>,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) transport: Settings,
}

impl Config {
    /// How the client authenticates at a server with these endpoints.
    pub(crate) fn auth(&self, metadata: &Metadata) -> ClientAuth {
        match &self.secret {
            None => ClientAuth::Public,
            Some((secret, SecretIn::Body)) => ClientAuth::Body(secret.clone()),
            Some((secret, SecretIn::Auto)) if metadata.secret_in_body => ClientAuth::Body(secret.clone()),
            Some((secret, SecretIn::Auto | SecretIn::Basic)) => ClientAuth::Basic(secret.clone()),
        }
    }
}

impl ClientBuilder {
    /// Everything that can be known to be wrong without asking the server.
    pub(crate) fn check(self) -> Result<Config, Error> {
        if self.client_id.is_empty() {
            return Err(Error::config(
                "the client id is empty: give the id that the server's dashboard shows",
            ));
        }
        if self.client_id.chars().any(|c| c.is_control()) {
            return Err(Error::config("the client id holds control characters: copy it again"));
        }
        if self.secret.as_ref().is_some_and(|(secret, _)| secret.expose().is_empty()) {
            return Err(Error::config("the client secret is empty: leave it out for a public client"));
        }
        if let Some(setting) = self.misplaced {
            return Err(Error::config(format!("the {setting} is a setting of another kind of client")));
        }
        let source = self.source()?;
        self.check_scopes()?;
        self.check_params()?;
        for (name, value) in &self.headers {
            transport::check_header(name, value.expose()).map_err(Error::config)?;
            if name.eq_ignore_ascii_case("authorization") && self.secret.is_some() {
                return Err(Error::config("an Authorization header and a client secret exclude each other"));
            }
        }
        for pem in &self.ca_pem {
            transport::check_pem(pem)
                .map_err(|why| Error::config(format!("the CA certificates cannot be used: {why}")))?;
        }
        for (name, limit) in [
            ("connect timeout", self.timeouts.connect),
            ("read timeout", self.timeouts.read),
            ("request timeout", self.timeouts.total),
        ] {
            if limit.is_zero() || limit > LONGEST {
                return Err(Error::config(format!("the {name} must be more than 0 and at most 24 hours")));
            }
        }
        if self.login_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(Error::config("the login timeout must be more than 0"));
        }
        let (user_agent, asker) = self.user_agent()?;
        let strictness = match self.provider {
            Provider::AuthKit { .. } => Strictness::AuthKit,
            _ => Strictness::Standard,
        };
        Ok(Config {
            secrets: self.secrets(),
            source,
            strictness,
            asker,
            loopback: self.loopback,
            login_timeout: self.login_timeout,
            transport: Settings {
                user_agent,
                headers: self.headers,
                proxy: self.proxy.map(|text| proxy(&text)).transpose()?,
                ca_pem: self.ca_pem,
                timeouts: self.timeouts,
            },
            client_id: self.client_id,
            secret: self.secret,
            scopes: self.scopes,
            params: self.params,
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        let mut add_credential = |header: &str| {
            secrets.push(Secret::new(header));
            // Behind the scheme: `Bearer …`, `Basic …`.
            secrets.extend(header.split_once(' ').map(|(_, credential)| Secret::new(credential)));
        };
        for (_, value) in &self.headers {
            add_credential(value.expose());
        }
        if let Some((secret, _)) = &self.secret {
            add_credential(&form::basic(&self.client_id, secret));
            secrets.push(secret.clone());
        }
        secrets
    }

    fn source(&self) -> Result<Source, Error> {
        let endpoint = |name: &str, text: &str| {
            uri::endpoint(text, self.loopback).map_err(|why| Error::config(format!("the {name} {why}")))
        };
        let below = |name: &str, base: &str, path: &str| {
            let mut url = endpoint(name, base)?;
            if url.query().is_some() {
                return Err(Error::config(format!("the {name} must not have a query (?…)")));
            }
            url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
            Ok(url)
        };
        let known = |device_authorization_endpoint, token_endpoint, revocation_endpoint| {
            Source::Known(Metadata {
                device_authorization_endpoint,
                token_endpoint,
                revocation_endpoint,
                secret_in_body: false,
            })
        };
        Ok(match &self.provider {
            Provider::AuthKit { api_base } => known(
                below("API base", api_base, "/user_management/authorize/device")?,
                below("API base", api_base, "/user_management/authenticate")?,
                None,
            ),
            Provider::Connect { domain } => {
                let base = if domain.contains("://") { domain.clone() } else { format!("https://{domain}") };
                let name = "AuthKit domain";
                known(
                    below(name, &base, "/oauth2/device_authorization")?,
                    below(name, &base, "/oauth2/token")?,
                    None,
                )
            }
            Provider::Issuer(text) => Source::Discover(
                Issuer::parse(text, self.loopback)
                    .map_err(|why| Error::config(format!("the issuer {why}")))?,
            ),
            Provider::Endpoints { device_authorization, token, revocation } => known(
                endpoint("device authorization endpoint", device_authorization)?,
                endpoint("token endpoint", token)?,
                revocation.as_deref().map(|url| endpoint("revocation endpoint", url)).transpose()?,
            ),
        })
    }

    fn check_scopes(&self) -> Result<(), Error> {
        // RFC 6749 section 3.3: printable ASCII without space, quote and backslash.
        let legal = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        match self.scopes.iter().find(|scope| scope.is_empty() || !scope.chars().all(legal)) {
            Some(scope) => {
                let shown = crate::sanitize(scope);
                Err(Error::config(format!(
                    "\"{shown}\" is no scope: give each one by itself, in printable ASCII"
                )))
            }
            None => Ok(()),
        }
    }

    fn check_params(&self) -> Result<(), Error> {
        let mut seen = Vec::new();
        for (name, value) in &self.params {
            let shown = crate::sanitize(name);
            if name.is_empty() || value.is_empty() {
                return Err(Error::config(format!("the parameter \"{shown}\" needs a name and a value")));
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(Error::config(format!(
                    "the parameter {shown} is set by the protocol: use its own setting"
                )));
            }
            if seen.contains(&name) && name != REPEATABLE {
                return Err(Error::config(format!("the parameter {shown} is there twice")));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// The User-Agent header, and the name for the prompt.
    fn user_agent(&self) -> Result<(String, Option<String>), Error> {
        const OURS: &str = concat!("cli-auth/", env!("CARGO_PKG_VERSION"));
        let Some(product) = &self.product else { return Ok((OURS.into(), None)) };
        // RFC 9110 section 10.1.5: tokens, here with an optional version.
        let token = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
        };
        let (name, version) =
            product.split_once('/').map_or((product.as_str(), None), |(name, version)| (name, Some(version)));
        if !token(name) || !version.is_none_or(token) {
            return Err(Error::config("the product must look like my-cli or my-cli/1.2"));
        }
        Ok((format!("{product} {OURS}"), Some(name.to_owned())))
    }
}

fn proxy(text: &Secret) -> Result<Url, Error> {
    let url = Url::parse(text.expose())
        .ok()
        .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Error::config("the proxy must be an http:// or https:// URL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, ErrorKind};

    fn authkit() -> ClientBuilder {
        Client::authkit("client_1")
    }

    fn refused(builder: ClientBuilder) -> String {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        error.to_string()
    }

    fn known(builder: ClientBuilder) -> Metadata {
        match builder.check().unwrap().source {
            Source::Known(metadata) => metadata,
            Source::Discover(issuer) => panic!("{issuer:?}"),
        }
    }

    #[test]
    fn presets_know_their_endpoints() {
        let authkit = known(authkit());
        assert_eq!(
            authkit.device_authorization_endpoint.as_str(),
            "https://api.workos.com/user_management/authorize/device"
        );
        assert_eq!(authkit.token_endpoint.as_str(), "https://api.workos.com/user_management/authenticate");
        for domain in ["acme.authkit.app", "https://acme.authkit.app", "https://acme.authkit.app/"] {
            let connect = known(Client::connect(domain, "id"));
            assert_eq!(
                connect.device_authorization_endpoint.as_str(),
                "https://acme.authkit.app/oauth2/device_authorization"
            );
            assert_eq!(connect.token_endpoint.as_str(), "https://acme.authkit.app/oauth2/token");
        }
        let base = known(Client::authkit("id").api_base("https://h/base/"));
        assert_eq!(base.token_endpoint.as_str(), "https://h/base/user_management/authenticate");
    }

    // proves: R8628-3.1-04, R6749-3.2-02, URL-P-01, R7009-2-01
    #[test]
    fn insecure_addresses_are_refused_by_name() {
        for (builder, name) in [
            (Client::connect("http://acme.example", "id"), "the AuthKit domain must use https"),
            (Client::authkit("id").api_base("http://h"), "the API base must use https"),
            (Client::authkit("id").api_base("https://h?x=1"), "the API base must not have a query"),
            (Client::discover("http://h", "id"), "the issuer must use https"),
            (Client::discover("https://h?x", "id"), "the issuer must not have a query"),
            (
                Client::endpoints("http://h/d", "https://h/t", "id"),
                "the device authorization endpoint must use https",
            ),
            (
                Client::endpoints("https://h/d", "https://h/t#f", "id"),
                "the token endpoint must not have a fragment",
            ),
            (
                Client::endpoints("https://h/d", "https://h/t", "id").revocation_endpoint("http://h/r"),
                "the revocation endpoint must",
            ),
            (
                Client::endpoints("http://127.0.0.1/d", "https://h/t", "id"),
                "plain http to this machine has to be allowed",
            ),
        ] {
            let message = refused(builder);
            assert!(message.contains(name), "{message}");
        }
        assert!(Client::discover("http://127.0.0.1:1", "id").allow_insecure_loopback(true).build().is_ok());
        assert!(Client::discover("http://h", "id").allow_insecure_loopback(true).build().is_err());
    }

    // proves: R8628-3.1-06, R6749-3.3-01, R6749-3.2-03
    #[test]
    fn scopes_and_parameters_are_checked_before_anything_is_sent() {
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
    fn headers_secrets_and_files_are_checked_too() {
        assert!(refused(authkit().header("Content-Type", "x")).contains("set by the protocol"));
        assert!(refused(authkit().header("a b", "x")).contains("is no header name"));
        assert!(refused(authkit().header("x-a", "1\r\nx: y")).contains("characters that no header may have"));
        assert!(authkit().header("Authorization", "Bearer sk_test").build().is_ok());
        let both = authkit().header("authorization", "x").client_secret("s", SecretIn::Auto);
        assert!(refused(both).contains("exclude each other"));
        assert!(refused(authkit().client_secret("", SecretIn::Basic)).contains("the client secret is empty"));
        assert!(refused(Client::authkit("a\n")).contains("control characters"));
        assert!(refused(authkit().ca_pem("hello")).contains("no certificate"));
        assert!(refused(authkit().proxy("socks5://h")).contains("the proxy must be"));
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
    fn every_spelling_of_a_secret_is_known() {
        let config = authkit().client_secret("sec-1", SecretIn::Basic).check().unwrap();
        let known =
            |config: &Config| config.secrets.iter().map(|s| s.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(known(&config), ["Basic Y2xpZW50XzE6c2VjLTE=", "Y2xpZW50XzE6c2VjLTE=", "sec-1"]);
        let config = authkit().header("Authorization", "Bearer sk_1").header("x-a", "b").check().unwrap();
        assert_eq!(known(&config), ["Bearer sk_1", "sk_1", "b"]);
        assert!(known(&authkit().check().unwrap()).is_empty());
    }

    #[test]
    fn the_product_names_the_asker() {
        let config = authkit().product("my-cli/1.2").check().unwrap();
        assert_eq!(config.transport.user_agent, concat!("my-cli/1.2 cli-auth/", env!("CARGO_PKG_VERSION")));
        assert_eq!(config.asker.as_deref(), Some("my-cli"));
    }

    #[test]
    fn the_way_to_authenticate_follows_setting_then_metadata() {
        let auth = |place, secret_in_body| {
            let config = authkit().client_secret("s", place).check().unwrap();
            let metadata = Metadata { secret_in_body, ..known(Client::authkit("id")) };
            matches!(config.auth(&metadata), ClientAuth::Body(_))
        };
        assert!(!auth(SecretIn::Auto, false) && auth(SecretIn::Auto, true));
        assert!(!auth(SecretIn::Basic, true) && auth(SecretIn::Body, false));
        let public = authkit().check().unwrap();
        assert!(matches!(public.auth(&known(Client::authkit("id"))), ClientAuth::Public));
    }

    #[test]
    fn debug_of_a_builder_shows_no_secret() {
        let builder = authkit()
            .client_secret("sec-1", SecretIn::Basic)
            .header("x-a", "sec-2")
            .proxy("http://u:sec-3@h");
        assert!(!format!("{builder:?}").contains("sec-"));
        assert!(!format!("{:?}", builder.check().unwrap()).contains("sec-"));
    }
}
