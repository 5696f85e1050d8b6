//! The verification page: a person enters or confirms a code, then approves or denies. No script, one form a page.

mod csrf;
mod html;

use csrf::Session;
use html::{Mark, escape, page};

use crate::ask::Ask;
use crate::clock;
use crate::http::Response;
use crate::oauth::codes::{Code, State};
use crate::oauth::grants::user;
use crate::settings::Decision;

/// Answers a request for the page.
pub(crate) fn answer(ask: &Ask<'_>) -> Response {
    let session = Session::of(ask.request, ask.origin.starts_with("https:"));
    let response = match ask.request.method.as_str() {
        "GET" | "HEAD" => shown(ask, &session),
        "POST" => posted(ask, &session),
        _ => page(405, Mark::Bad, "This does not work", "<p>This page takes GET and POST.</p>")
            .with("Allow", "GET, POST"),
    };
    match session.cookie() {
        Some(cookie) => response.with("Set-Cookie", &cookie),
        None => response,
    }
}

fn shown(ask: &Ask<'_>, session: &Session) -> Response {
    let query = ask.request.query_parameters();
    match query.iter().find(|(name, _)| name == "user_code") {
        Some((_, user_code)) if !user_code.trim().is_empty() => confirm(ask, session, user_code),
        _ => enter(ask, session, "", None),
    }
}

fn posted(ask: &Ask<'_>, session: &Session) -> Response {
    let foreign = ask.request.header("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if foreign || !session.made(ask.checked.get("csrf")) {
        let text = "Your browser did not send what this page gave it. Cookies may be off, or another site sent you here. \
                    Nothing was approved.";
        return enter(ask, session, "", Some(text)).with_status(403);
    }
    let user_code = ask.checked.get("user_code").unwrap_or_default();
    let decision = match ask.checked.get("decision") {
        Some("approve") => {
            let chosen = ask.checked.get("organization_id");
            let organizations = &ask.server.settings.organizations;
            let known = chosen.filter(|chosen| organizations.iter().any(|have| have.id == *chosen));
            Decision::Approve { organization_id: known.map(str::to_owned) }
        }
        Some("deny") => Decision::Deny {},
        _ => return confirm(ask, session, user_code),
    };
    decide(ask, session, user_code, decision)
}

/// Asks for the code.
fn enter(ask: &Ask<'_>, session: &Session, typed: &str, mistake: Option<&str>) -> Response {
    let (typed, csrf, path) = (escape(typed), session.token(), escape(&ask.request.path));
    let (invalid, error) = match mistake {
        Some(mistake) => (
            " aria-invalid=\"true\" aria-describedby=\"mistake\"",
            format!("<p class=\"error\" id=\"mistake\" role=\"alert\">{}</p>", escape(mistake)),
        ),
        None => ("", String::new()),
    };
    let content = format!(
        "<p class=\"quiet\">Enter the code that your device or terminal shows.</p>\n\
         <form method=\"post\" action=\"{path}\">\n<input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n\
         <label for=\"user_code\">Code</label>\n\
         <input type=\"text\" id=\"user_code\" name=\"user_code\" value=\"{typed}\" required autofocus maxlength=\"64\" \
         placeholder=\"XXXX-XXXX\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\"{invalid}>\n{error}\n\
         <div class=\"buttons\"><button class=\"primary\">Continue</button></div>\n</form>"
    );
    page(if mistake.is_some() { 400 } else { 200 }, Mark::Terminal, "Connect a device", &content)
}

