//! The settings of a client, before and after they are checked. Nothing is sent before the check.

use std::{sync::Arc, time::Duration};

use crate::{
    ClientAuth, Error, Pkce, Secret,
    flow::Source,
    http::{self, Pem, ProxyServer, Settings, Timeouts},
    protocol::{
        metadata::{Issuer, Metadata, NamedEndpoints},
        request,
        settings::{ClientSettings, Dialect},
        uri::{self, Loopback},
    },
};

/// Parameters that the protocol sets, in any request.
pub(crate) const RESERVED: [&str; 11] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "grant_type",
    "device_code",
    "refresh_token",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
];

/// The only parameter that may be sent more than once (RFC 8707 section 2).
const REPEATABLE: &str = "resource";

/// The maximum of each timeout of a request.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The server that a client talks to.
#[derive(Clone, Debug)]
pub(crate) enum Provider {
    AuthKit { api_base: String },
    WorkosConnect { domain: String },
    Issuer { issuer: String, named: Named },
    Endpoints { device_authorization: String, token: String, revocation: Option<String> },
}

/// Endpoints that the program names beside the issuer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) device_authorization: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) revocation: Option<String>,
}

/// Settings that have not been checked.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    pub(crate) secret: Option<(Secret, ClientAuth)>,
    pub(crate) scopes: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) token_params: Vec<(String, String)>,
    pub(crate) refresh_params: Vec<(String, String)>,
    pub(crate) pkce: Pkce,
    pub(crate) verify_id_token: bool,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) ca_pem: Vec<Pem>,
    pub(crate) proxy: Option<Secret>,
    pub(crate) product: Option<String>,
    pub(crate) timeouts: Timeouts,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) loopback: Loopback,
    /// The name of a setting that does not apply to the provider.
    pub(crate) misplaced: Option<&'static str>,
}

/// Settings that passed the check.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) client: Arc<ClientSettings>,
    pub(crate) source: Source,
    /// What names the server, in a stored session.
    pub(crate) server_name: String,
    /// The name of the program, shown in the prompt.
    pub(crate) product: Option<String>,
    pub(crate) login_timeout: Option<Duration>,
    pub(crate) http: Settings,
}

impl Draft {
    pub(crate) fn new(provider: Provider, client_id: String) -> Self {
        Self {
            provider,
            client_id,
            secret: None,
            scopes: Vec::new(),
            params: Vec::new(),
            token_params: Vec::new(),
            refresh_params: Vec::new(),
            pkce: Pkce::Auto,
            verify_id_token: true,
            headers: Vec::new(),
            ca_pem: Vec::new(),
            proxy: None,
            product: None,
            timeouts: Timeouts::default(),
            login_timeout: None,
            loopback: Loopback::Refused,
            misplaced: None,
        }
    }

