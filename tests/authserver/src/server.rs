//! One authorization server: its settings, its state, and the answer to a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::ask::Ask;
use crate::clock::{self, time_of_day};
use crate::http::delivery::Delivery;
use crate::http::request::header;
use crate::http::{Request, Response};
use crate::log::{Log, Place};
use crate::oauth::check::{self, LONGEST_KEPT};
use crate::oauth::clients::Clients;
use crate::oauth::codes::{Codes, Noticed};
use crate::oauth::id_token;
use crate::oauth::jwt::{self, Keys};
use crate::oauth::sessions::Sessions;
use crate::oauth::{Endpoint, metadata};
use crate::random;
use crate::script::{Placeholders, Script, Scripted};
use crate::settings::{Alg, Decision, Discovery, Settings};

/// Further connections wait in the queues of the listeners.
pub(crate) const MOST_OPEN: usize = 16_000;

/// A server. Its listeners are elsewhere: several may lead to one server.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    pub(crate) log: Log,
    alg: Alg,
    keys: Arc<Keys>,
    state: Mutex<State>,
    /// A permit for each connection that may still be opened.
    pub(crate) open: Arc<Semaphore>,
    script: RwLock<Arc<Script>>,
}

/// What changes.
pub(crate) struct State {
    pub(crate) codes: Codes,
    pub(crate) sessions: Sessions,
}

/// The two addresses under which a request can name this server.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    pub(crate) this: String,
    pub(crate) other: String,
}

/// An answer and how to send it.
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) delivery: Delivery,
    /// Afterwards nobody is listening for this long.
    pub(crate) down_for: Option<std::time::Duration>,
}

/// The poll that is being answered counts as in flight until this is dropped.
pub(crate) struct InFlight<'a> {
    server: &'a Server,
    device_code: Option<String>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(device_code) = &self.device_code {
            self.server.state().codes.poll_is_over(device_code);
        }
    }
}

impl Server {
    pub(crate) fn new(settings: Settings, default_alg: Alg, keys: Arc<Keys>) -> Server {
        Server {
            clients: Clients::new(settings.clients.clone()),
            log: Log::new(settings.log),
            alg: settings.alg.unwrap_or(default_alg),
            keys,
            state: Mutex::new(State {
                codes: Codes::default(),
                sessions: Sessions::new(clock::whole(settings.access_token_expires_in)),
            }),
            open: Arc::new(Semaphore::new(MOST_OPEN)),
            script: RwLock::new(Arc::new(settings.script.clone())),
            settings,
        }
    }

