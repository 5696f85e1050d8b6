//! WorkOS AuthKit's CLI endpoints.

use serde_json::{Value, json};

use super::Flavor;
use super::check::DEVICE_GRANT;
use super::clients::authenticate;
use super::codes::Verdict;
use crate::ask::Ask;
use crate::http::Response;
use crate::object::{Object, object, put};

/// `POST /user_management/authorize/device`.
pub(crate) fn device(ask: &Ask<'_>) -> Response {
    let client = match authenticate(&ask.server.clients, &ask.credentials(), false) {
        Ok(client) => client,
        // AuthKit says 400 where others say 401.
        Err(refused) => return Response::oauth_error(400, refused.error, refused.description),
    };
    if !client.device_grant {
        let text = "Device authorization grant is not enabled for this team";
        return Response::oauth_error(403, "access_denied", text);
    }
    Response::json(200, &ask.issue_code(&client.client_id, Flavor::AuthKit, ask.origin, None))
}

/// `POST /user_management/authenticate`.
pub(crate) fn token(ask: &Ask<'_>) -> Response {
    let client = match authenticate(&ask.server.clients, &ask.credentials(), false) {
        Ok(client) => client,
        Err(refused) => return Response::oauth_error(400, refused.error, refused.description),
    };
    if ask.checked.get("grant_type") != Some(DEVICE_GRANT) {
        return refresh(ask, &client.client_id);
    }
    match ask.poll(&client.client_id, Flavor::AuthKit) {
        Verdict::Granted { scope, organization_id } => {
            ask.granted(&client.client_id, &scope, Flavor::AuthKit, organization_id)
        }
        Verdict::Pending => error("authorization_pending", "The authorization request is still pending."),
        Verdict::SlowDown => error("slow_down", "Polling too frequently: wait at least 5 seconds more."),
        Verdict::Denied => error("access_denied", "The user denied the authorization request."),
        Verdict::Expired => error("expired_token", "The device code has expired."),
        Verdict::Unknown => {
            error("invalid_grant", "The device code is invalid, malformed, or has already been used.")
        }
        Verdict::StepUp { code, status, body } => step_up(ask, &code, status, body),
    }
}

fn error(error: &str, description: &str) -> Response {
    Response::oauth_error(400, error, description)
}

fn refresh(ask: &Ask<'_>, client_id: &str) -> Response {
    let organizations = &ask.server.settings.organizations;
    let wanted = ask.checked.get("organization_id");
    if let Some(wanted) = wanted.filter(|wanted| !organizations.iter().any(|have| have.id == *wanted)) {
        return Response::json(404, &json!({"message": format!("Organization not found: '{wanted}'")}));
    }
    ask.refresh(client_id, Flavor::AuthKit, wanted)
}

/// The person is known, but something is missing: AuthKit's second shape of errors.
pub(crate) fn step_up(ask: &Ask<'_>, code: &str, status: u16, change: Object) -> Response {
    let mut body = object(json!({
        "code": code,
        "message": format!("The user has to complete another step: {code}."),
        "pending_authentication_token": crate::random::long(),
        "user": ask.minter().user(),
    }));
    if code == "organization_selection_required" {
        let organizations: Vec<Value> =
            ask.server.settings.organizations.iter().map(|have| have.json()).collect();
        let two =
            json!([{"id": "org_01TESTALPHA", "name": "Alpha"}, {"id": "org_01TESTBETA", "name": "Beta"}]);
        put(&mut body, "organizations", if organizations.is_empty() { two } else { organizations.into() });
    }
    body.extend(change);
    Response::json(status, &Value::Object(body))
}

/// `GET /user_management/sessions/logout`.
pub(crate) fn logout(ask: &Ask<'_>) -> Response {
    let query = ask.request.query_parameters();
    let get = |name: &str| query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str());
    let Some(session) = get("session_id") else {
        return Response::json(
            422,
            &json!({"code": "invalid_request_parameters", "message": "session_id is required"}),
        );
    };
    ask.server.state().sessions.end(session, ask.now);
    let home = format!("{}/device", ask.origin);
    // Only this server's own pages: a redirect to anywhere would be an open redirector.
    let target =
        get("return_to").filter(|target| target.starts_with(&format!("{}/", ask.origin))).unwrap_or(&home);
    Response::empty(302).with("Location", target)
}
