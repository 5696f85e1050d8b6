//! One request in hand: what is asked of a server, and the server's own answer.

use std::time::Instant;

use serde_json::{Value, json};

use crate::clock;
use crate::http::{Request, Response};
use crate::oauth::check::Checked;
use crate::oauth::clients::Credentials;
use crate::oauth::codes::{NewCode, Noticed, Verdict, number};
use crate::oauth::grants::Minter;
use crate::oauth::sessions::{Rotation, Session};
use crate::oauth::{Endpoint, Flavor, authkit, connect};
use crate::object::{object, put};
use crate::page;
use crate::random;
use crate::script::{self, Placeholders, Scripted, Start, Step};
use crate::server::{Server, not_found};

/// A request and everything needed to answer it.
pub(crate) struct Ask<'a> {
    pub(crate) server: &'a Server,
    pub(crate) origin: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) request: &'a Request,
    pub(crate) checked: &'a Checked,
    pub(crate) noticed: Noticed,
    pub(crate) now: Instant,
}

impl<'a> Ask<'a> {
    pub(crate) fn credentials(&self) -> Credentials<'a> {
        Credentials {
            authorization: self.request.header("authorization"),
            client_id: self.checked.get("client_id"),
            client_secret: self.checked.get("client_secret"),
        }
    }

    pub(crate) fn minter(&self) -> Minter<'a> {
        Minter { server: self.server, origin: self.origin, issuer: self.issuer }
    }

    /// Whether the client broke a rule of authentication, for the log of answers that are scripted too.
    pub(crate) fn client_violation(&self, endpoint: Endpoint) -> Option<String> {
        let secret_required = match endpoint {
            Endpoint::Device(flavor) | Endpoint::Token(flavor) => flavor == Flavor::Connect,
            Endpoint::Revoke | Endpoint::Introspection => true,
            _ => return None,
        };
        let clients = &self.server.clients;
        let refused =
            crate::oauth::clients::authenticate(clients, &self.credentials(), secret_required).err()?;
        refused.violation
    }

    pub(crate) fn real(&self, endpoint: Endpoint) -> Response {
        // The page answers in HTML, also to mistakes.
        if endpoint == Endpoint::Page {
            return page::answer(self);
        }
        if let Some(refusal) = self.checked.refusal() {
            return refusal;
        }
        match endpoint {
            Endpoint::Device(Flavor::AuthKit) => authkit::device(self),
            Endpoint::Device(Flavor::Connect) => connect::device(self),
            Endpoint::Token(Flavor::AuthKit) => authkit::token(self),
            Endpoint::Token(Flavor::Connect) => connect::token(self),
            Endpoint::Revoke if self.server.settings.revocation => connect::revoke(self),
            Endpoint::Introspection => connect::introspection(self),
            Endpoint::Userinfo => connect::userinfo(self),
            Endpoint::Jwks => Response::public_json(200, &self.server.jwks()),
            Endpoint::DiscoveryOauth => self.server.issuer_answer(self.issuer, false),
            Endpoint::DiscoveryOidc => self.server.issuer_answer(self.issuer, true),
            Endpoint::Logout => authkit::logout(self),
            Endpoint::Page | Endpoint::Revoke | Endpoint::Other => not_found(),
        }
    }

    pub(crate) fn scripted(
        &self,
        endpoint: Endpoint,
        step: &Step,
        other_origin: &str,
    ) -> Result<Scripted, String> {
        let device_code = self.checked.get("device_code");
        if let (Some(decision), Some(device_code)) =
            (step.decide.clone().and_then(|answer| answer.0), device_code)
        {
            self.server.state().codes.decide(device_code, decision);
        }
        let base = match script::starts_from(step) {
            Start::Real => Some(self.real(endpoint)),
            Start::Grant => Some(self.grant(endpoint)),
            Start::Nothing => None,
        };
        let mut values =
            Values { ask: self, other_origin, code: None, tokens: None, access_token: None, id_token: None };
        let from_nothing = base.is_none();
        let scripted = script::apply(step, base, &mut values)?;
        if let (true, Some(device_code), Some(body)) =
            (from_nothing, device_code, scripted.response.body.json())
        {
            let named = body.get("interval").and_then(number);
            let slow_down = body.get("error").and_then(Value::as_str) == Some("slow_down");
            self.server.state().codes.slowed(device_code, named, slow_down);
        }
        Ok(scripted)
    }

    /// Tokens, whatever the state.
    fn grant(&self, endpoint: Endpoint) -> Response {
        let flavor = match endpoint {
            Endpoint::Token(flavor) => flavor,
            _ => Flavor::Connect,
        };
        let mut state = self.server.state();
        let known = self.checked.get("device_code").and_then(|device_code| state.codes.grant(device_code));
        drop(state);
        let (client_id, scope) = known.unwrap_or_else(|| (self.client_id(), String::new()));
        self.granted(&client_id, &scope, flavor, None)
    }

    fn client_id(&self) -> String {
        self.checked.get("client_id").unwrap_or("client_unknown").to_owned()
    }

    /// Makes a code; gives the device code and the user code.
    pub(crate) fn issue(&self, device_code: String) -> (String, String) {
        let user_code = random::user_code();
        let new = NewCode {
            device_code: device_code.clone(),
            user_code: user_code.clone(),
            client_id: self.client_id(),
            scope: self.checked.get("scope").unwrap_or_default().to_owned(),
            flavor: match Endpoint::of(&self.request.path, &self.server.settings.issuer_path) {
                Endpoint::Device(flavor) => flavor,
                _ => Flavor::Connect,
            },
            challenge: None,
        };
        self.server.state().codes.issue(new, &self.server.settings, clock::now());
        (device_code, user_code)
    }

    /// The answer of a device authorization endpoint.
    pub(crate) fn issue_code(
        &self,
        client_id: &str,
        flavor: Flavor,
        base: &str,
        challenge: Option<String>,
    ) -> Value {
        let settings = &self.server.settings;
        let (device_code, user_code) = (random::long(), random::user_code());
        let page = format!("{}/device", base.trim_end_matches('/'));
        let mut answer = object(json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "expires_in": settings.expires_in,
        }));
        if settings.verification_uri_complete {
            put(&mut answer, "verification_uri_complete", format!("{page}?user_code={user_code}"));
        }
        if let Some(interval) = &settings.interval {
            put(&mut answer, "interval", interval.clone());
        }
        let scope = self.checked.get("scope").unwrap_or_default().to_owned();
        let new =
            NewCode { device_code, user_code, client_id: client_id.to_owned(), scope, flavor, challenge };
        self.server.state().codes.issue(new, settings, clock::now());
        Value::Object(answer)
    }

    pub(crate) fn poll(&self, client_id: &str, flavor: Flavor) -> Verdict {
        let device_code = self.checked.get("device_code").unwrap_or_default();
        self.server.state().codes.poll(
            device_code,
            (client_id, flavor),
            &self.noticed,
            &self.server.settings,
            self.now,
        )
    }

    /// Opens a session and gives its tokens.
    pub(crate) fn granted(
        &self,
        client_id: &str,
        scope: &str,
        flavor: Flavor,
        organization_id: Option<String>,
    ) -> Response {
        let organizations = &self.server.settings.organizations;
        let organization_id = organization_id.or_else(|| organizations.first().map(|first| first.id.clone()));
        let opened =
            self.server.state().sessions.open(client_id, scope, flavor, organization_id, clock::now());
        let (session, refresh_token) = opened;
        Response::json(200, &self.minter().token_answer(&session, refresh_token.as_deref()))
    }

    pub(crate) fn refresh(&self, client_id: &str, flavor: Flavor, organization_id: Option<&str>) -> Response {
        let settings = &self.server.settings;
        let usual = if flavor == Flavor::AuthKit { 30.0 } else { 0.0 };
        let rotation = Rotation {
            rotate: settings.rotate_refresh,
            grace: clock::duration(settings.refresh_grace.unwrap_or(usual)),
        };
        let token = self.checked.get("refresh_token").unwrap_or_default();
        let mut state = self.server.state();
        let exchanged = state.sessions.refresh(token, client_id, rotation, self.now);
        if let (Ok((session, _)), Some(organization_id)) = (&exchanged, organization_id) {
            state.sessions.move_to(&session.id, organization_id);
        }
        drop(state);
        match exchanged {
            Ok((mut session, successor)) => {
                session.organization_id = organization_id.map(str::to_owned).or(session.organization_id);
                // AuthKit's answer always has one.
                let same = (flavor == Flavor::AuthKit).then_some(token);
                let refresh_token = successor.as_deref().or(same);
                Response::json(200, &self.minter().token_answer(&session, refresh_token))
            }
            Err(told) => Response::oauth_error(400, "invalid_grant", told),
        }
    }
}

