//! WorkOS Connect's endpoints, which are those of any OpenID provider.

use serde_json::{Map, Value, json};

use super::Flavor;
use super::check::DEVICE_GRANT;
use super::clients::{Refused, authenticate};
use super::codes::Verdict;
use super::pkce;
use super::sessions::Session;
use crate::ask::Ask;
use crate::clock::{self, unix_now};
use crate::http::Response;
use crate::settings::Registration;

/// `POST /oauth2/device_authorization`.
pub(crate) fn device(ask: &Ask<'_>) -> Response {
    let client = match client(ask) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    if !client.device_grant {
        return Response::oauth_error(400, "unauthorized_client", "this client may not use the device grant");
    }
    match pkce::challenge(ask.checked, ask.server.settings.pkce) {
        Ok(challenge) => {
            Response::json(200, &ask.issue_code(&client.client_id, Flavor::Connect, ask.issuer, challenge))
        }
        Err(flaw) => Response::oauth_error(400, "invalid_request", flaw),
    }
}

/// `POST /oauth2/token`.
pub(crate) fn token(ask: &Ask<'_>) -> Response {
    let client = match client(ask) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    if ask.checked.get("grant_type") != Some(DEVICE_GRANT) {
        return ask.refresh(&client.client_id, Flavor::Connect, None);
    }
    let device_code = ask.checked.get("device_code").unwrap_or_default();
    let challenge = ask.server.state().codes.get(device_code).and_then(|code| code.challenge.clone());
    if challenge.is_some_and(|challenge| !pkce::fits(ask.checked, &challenge)) {
        return Response::oauth_error(400, "invalid_grant", "PKCE verification failed");
    }
    let (error, description) = match ask.poll(&client.client_id, Flavor::Connect) {
        Verdict::Granted { scope, organization_id } => {
            return ask.granted(&client.client_id, &scope, Flavor::Connect, organization_id);
        }
        Verdict::StepUp { code, status, body } => return super::authkit::step_up(ask, &code, status, body),
        Verdict::Pending => ("authorization_pending", "the person has not answered yet"),
        Verdict::SlowDown => ("slow_down", "polled too early; wait 5 seconds more from now on"),
        Verdict::Denied => ("access_denied", "the person denied the request"),
        Verdict::Expired => ("expired_token", "the device code has expired"),
        Verdict::Unknown => ("invalid_grant", "unknown device code, or used already"),
    };
    Response::oauth_error(400, error, description)
}

/// `POST /oauth2/revoke`, RFC 7009: whatever is no token of this client is none at all.
pub(crate) fn revoke(ask: &Ask<'_>) -> Response {
    let client = match client(ask) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let token = ask.checked.get("token").unwrap_or_default();
    let access = ask.server.verify(token);
    let now = clock::now();
    let mut state = ask.server.state();
    if let Some(session) = state.sessions.of_refresh_token(token).cloned() {
        if session.client_id != client.client_id {
            return Response::oauth_error(400, "invalid_grant", "the token belongs to another client");
        }
        state.sessions.end(&session.id, now);
    } else if let Some(claims) = access {
        state.sessions.revoke_access_token(text(&claims, "sid"), text(&claims, "jti"), now);
    }
    Response::empty(200).with("Cache-Control", "no-store")
}

/// `GET` or `POST /oauth2/userinfo`.
pub(crate) fn userinfo(ask: &Ask<'_>) -> Response {
    let challenge = |error: &str| {
        let body = Response::json(401, &json!({"error": "unauthorized"}));
        body.with("WWW-Authenticate", &format!("Bearer{error}"))
    };
    let Some(authorization) = ask.request.header("authorization") else {
        return challenge("");
    };
    let bearer = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer.and_then(|(_, token)| live(ask, token)) {
        Some((session, _)) => Response::json(200, &Value::Object(ask.minter().profile(&session.scope))),
        None => challenge(" error=\"invalid_token\""),
    }
}

/// `POST /oauth2/introspection`, for clients with a secret.
pub(crate) fn introspection(ask: &Ask<'_>) -> Response {
    let client = match client(ask) {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    if client.secret.is_none() {
        return Response::oauth_error(401, "invalid_client", "a public client may not introspect");
    }
    let token = ask.checked.get("token").unwrap_or_default();
    let answer = match live(ask, token) {
        Some((_, mut claims)) => {
            claims.insert("active".to_owned(), true.into());
            claims.insert("token_type".to_owned(), "access_token".into());
            Value::Object(claims)
        }
        None => json!({"active": false}),
    };
    Response::json(200, &answer)
}

/// An access token that is signed, fresh and not revoked.
fn live(ask: &Ask<'_>, token: &str) -> Option<(Session, Map<String, Value>)> {
    let claims = ask.server.verify(token)?;
    if claims.get("exp")?.as_u64()? <= unix_now(ask.server.settings.clock_offset) {
        return None;
    }
    let state = ask.server.state();
    let session = state.sessions.of_access_token(text(&claims, "sid"), text(&claims, "jti"))?.clone();
    drop(state);
    Some((session, claims))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn client(ask: &Ask<'_>) -> Result<Registration, Response> {
    authenticate(&ask.server.clients, &ask.credentials(), true).map_err(|refused| answer(ask, &refused))
}

fn answer(ask: &Ask<'_>, refused: &Refused) -> Response {
    let response = Response::oauth_error(refused.status(), refused.error, refused.description);
    // RFC 6749, section 5.2: a client that used the header is told the scheme.
    match refused.status() == 401 && ask.request.header("authorization").is_some() {
        true => response.with("WWW-Authenticate", "Basic realm=\"authserver\""),
        false => response,
    }
}
