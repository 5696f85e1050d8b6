//! What the tool says: for people on standard error with the result on standard output, or JSON lines for programs.

use std::{
    env,
    fmt::Write as _,
    io::{self, Write},
    sync::mpsc::Receiver,
    time::Duration,
};

use cli_auth::{
    AccessToken, Error, Event, Identity, Launch, LoggedOut, Prompt, SessionEvent, SessionState, Status,
    Tokens, sanitize,
};
use serde_json::{Value, json};

/// Standard output was closed by its reader.
#[derive(Debug)]
pub(crate) struct Closed;

/// The number of columns that the countdown needs.
const COUNTDOWN_COLUMNS: u16 = 48;

/// What the tool was asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Login,
    Token,
    Status,
    Logout,
}

pub(crate) struct Output {
    word: Word,
    json: bool,
    /// Whether the countdown is rewritten in place.
    in_place: bool,
    /// Whether the countdown is the last line on the screen.
    counting: bool,
}

impl Output {
    pub(crate) fn new(word: Word, json: bool) -> Self {
        Self { word, json, in_place: can_rewrite(), counting: false }
    }

    pub(crate) fn prompt(&mut self, prompt: &Prompt) -> Result<(), Closed> {
        if !self.json {
            eprint(&prompt.text_for_stderr());
            return Ok(());
        }
        line(&json!({
            "event": "prompt",
            "user_code": prompt.user_code(),
            "verification_uri": prompt.verification_uri(),
            "verification_uri_complete": prompt.verification_uri_complete(),
            "expires_in": seconds(prompt.expires_in()),
        }))
    }

    pub(crate) fn launched(&mut self, launch: Launch) {
        match launch {
            Launch::Started => {
                eprint("A browser should open now. If it does not, open the address yourself.\n")
            }
            Launch::NotStarted(_) => {}
        }
    }

