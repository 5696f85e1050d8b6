//! Logs a user in from a terminal and keeps them logged in. Copy it: what a tool needs around `cli_auth` is all here.

mod args;
mod client;
mod output;
mod signals;

use std::{process::ExitCode, time::Duration};

use cli_auth::{Error, ErrorKind, Login, Secret, SessionState, Tokens};

use args::{Arguments, Common, LoginOptions, Store, TokenOptions};
use client::{Wrong, client, login_client, session};
use output::{Closed, Output, Word};
use signals::{Signals, leave_after};

/// How long a login that was ended may take to say so. Revoking a token that came too late takes up to two seconds.
const GRACE: Duration = Duration::from_secs(3);

/// How the program ends early.
enum End {
    /// Whoever read the output is gone: there is nobody left to tell.
    Closed,
    Failed(Wrong),
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl<T: Into<Wrong>> From<T> for End {
    fn from(error: T) -> Self {
        Self::Failed(error.into())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::read();
    arguments.check();
    let signals = Signals::default();
    let (word, common) = match &arguments {
        Arguments::Login(options) => (Word::Login, &options.common),
        Arguments::Token(options) => (Word::Token, &options.common),
        Arguments::Status(common) => (Word::Status, common),
        Arguments::Logout(common) => (Word::Logout, common),
    };
    let mut output = Output::new(word, common.json);
    let done = match &arguments {
        Arguments::Login(options) => log_in(options, &mut output, &signals),
        Arguments::Token(options) => token(options, &mut output, &signals),
        Arguments::Status(common) => status(common, &mut output),
        Arguments::Logout(common) => log_out(common, &mut output),
    };
    ExitCode::from(match done {
        Ok(status) => status,
        Err(End::Closed) => 1,
        Err(End::Failed(Wrong::Setting(message))) => output.wrong_setting(&message).map_or(1, |()| 1),
        Err(End::Failed(Wrong::Client(error))) => {
            output.error(&error).map_or(1, |()| exit_status(&error, word, &signals))
        }
    })
}

fn exit_status(error: &Error, word: Word, signals: &Signals) -> u8 {
    match error.kind() {
        ErrorKind::Denied => 3,
        ErrorKind::Expired => 4,
        ErrorKind::ActionRequired => 5,
        ErrorKind::LoginRequired if word == Word::Token => 6,
        ErrorKind::Network | ErrorKind::Busy if word == Word::Token => 7,
        ErrorKind::Cancelled => signals.exit_status(),
        _ => 1,
    }
}

fn log_in(options: &LoginOptions, output: &mut Output, signals: &Signals) -> Result<u8, End> {
    let Common { server, session: place, json } = &options.common;
    let client = login_client(server, options.timeout)?;
    let (session, events) = session(&client, place)?;
    let keeps = place.store != Store::None;
    if let Some(limit) = options.timeout {
        leave_after(limit.saturating_add(GRACE), 4);
    }
    if options.begin {
        let login = client.login();
        cancel_on_signals(&login, signals);
        let prompt = session.begin_with(&login)?;
        output.prompt(&prompt)?;
        output.session_events(&events)?;
        output.begun()?;
        return Ok(0);
    }
    let login = if options.resume { session.resume()? } else { client.login() };
    cancel_on_signals(&login, signals);
    let mut not_saved = None;
    if !options.resume {
        // Nobody should approve a login and learn afterwards that it is lost.
        not_saved = keeps.then(|| session.check_writable().err()).flatten();
        if let (Some(error), false) = (&not_saved, json) {
            output.not_saved(error)?;
        }
        let prompt = login.start()?;
        output.prompt(&prompt)?;
        if !json && !options.no_browser {
            output.launched(prompt.open_browser());
        }
    }
    let tokens = wait(&login, output)?;
    let saved = match keeps.then(|| session.save(&tokens)) {
        Some(Ok(saved)) => Some(saved),
        Some(Err(error)) => {
            if *json || not_saved.is_none() {
                output.not_saved(&error)?;
            }
            None
        }
        None => None,
    };
    output.session_events(&events)?;
    output.authorized(&tokens, saved)?;
    Ok(0)
}

/// Waits for the user's decision.
fn wait(login: &Login, output: &mut Output) -> Result<Tokens, End> {
    let mut written = Ok(());
    let tokens = login.poll(|event| {
        written = output.event(&event);
        if written.is_err() {
            login.cancel();
        }
    });
    written?;
    Ok(tokens?)
}

fn cancel_on_signals(login: &Login, signals: &Signals) {
    let login = login.clone();
    signals.on_first(GRACE, move || login.cancel());
}

fn token(options: &TokenOptions, output: &mut Output, signals: &Signals) -> Result<u8, End> {
    let Common { server, session: place, .. } = &options.common;
    let cancel = cli_auth::CancelToken::new();
    let mut wanted =
        cli_auth::TokenOptions::new().cancel_token(&cancel).force_refresh(!server.param.is_empty());
    if let Some(name) = &options.refused_env {
        match std::env::var(name).ok().filter(|token| !token.is_empty()) {
            Some(token) => wanted = wanted.refused(&Secret::new(token)),
            None => return Ok(output.usage(&format!("the variable {name} is not set to a token"))),
        }
    }
    if let Some(time) = options.min_validity {
        wanted = wanted.min_validity(time);
    }
    for (name, value) in &server.param {
        wanted = wanted.param(name, value);
    }
    let (session, events) = session(&client(server, |builder| builder)?, place)?;
    signals.on_first(GRACE, move || cancel.cancel());
    let token = session.token_with(&wanted);
    output.session_events(&events)?;
    let token = token?;
    output.token(&token)?;
    Ok(0)
}

fn status(common: &Common, output: &mut Output) -> Result<u8, End> {
    let (session, events) = session(&client(&common.server, |builder| builder)?, &common.session)?;
    let status = session.status();
    output.session_events(&events)?;
    let status = status?;
    output.status(&status)?;
    Ok(match status.state() {
        SessionState::Valid | SessionState::Refreshable => 0,
        _ => 6,
    })
}

fn log_out(common: &Common, output: &mut Output) -> Result<u8, End> {
    let (session, events) = session(&client(&common.server, |builder| builder)?, &common.session)?;
    let logged_out = session.log_out();
    output.session_events(&events)?;
    output.logged_out(&logged_out?)?;
    Ok(0)
}