    /// Checks everything that can be checked without contacting the server.
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
        let server_name = self.server_name(&source);
        check_scopes(&self.scopes)?;
        for params in [&self.params, &self.token_params, &self.refresh_params] {
            check_params(params)?;
        }
        for (name, value) in &self.headers {
            http::check_header(name, value.expose()).map_err(Error::config)?;
            if name.eq_ignore_ascii_case("authorization") && self.secret.is_some() {
                return Err(Error::config("an Authorization header and a client secret exclude each other"));
            }
        }
        for pem in &self.ca_pem {
            http::check_pem(pem.bytes())
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
        let (user_agent, product) = self.user_agent()?;
        let dialect = match self.provider {
            Provider::AuthKit { .. } => Dialect::AuthKit,
            _ => Dialect::Standard,
        };
        let secrets = self.secrets();
        Ok(Config {
            client: Arc::new(ClientSettings {
                client_id: self.client_id,
                secret: self.secret,
                scopes: self.scopes,
                params: self.params,
                token_params: self.token_params,
                refresh_params: self.refresh_params,
                pkce: self.pkce,
                verify_id_token: self.verify_id_token,
                dialect,
                loopback: self.loopback,
                secrets,
            }),
            source,
            server_name,
            product,
            login_timeout: self.login_timeout,
            http: Settings {
                user_agent,
                headers: self.headers,
                proxy: self.proxy.map(|text| proxy(&text)).transpose()?,
                ca_pem: self.ca_pem,
                timeouts: self.timeouts,
            },
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        let mut add_credential = |header: &str| {
            secrets.push(Secret::new(header));
            // The credential after the scheme: `Bearer …`, `Basic …`.
            secrets.extend(header.split_once(' ').map(|(_, credential)| Secret::new(credential)));
        };
        for (_, value) in &self.headers {
            add_credential(value.expose());
        }
        if let Some((secret, _)) = &self.secret {
            add_credential(&request::basic(&self.client_id, secret));
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
        let known = |device_authorization_endpoint, token_endpoint| Metadata {
            device_authorization_endpoint: Some(device_authorization_endpoint),
            token_endpoint,
            revocation_endpoint: None,
            userinfo_endpoint: None,
            issuer: None,
            jwks_uri: None,
            lists_device_flow: true,
            lists_pkce: false,
            prefers_client_secret_post: false,
        };
        let (device, token, revocation) =
            ("device authorization endpoint", "token endpoint", "revocation endpoint");
        let optional =
            |name: &str, url: &Option<String>| url.as_deref().map(|url| endpoint(name, url)).transpose();
        Ok(match &self.provider {
            Provider::AuthKit { api_base } => Source::Known(Arc::new(known(
                below("API base", api_base, "/user_management/authorize/device")?,
                below("API base", api_base, "/user_management/authenticate")?,
            ))),
            Provider::WorkosConnect { domain } => {
                let base = if domain.contains("://") { domain.clone() } else { format!("https://{domain}") };
                let at = |path: &str| below("AuthKit domain", &base, path);
                Source::Known(Arc::new(Metadata {
                    userinfo_endpoint: Some(at("/oauth2/userinfo")?),
                    issuer: Some(
                        // As the server writes it: the host in lower case, and no slash at the end.
                        Issuer::parse(at("")?.as_str().trim_end_matches('/'), self.loopback)
                            .map_err(|why| Error::config(format!("the AuthKit domain {why}")))?,
                    ),
                    jwks_uri: Some(at("/oauth2/jwks")?),
                    ..known(at("/oauth2/device_authorization")?, at("/oauth2/token")?)
                }))
            }
            Provider::Issuer { issuer, named } => {
                let issuer = Issuer::parse(issuer, self.loopback)
                    .map_err(|why| Error::config(format!("the issuer {why}")))?;
                Source::Discover(issuer.with_endpoints(NamedEndpoints {
                    device_authorization: optional(device, &named.device_authorization)?,
                    token: optional(token, &named.token)?,
                    revocation: optional(revocation, &named.revocation)?,
                }))
            }
            Provider::Endpoints { device_authorization, token: token_endpoint, revocation: url } => {
                Source::Known(Arc::new(Metadata {
                    revocation_endpoint: optional(revocation, url)?,
                    ..known(endpoint(device, device_authorization)?, endpoint(token, token_endpoint)?)
                }))
            }
        })
    }

    /// Returns what names the server: its issuer, or else the token endpoint.
    fn server_name(&self, source: &Source) -> String {
        match (&self.provider, source) {
            (Provider::AuthKit { api_base }, _) => api_base.trim_end_matches('/').to_owned(),
            (_, Source::Discover(issuer)) => issuer.as_str().to_owned(),
            (_, Source::Known(server)) => {
                let issuer = server.issuer.as_ref().map(Issuer::as_str);
                issuer.unwrap_or(server.token_endpoint.as_str()).to_owned()
            }
        }
    }

    /// Returns the User-Agent header, and the name for the prompt.
    fn user_agent(&self) -> Result<(String, Option<String>), Error> {
        const OURS: &str = concat!("cli-auth/", env!("CARGO_PKG_VERSION"));
        let Some(product) = &self.product else { return Ok((OURS.into(), None)) };
        // RFC 9110 section 10.1.5: a token, here with an optional version.
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

/// Checks scopes. RFC 6749 section 3.3: printable ASCII without spaces, quotes and backslashes.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), Error> {
    let legal = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    match scopes.iter().find(|scope| scope.is_empty() || !scope.chars().all(legal)) {
        Some(scope) => {
            let shown = crate::sanitize(scope);
            Err(Error::config(format!(
                "\"{shown}\" is no scope: give each one by itself, in printable ASCII"
            )))
        }
        None => Ok(()),
    }
}

/// Checks the extra parameters of one request.
pub(crate) fn check_params(params: &[(String, String)]) -> Result<(), Error> {
    let mut seen = Vec::new();
    for (name, value) in params {
        let shown = crate::sanitize(name);
        if name.is_empty() || value.is_empty() {
            return Err(Error::config(format!("the parameter \"{shown}\" needs a name and a value")));
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(Error::config(format!(
                "the parameter {shown} is set by the protocol and cannot be added"
            )));
        }
        if seen.contains(&name) && name != REPEATABLE {
            return Err(Error::config(format!("the parameter {shown} is there twice")));
        }
        seen.push(name);
    }
    Ok(())
}

fn proxy(text: &Secret) -> Result<ProxyServer, Error> {
    ProxyServer::parse(text.expose(), "the client's proxy")
        .map_err(|why| Error::config(format!("the proxy {why}")))
}
