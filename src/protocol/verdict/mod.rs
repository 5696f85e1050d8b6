//! What a response means: one table for each endpoint, and what the tables share.

pub(super) mod poll;
pub(crate) mod refresh;
pub(super) mod revoke;
pub(super) mod userinfo;

use zeroize::Zeroizing;

use super::{
    json::Object,
    reply::{Code, Reply},
    settings::Dialect,
    token::{self, TokenResponse},
};
use crate::{Error, ErrorKind, Organization, Secret};

/// The maximum number of organizations. No user chooses from a longer list.
const MAX_ORGANIZATIONS: usize = 1000;

/// Reads a response of the token endpoint that has no error code. Returns `None` if it is neither a token response nor
/// a refusal.
fn token_or_refusal(reply: &Reply, dialect: Dialect, sent: &[&str]) -> Option<Result<TokenResponse, Error>> {
    match reply.object() {
        Ok(object) if reply.is_success() && object.raw("access_token").is_some() => Some(
            token::read(&object, reply, dialect, sent).map_err(|(kind, what)| reply.error(kind, &what, sent)),
        ),
        // Some refusals of AuthKit contain only a `message`.
        _ if dialect == Dialect::AuthKit
            && matches!(reply.status, 400 | 403 | 404 | 422)
            && reply.object().is_ok_and(|object| object.text("message").is_some()) =>
        {
            Some(Err(reply.error(ErrorKind::Rejected, "the server refused the request", sent)))
        }
        _ => None,
    }
}

fn denied(reply: &Reply, sent: &[&str]) -> Error {
    reply.error(ErrorKind::Denied, "the login was denied in the browser", sent)
}

fn expired(reply: &Reply, sent: &[&str]) -> Error {
    reply.error(ErrorKind::Expired, "the code expired before the login was approved: start again", sent)
}

fn not_now(reply: &Reply, sent: &[&str]) -> Error {
    let message = format!("the server cannot respond now (HTTP {}): try again later", reply.status);
    reply.error(ErrorKind::Network, &message, sent)
}

fn invalid_client(reply: &Reply, sent: &[&str]) -> Error {
    let message = "the server does not accept this client: check the client id and its grants";
    reply.error(ErrorKind::Rejected, message, sent)
}

fn refused(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    reply.error(ErrorKind::Rejected, &format!("the server refused the request ({code})"), sent)
}

fn ill_formed(reply: &Reply, sent: &[&str]) -> Error {
    let message = "the server's response is invalid: its error code is empty, too long or not a string";
    reply.error(ErrorKind::InvalidResponse, message, sent)
}

fn unreadable(reply: &Reply, sent: &[&str]) -> Error {
    let what = match reply.object() {
        Err(what) => what,
        Ok(_) if reply.is_success() => "neither `access_token` nor an error code",
        Ok(_) => "no error code",
    };
    let message = format!("the server's response is invalid: HTTP {} with {what}", reply.status);
    reply.error(ErrorKind::InvalidResponse, &message, sent)
}

/// The numbers of Microsoft Entra ID for "the user must act", in `error_codes` of a response with `invalid_grant`: a
/// second factor that must be enrolled or passed, or a consent.
const ENTRA_ACTIONS: [f64; 6] = [50072.0, 50074.0, 50076.0, 50078.0, 50079.0, 65001.0];

/// Returns whether `invalid_grant` means that the user must act, and not that the token is dead (Microsoft Entra ID).
fn challenges(reply: &Reply) -> bool {
    let Ok(object) = reply.object() else { return false };
    let text = |name| object.text(name).map(Zeroizing::new);
    match text("suberror").as_ref().map(|suberror| suberror.as_str()) {
        Some(
            "basic_action"
            | "additional_action"
            | "consent_required"
            | "user_password_expired"
            | "interaction_required",
        ) => true,
        _ => {
            text("claims").is_some_and(|claims| !claims.is_empty())
                || object.numbers("error_codes").iter().any(|code| ENTRA_ACTIONS.contains(code))
        }
    }
}

/// Returns whether the user must do something in a browser first: WorkOS's step-ups, their equivalents in OpenID
/// Connect, and the challenges of Microsoft Entra ID.
fn is_step_up(reply: &Reply, code: &str) -> bool {
    matches!(
        code,
        "organization_selection_required"
            | "organization_authentication_methods_required"
            | "email_verification_required"
            | "sso_required"
            | "passkey_progressive_enrollment"
            | "application_consent_required"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "account_selection_required"
            | "insufficient_user_authentication"
    ) || code.starts_with("mfa_")
        || code.starts_with("radar_")
        || (code == "invalid_grant" && challenges(reply))
        || reply.object().is_ok_and(|object| object.raw("pending_authentication_token").is_some())
}

fn step_up(reply: &Reply, code: &str, sent: &[&str]) -> Error {
    let object = reply.object().ok();
    let masker = reply.masker(sent);
    let organizations = object.as_ref().and_then(|o| o.objects("organizations")).map(|list| {
        let hide = |text: Option<String>| masker.hide(&text.unwrap_or_default());
        let organization =
            |o: &Object<'_>| Organization { id: hide(o.text("id")), name: hide(o.text("name")) };
        list.iter().take(MAX_ORGANIZATIONS).map(organization).collect()
    });
    let claims = object.as_ref().and_then(|o| o.text("claims")).map(Secret::new);
    let claims = claims.map(|claims| masker.hide(claims.expose())).filter(|claims| !claims.is_empty());
    let pending = object.and_then(|o| o.text("pending_authentication_token")).map(Secret::new);
    let what = match code {
        "organization_selection_required" => "choose an organization in the browser, then log in again",
        "email_verification_required" => "verify your e-mail address in the browser, then log in again",
        "sso_required" => "log in through your organization's single sign-on, then try again",
        _ if code.starts_with("mfa_") => {
            "set up or confirm a second factor in the browser, then log in again"
        }
        _ => "finish what it asks for in the browser, then log in again",
    };
    let message = format!("the server wants one more step ({}): {what}", code);
    reply.error(ErrorKind::ActionRequired, &message, sent).with_step_up(claims, organizations, pending)
}