    /// Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn script(&self) -> Arc<Script> {
        Arc::clone(&self.script.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_script(&self, script: Script) {
        *self.script.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> String {
        self.keys.sign(self.alg, claims)
    }

    /// Signs an ID token that is issued with this access token.
    pub(crate) fn sign_id_token(
        &self,
        mut claims: Map<String, Value>,
        access_token: &str,
        client_id: &str,
        values: &mut dyn Placeholders,
    ) -> String {
        claims.insert("at_hash".to_owned(), jwt::left_half(self.alg, access_token).into());
        let base = id_token::Base {
            keys: &self.keys,
            alg: self.alg,
            claims,
            now: clock::unix_now(self.settings.clock_offset),
            client_secret: self.clients.get(client_id).and_then(|client| client.secret),
        };
        self.settings.id_token.token(base, values)
    }

    pub(crate) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        self.keys.verify(self.alg, token)
    }

    pub(crate) fn jwks(&self) -> Value {
        self.keys.jwks(self.alg, &self.settings.jwks)
    }

    /// Decides a request. The log has it from here on.
    pub(crate) fn answer(
        &self,
        connection: Place,
        origins: &Origins,
        request: &Request,
    ) -> (Answer, Place, InFlight<'_>) {
        let endpoint = Endpoint::of(&request.path, &self.settings.issuer_path);
        let checked = check::check(endpoint, request);
        let name = match endpoint {
            Endpoint::Token(_) if checked.get("grant_type") == Some("refresh_token") => "refresh",
            _ => endpoint.name(),
        };
        let place = self.log.arrived(connection, request, name, &checked);
        let issuer = format!("{}{}", origins.this, self.settings.issuer_path);
        let mut ask = Ask {
            server: self,
            origin: &origins.this,
            issuer: &issuer,
            request,
            checked: &checked,
            noticed: Noticed::default(),
            now: request.arrived,
        };
        let device_code = match endpoint {
            Endpoint::Token(_) => checked.get("device_code"),
            _ => None,
        };
        if let Some(device_code) = device_code {
            ask.noticed = self.state().codes.notice(device_code, ask.now);
        }
        let in_flight = InFlight { server: self, device_code: device_code.map(str::to_owned) };
        if checked.violations.is_empty() {
            let noticed = ask.noticed.violations.iter().map(|rule| (*rule).to_owned());
            self.log.violations(place, noticed.chain(ask.client_violation(endpoint)));
        } else {
            self.log.violations(place, ask.noticed.violations.iter().map(|rule| (*rule).to_owned()));
        }

        let script = self.script();
        let chosen = script.next(&request.path, name);
        let index = chosen.as_ref().map(|chosen| chosen.index);
        let scripted = match chosen {
            None => {
                Ok(Scripted { response: ask.real(endpoint), delivery: Delivery::default(), down_for: None })
            }
            Some(chosen) => ask.scripted(endpoint, chosen.step, &origins.other),
        };
        let Scripted { mut response, mut delivery, down_for } = scripted.unwrap_or_else(|mistake| Scripted {
            response: Response::json(500, &json!({"error": "script_mistake", "error_description": mistake})),
            delivery: Delivery::default(),
            down_for: None,
        });
        if response.status == 200 && matches!(endpoint, Endpoint::Device(_)) {
            self.announce(&ask, &response);
        }
        let request_id = random::id("req_");
        if !response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-request-id")) {
            response.set("x-request-id", Some(&request_id));
        }
        let offset = self.settings.clock_offset;
        if offset != 0 && header(&response.headers, "date").is_none() {
            response.set("date", Some(&httpdate::fmt_http_date(time_of_day(offset))));
        }
        let error = if self.settings.log { error_of(&response) } else { None };
        self.log.answering(place, index, error);
        delivery.no_body = request.method == "HEAD";
        delivery.says_close |= request.closes();
        (Answer { response, delivery, down_for }, place, in_flight)
    }

    /// The client will go by what it reads, so that is what is enforced.
    fn announce(&self, ask: &Ask<'_>, response: &Response) {
        let Some(Value::Object(answer)) = response.body.json() else {
            return;
        };
        let Some(device_code) = answer.get("device_code").and_then(Value::as_str) else {
            return;
        };
        if device_code.len() > LONGEST_KEPT {
            return;
        }
        if self.state().codes.get(device_code).is_none() {
            ask.issue(device_code.to_owned());
        }
        self.state().codes.announce(device_code, &answer, clock::now());
    }

    pub(crate) fn issuer_answer(&self, issuer: &str, oidc: bool) -> Response {
        let offered = match self.settings.discovery {
            Discovery::Both => true,
            Discovery::Oauth => !oidc,
            Discovery::Oidc => oidc,
            Discovery::None => false,
        };
        match (offered, oidc) {
            (false, _) => not_found(),
            (true, true) => Response::public_json(200, &metadata::oidc(issuer, &self.settings, self.alg)),
            (true, false) => Response::public_json(200, &metadata::oauth(issuer, &self.settings)),
        }
    }
}

/// Decides a code for a person; gives the state that it has now.
pub(crate) fn decide(server: &Server, user_code: Option<&str>, decision: Decision) -> Option<Value> {
    let mut state = server.state();
    let found = match user_code {
        Some(user_code) => state.codes.by_user_code(user_code),
        None => state.codes.newest_pending(),
    };
    let device_code = found?.device_code.clone();
    state.codes.decide(&device_code, decision);
    let code = state.codes.get(&device_code)?.json();
    Some(json!({"user_code": code.get("user_code"), "state": code.get("state")}))
}

fn error_of(response: &Response) -> Option<String> {
    let body = response.body.json()?;
    let code = body.get("error").or_else(|| body.get("code"))?;
    code.as_str().map(str::to_owned)
}

pub(crate) fn not_found() -> Response {
    Response::json(404, &json!({"message": "Not Found"}))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
