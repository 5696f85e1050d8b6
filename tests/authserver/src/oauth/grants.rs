//! What a granted login gets: tokens and who it is.

use serde_json::{Value, json};

use super::Flavor;
use super::sessions::Session;
use crate::clock::unix_now;
use crate::object::{Object, object, put};
use crate::random;
use crate::script::Placeholders;
use crate::server::Server;

const CREATED: &str = "2026-01-15T09:30:00.000Z";
/// Connect's access tokens are for the environment, not for the application that asked.
const ENVIRONMENT: &str = "client_test_environment";

/// Where tokens come from: the server and the origin that was asked.
#[derive(Clone, Copy)]
pub(crate) struct Minter<'a> {
    pub(crate) server: &'a Server,
    pub(crate) origin: &'a str,
    pub(crate) issuer: &'a str,
}

impl Minter<'_> {
    /// The answer to a granted request.
    pub(crate) fn token_answer(self, session: &Session, refresh_token: Option<&str>) -> Value {
        match session.flavor {
            Flavor::AuthKit => json!({
                "user": self.user(),
                "organization_id": session.organization_id,
                "access_token": self.access_token(session),
                "refresh_token": refresh_token,
                "authentication_method": "Password",
            }),
            Flavor::Connect => {
                let access_token = self.access_token(session);
                let mut answer = object(json!({
                    "access_token": access_token,
                    "token_type": "bearer",
                    "expires_in": self.server.settings.access_token_expires_in,
                }));
                if !session.scope.is_empty() {
                    put(&mut answer, "scope", session.scope.as_str());
                }
                if has_scope(&session.scope, "openid") {
                    put(&mut answer, "id_token", self.id_token(session, &access_token));
                }
                if let Some(refresh_token) = refresh_token {
                    put(&mut answer, "refresh_token", refresh_token);
                }
                Value::Object(answer)
            }
        }
    }

    pub(crate) fn access_token(self, session: &Session) -> String {
        let now = unix_now(self.server.settings.clock_offset);
        let mut claims = Object::new();
        let (issuer, audience) = match session.flavor {
            Flavor::AuthKit => (self.origin, session.client_id.as_str()),
            Flavor::Connect => (self.issuer, ENVIRONMENT),
        };
        put(&mut claims, "iss", issuer);
        put(&mut claims, "aud", audience);
        put(&mut claims, "sub", self.subject());
        put(&mut claims, "sid", session.id.as_str());
        put(&mut claims, "jti", random::id(""));
        put(&mut claims, "client_id", session.client_id.as_str());
        put(&mut claims, "iat", now);
        put(&mut claims, "exp", now.saturating_add(self.server.settings.access_token_expires_in));
        if let Some(organization_id) = &session.organization_id {
            put(&mut claims, "org_id", organization_id.as_str());
        }
        if !session.scope.is_empty() {
            put(&mut claims, "scope", session.scope.as_str());
        }
        self.server.sign(&claims)
    }

    pub(crate) fn id_token(self, session: &Session, access_token: &str) -> String {
        let now = unix_now(self.server.settings.clock_offset);
        let mut claims = self.profile(&session.scope);
        put(&mut claims, "iss", self.issuer);
        put(&mut claims, "aud", session.client_id.as_str());
        put(&mut claims, "iat", now);
        put(&mut claims, "exp", now.saturating_add(self.server.settings.access_token_expires_in));
        if let Some(organization_id) = &session.organization_id {
            put(&mut claims, "org_id", organization_id.as_str());
        }
        let mut names = Names { minter: self, client_id: &session.client_id };
        self.server.sign_id_token(claims, access_token, &session.client_id, &mut names)
    }

    /// The claims that scopes open: always `sub`.
    pub(crate) fn profile(self, scope: &str) -> Object {
        let user = self.user();
        let mut claims = Object::new();
        put(&mut claims, "sub", self.subject());
        if has_scope(scope, "profile") {
            let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (given, family) = (text("first_name"), text("last_name"));
            put(&mut claims, "name", format!("{given} {family}").trim());
            put(&mut claims, "given_name", given);
            put(&mut claims, "family_name", family);
        }
        if has_scope(scope, "email") {
            for name in ["email", "email_verified"] {
                put(&mut claims, name, user.get(name).cloned().unwrap_or_default());
            }
        }
        claims
    }

    fn subject(self) -> Value {
        self.user().get("id").cloned().unwrap_or_default()
    }

    /// The person, as AuthKit describes people.
    pub(crate) fn user(self) -> Object {
        user(&self.server.settings.user)
    }
}

/// The placeholders in the settings of ID tokens.
struct Names<'a> {
    minter: Minter<'a>,
    client_id: &'a str,
}

impl Placeholders for Names<'_> {
    fn value(&mut self, name: &str) -> Option<String> {
        Some(match name {
            "origin" => self.minter.origin.to_owned(),
            "issuer" => self.minter.issuer.to_owned(),
            "client_id" => self.client_id.to_owned(),
            _ => return None,
        })
    }
}

/// The person that uses this server, with what the settings change.
pub(crate) fn user(change: &Object) -> Object {
    let mut person = object(json!({
        "object": "user",
        "id": "user_01TESTADAEXAMPLE0000000000",
        "email": "ada@example.test",
        "email_verified": true,
        "first_name": "Ada",
        "last_name": "Example",
        "profile_picture_url": null,
        "external_id": null,
        "last_sign_in_at": CREATED,
        "created_at": CREATED,
        "updated_at": CREATED,
        "locale": null,
        "metadata": {},
    }));
    person.extend(change.clone());
    person
}

fn has_scope(scopes: &str, wanted: &str) -> bool {
    scopes.split(' ').any(|scope| scope == wanted)
}