/// The values of a script's placeholders for one request.
struct Values<'a> {
    ask: &'a Ask<'a>,
    other_origin: &'a str,
    code: Option<(String, String)>,
    tokens: Option<(Session, Option<String>)>,
    /// Signed once, however often a script names them.
    access_token: Option<String>,
    id_token: Option<String>,
}

impl Values<'_> {
    fn code(&mut self) -> &(String, String) {
        let ask = self.ask;
        self.code.get_or_insert_with(|| match ask.checked.get("device_code") {
            Some(known) => {
                let state = ask.server.state();
                let user_code = state.codes.get(known).map(|code| code.user_code.clone());
                (known.to_owned(), user_code.unwrap_or_else(random::user_code))
            }
            None => ask.issue(random::long()),
        })
    }

    fn session(&mut self) -> &(Session, Option<String>) {
        let ask = self.ask;
        self.tokens.get_or_insert_with(|| {
            let client_id = ask.client_id();
            let scope = "openid profile email offline_access";
            ask.server.state().sessions.open(&client_id, scope, Flavor::Connect, None, clock::now())
        })
    }
}

impl Placeholders for Values<'_> {
    fn value(&mut self, name: &str) -> Option<String> {
        let minter = self.ask.minter();
        if let Some(seconds) = name.strip_prefix("http_date:") {
            let offset: i64 = seconds.parse().ok()?;
            let offset = self.ask.server.settings.clock_offset.saturating_add(offset);
            return Some(httpdate::fmt_http_date(clock::time_of_day(offset)));
        }
        Some(match name {
            "origin" => self.ask.origin.to_owned(),
            "other_origin" => self.other_origin.to_owned(),
            "issuer" => self.ask.issuer.to_owned(),
            "client_id" => self.ask.client_id(),
            "verification_uri" => format!("{}/device", self.ask.issuer.trim_end_matches('/')),
            "device_code" => self.code().0.clone(),
            "code_verifier" => self.ask.checked.get("code_verifier")?.to_owned(),
            "user_code" => self.code().1.clone(),
            "access_token" => {
                let session = self.session().0.clone();
                self.access_token.get_or_insert_with(|| minter.access_token(&session)).clone()
            }
            "id_token" => {
                // Its `at_hash` is that of the access token which the same script names.
                let access_token = self.value("access_token")?;
                let session = self.session().0.clone();
                self.id_token.get_or_insert_with(|| minter.id_token(&session, &access_token)).clone()
            }
            "refresh_token" => self.session().1.clone()?,
            _ => return None,
        })
    }
}