    pub(crate) fn event(&mut self, event: &Event) -> Result<(), Closed> {
        if self.json {
            return match event {
                Event::Pending { next_poll_in, expires_in, .. } => line(&json!({
                    "event": "pending",
                    "next_poll_in": seconds(*next_poll_in),
                    "expires_in": seconds(*expires_in),
                })),
                Event::SlowedDown { interval, .. } => {
                    line(&json!({"event": "slowed_down", "interval": seconds(*interval)}))
                }
                Event::Retrying { reason, attempt, retry_in, .. } => line(&json!({
                    "event": "retrying",
                    "reason": reason.to_string(),
                    "attempt": attempt,
                    "retry_in": seconds(*retry_in),
                })),
                Event::Resumed { suspended_for, .. } => {
                    line(&json!({"event": "resumed", "suspended_for": seconds(*suspended_for)}))
                }
                Event::IdentityUnverified { message, .. } => {
                    line(&json!({"event": "identity_unverified", "message": message}))
                }
                _ => Ok(()),
            };
        }
        match event {
            Event::Pending { expires_in, .. } => self.count_down(*expires_in),
            Event::SlowedDown { interval, .. } => {
                self.say(&format!(
                    "The server asked to slow down. Polling every {} s from now on.",
                    interval.as_secs()
                ));
            }
            Event::Retrying { reason, retry_in, .. } => {
                self.say(&format!("No valid response ({reason}). Trying again in {} s.", retry_in.as_secs()));
            }
            Event::Resumed { .. } => self.say("The computer was suspended."),
            Event::IdentityUnverified { message, .. } => self.say(&format!("Note: {message}.")),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn begun(&mut self) -> Result<(), Closed> {
        if self.json {
            return line(&json!({"event": "begun"}));
        }
        eprint("Approve it, and then go on with --resume.\n");
        Ok(())
    }

    /// What a session did beside what it was asked for.
    pub(crate) fn session_events(&mut self, events: &Receiver<SessionEvent>) -> Result<(), Closed> {
        for event in events.try_iter() {
            match &event {
                SessionEvent::UserChanged { previous_subject, .. } if self.json => {
                    line(&json!({"event": "user_changed", "previous_subject": previous_subject}))?;
                }
                SessionEvent::UserChanged { previous_subject, .. } => {
                    self.say(&format!("Before, {} was logged in.", sanitize(previous_subject)));
                }
                // `saved` says it.
                SessionEvent::Unprotected { .. } if self.json => {}
                _ => {
                    if let Some(warning) = event.warning() {
                        self.say(&format!("Warning: {warning}."));
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn not_saved(&mut self, error: &Error) -> Result<(), Closed> {
        if self.json {
            return line(&json!({"event": "not_saved", "message": error.to_string()}));
        }
        self.say(&format!("Warning: the login is not kept: {error}."));
        Ok(())
    }

    pub(crate) fn token(&mut self, token: &AccessToken) -> Result<(), Closed> {
        if self.json {
            return line(&json!({
                "access_token": token.expose(),
                "token_type": token.token_type(),
                "expires_in": token.expires_in().map(seconds),
                "refreshed": token.was_refreshed(),
            }));
        }
        write(&format!("{}\n", token.expose()))
    }

    pub(crate) fn status(&mut self, status: &Status) -> Result<(), Closed> {
        let path = status.path().map(|path| path.display().to_string());
        if self.json {
            return line(&json!({
                "event": "status",
                "state": status.state().as_str(),
                "profile": status.profile(),
                "subject": status.subject(),
                "organization": status.organization_id(),
                "expires_in": status.expires_in().map(seconds),
                "protection": status.protection(),
                "path": path,
            }));
        }
        let user = status.subject().map_or_else(|| "an unknown user".to_owned(), sanitize);
        let text = match status.state() {
            SessionState::Valid | SessionState::Refreshable => format!("Logged in as {user}."),
            SessionState::Ended => format!("The login of {user} has ended. Log in again."),
            _ => "Not logged in.".to_owned(),
        };
        write(&format!("{text}\n"))
    }

    pub(crate) fn logged_out(&mut self, out: &LoggedOut) -> Result<(), Closed> {
        if self.json {
            return line(&json!({"event": "logged_out", "removed": out.removed(), "revoked": out.revoked()}));
        }
        if out.revoked() == Some(false) {
            self.say("Warning: the server did not revoke the tokens. They end with their lifetime.");
        }
        write(if out.removed() { "Logged out.\n" } else { "You were not logged in.\n" })
    }

    /// Prints a sentence about wrong usage. Returns the exit status.
    pub(crate) fn usage(&mut self, message: &str) -> u8 {
        self.say(&format!("error: {message}"));
        2
    }

    pub(crate) fn authorized(&mut self, tokens: &Tokens, saved: Option<&str>) -> Result<(), Closed> {
        if self.json {
            return line(&json!({
                "event": "authorized",
                "token_type": tokens.token_type(),
                "expires_in": tokens.expires_in().map(seconds),
                "scope": tokens.scopes(),
                "has_refresh_token": tokens.refresh_token().is_some(),
                "has_id_token": tokens.id_token().is_some(),
                "subject": tokens.identity().map(Identity::subject),
                "saved": saved,
            }));
        }
        self.end_count_down();
        let mut text = "Logged in".to_owned();
        if let Some(user) = tokens.identity() {
            let _ = write!(text, " as {}", sanitize(user.subject()));
        }
        text.push_str(".\n");
        write(&text)
    }

    pub(crate) fn error(&mut self, error: &Error) -> Result<(), Closed> {
        let organizations = error.organizations();
        if self.json {
            return line(&json!({
                "event": "error",
                "kind": error.kind().as_str(),
                "oauth_error": error.oauth_error(),
                "message": error.to_string(),
                "http_status": error.http_status(),
                "request_id": error.request_id(),
                "organizations": organizations.map(|list| {
                    list.iter().map(|o| json!({"id": o.id, "name": o.name})).collect::<Vec<_>>()
                }),
                "claims": error.claims(),
            }));
        }
        self.say(&format!("{}: {error}.", self.failure()));
        for organization in organizations.unwrap_or_default() {
            self.say(&format!("  {}  {}", sanitize(&organization.id), sanitize(&organization.name)));
        }
        if let Some(request) = error.request_id() {
            self.say(&format!("Request ID: {request}"));
        }
        Ok(())
    }

    fn failure(&self) -> &'static str {
        match self.word {
            Word::Login => "Not logged in",
            Word::Token => "No token",
            Word::Status => "No status",
            Word::Logout => "Not logged out",
        }
    }

    /// A setting that the tool itself found wrong.
    pub(crate) fn wrong_setting(&mut self, message: &str) -> Result<(), Closed> {
        if !self.json {
            self.say(&format!("{}: {message}.", self.failure()));
            return Ok(());
        }
        line(&json!({
            "event": "error", "kind": "invalid_config", "oauth_error": null, "message": message,
            "http_status": null, "request_id": null, "organizations": null, "claims": null,
        }))
    }

    /// Updates the countdown, or prints one line where nothing can be rewritten.
    fn count_down(&mut self, left: Duration) {
        if self.in_place {
            eprint(&format!("\rWaiting for your approval, {} s left. ", left.as_secs()));
        } else if !self.counting {
            eprint("Waiting for your approval.\n");
        }
        self.counting = true;
    }

    fn end_count_down(&mut self) {
        if self.counting && self.in_place {
            eprint("\n");
        }
        self.counting = false;
    }

    fn say(&mut self, text: &str) {
        self.end_count_down();
        eprint(&format!("{text}\n"));
    }
}

/// Returns whether standard error is a terminal on which a line can be rewritten. `ACCESSIBLE` is what users of screen
/// readers set.
fn can_rewrite() -> bool {
    let terminal = terminal_size::terminal_size_of(io::stderr());
    let is_wide = terminal.is_some_and(|(width, _)| width.0 >= COUNTDOWN_COLUMNS);
    let is_dumb = env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb");
    let is_accessible = env::var_os("ACCESSIBLE").is_some_and(|value| !value.is_empty());
    is_wide && !is_dumb && !is_accessible
}

/// Writes to standard error. Ignores that it may be closed.
fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A whole number where it is one, else milliseconds after the point.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_millis() == 0 {
        return duration.as_secs().into();
    }
    ((duration.as_secs_f64() * 1000.0).round() / 1000.0).into()
}

/// One JSON object in ASCII: a server's text must not act on a terminal that shows these lines either.
fn line(value: &Value) -> Result<(), Closed> {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if (' '..='~').contains(&c) {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text.push('\n');
    write(&text)
}

fn write(text: &str) -> Result<(), Closed> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|_| Closed)
}