/// Shows who asks for what, and asks for the decision.
fn confirm(ask: &Ask<'_>, session: &Session, typed: &str) -> Response {
    let code = match usable(ask, typed) {
        Ok(code) => code,
        Err(why) => return enter(ask, session, typed, Some(why)),
    };
    let client = ask.server.clients.get(&code.client_id);
    let name = escape(client.as_ref().map_or(code.client_id.as_str(), |client| client.display_name()));
    let third_party = client.as_ref().is_some_and(|client| client.third_party);
    let settings = &ask.server.settings;
    let user = user(&settings.user);
    let email = escape(user.get("email").and_then(serde_json::Value::as_str).unwrap_or("somebody"));
    let consent = if third_party { consent(&name, &code.scope) } else { String::new() };
    let organizations = organizations(ask);
    let (csrf, user_code, path) = (session.token(), escape(&code.user_code), escape(&ask.request.path));
    let content = format!(
        "<p>Check that your terminal shows this code:</p>\n<p class=\"code\">{user_code}</p>\n\
         <dl><dt>Application</dt><dd>{name}</dd><dt>You are signed in as</dt><dd>{email}</dd></dl>\n{consent}\
         <form method=\"post\" action=\"{path}\">\n<input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n\
         <input type=\"hidden\" name=\"user_code\" value=\"{user_code}\">\n{organizations}\
         <p class=\"warning\" id=\"warning\"><strong>Go on only if you started this yourself.</strong> If somebody sent you \
         this code or this link, deny: they would be signed in as you.</p>\n\
         <div class=\"buttons\">\
         <button class=\"primary\" name=\"decision\" value=\"approve\" aria-describedby=\"warning\">Approve</button>\
         <button name=\"decision\" value=\"deny\">Deny</button></div>\n</form>"
    );
    page(200, Mark::Terminal, "Sign in on your device?", &content)
}

fn consent(name: &str, scope: &str) -> String {
    let scopes: String = scope.split(' ').filter(|scope| !scope.is_empty()).map(scope_text).collect();
    let scopes = if scopes.is_empty() { "<li>Know who you are</li>".to_owned() } else { scopes };
    format!(
        "<p><strong>{name}</strong> is made by somebody else. It will be able to:</p><ul>{scopes}</ul><p></p>\n"
    )
}

fn scope_text(scope: &str) -> String {
    let text = match scope {
        "openid" => "Know who you are".to_owned(),
        "profile" => "See your name".to_owned(),
        "email" => "See your email address".to_owned(),
        "offline_access" => "Stay signed in when you are away".to_owned(),
        other => format!("Use the permission {}", escape(other)),
    };
    format!("<li>{text}</li>")
}

fn organizations(ask: &Ask<'_>) -> String {
    let organizations = &ask.server.settings.organizations;
    if organizations.len() < 2 {
        return String::new();
    }
    let choice = |(index, organization): (usize, &crate::settings::Organization)| {
        let checked = if index == 0 { " checked" } else { "" };
        format!(
            "<label class=\"choice\"><input type=\"radio\" name=\"organization_id\" value=\"{}\"{checked}>{}</label>",
            escape(&organization.id),
            escape(&organization.name)
        )
    };
    let choices: String = organizations.iter().enumerate().map(choice).collect();
    format!("<fieldset><legend>Organization</legend>{choices}</fieldset>\n")
}

fn decide(ask: &Ask<'_>, session: &Session, user_code: &str, decision: Decision) -> Response {
    let approves = matches!(decision, Decision::Approve { .. });
    let code = match usable(ask, user_code) {
        Ok(code) => code,
        Err(why) => return enter(ask, session, "", Some(why)),
    };
    if !ask.server.state().codes.decide(&code.device_code, decision) {
        return enter(ask, session, "", Some(USED));
    }
    if approves {
        let text = "<p>Go back to your terminal: it goes on by itself. You can close this page.</p>";
        return page(200, Mark::Good, "Approved", text);
    }
    let text = "<p>Nobody was signed in. If you did not start this, somebody may have tried to trick you: \
                you did the right thing. You can close this page.</p>";
    page(200, Mark::Bad, "Denied", text)
}

const USED: &str = "This code has been used already. Start again in your terminal.";

/// The code that a person typed, if it can still be decided.
fn usable(ask: &Ask<'_>, typed: &str) -> Result<Code, &'static str> {
    let state = ask.server.state();
    let code = state.codes.by_user_code(typed).ok_or("There is no such code. Check it and try again.")?;
    if code.state != State::Pending {
        return Err(USED);
    }
    if code.is_expired(clock::now()) {
        return Err("This code has expired. Start again in your terminal.");
    }
    Ok(code.clone())
}

trait WithStatus {
    fn with_status(self, status: u16) -> Self;
}

impl WithStatus for Response {
    fn with_status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }
}
