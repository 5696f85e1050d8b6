//! Logs a person in from a terminal. Copy it: what a tool needs around `cli_auth` is all here.

mod args;
mod output;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    thread,
    time::Duration,
};

use cli_auth::{Client, ClientAuth, ClientBuilder, Error, ErrorKind, Login, Pkce};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

use args::{Arguments, LoginOptions, PkceMode, Provider};
use output::{Closed, Output};

fn main() -> ExitCode {
    let Arguments::Login(options) = Arguments::read();
    options.check();
    let mut output = Output::new(options.json);
    let signal = Arc::new(AtomicI32::new(0));
    match log_in(&options, &mut output, &signal) {
        Ok(status) => ExitCode::from(status),
        // Whoever read our output is gone: there is nobody left to tell.
        Err(Closed) => ExitCode::FAILURE,
    }
}

fn log_in(options: &LoginOptions, output: &mut Output, signal: &Arc<AtomicI32>) -> Result<u8, Closed> {
    let client = match client(options) {
        Ok(client) => client,
        Err(Wrong::Setting(message)) => {
            output.wrong_setting(&message)?;
            return Ok(1);
        }
        Err(Wrong::Client(error)) => return failed(&error, output, signal),
    };
    let login = client.login();
    cancel_on_signals(&login, signal);
    if let Some(limit) = options.timeout {
        leave_after(limit.saturating_add(GRACE), 4);
    }

    let prompt = match login.start() {
        Ok(prompt) => prompt,
        Err(error) => return failed(&error, output, signal),
    };
    output.prompt(&prompt)?;
    if !options.json && !options.no_browser {
        output.launched(prompt.open_browser());
    }
    let mut written = Ok(());
    let tokens = login.poll(|event| {
        written = output.event(&event);
        if written.is_err() {
            login.cancel();
        }
    });
    written?;
    match tokens {
        Ok(tokens) => output.authorized(&tokens).map(|()| 0),
        Err(error) => failed(&error, output, signal),
    }
}

fn failed(error: &Error, output: &mut Output, signal: &AtomicI32) -> Result<u8, Closed> {
    output.error(error)?;
    Ok(match error.kind() {
        ErrorKind::Denied => 3,
        ErrorKind::Expired => 4,
        ErrorKind::ActionRequired => 5,
        ErrorKind::Cancelled if signal.load(Ordering::SeqCst) == SIGTERM => 143,
        ErrorKind::Cancelled => 130,
        _ => 1,
    })
}

/// What keeps a client from being made.
enum Wrong {
    Setting(String),
    Client(Error),
}

fn client(options: &LoginOptions) -> Result<Client, Wrong> {
    let id = options.client_id.as_str();
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut builder: ClientBuilder = match options.provider {
        Provider::Authkit => Client::authkit(id),
        Provider::Connect => Client::workos_connect(given(&options.domain), id),
        Provider::Oidc => Client::for_issuer(given(&options.issuer), id),
        Provider::Endpoints => {
            Client::with_endpoints(given(&options.device_endpoint), given(&options.token_endpoint), id)
        }
    };
    if options.provider == Provider::Oidc {
        if let Some(url) = &options.device_endpoint {
            builder = builder.device_authorization_endpoint(url);
        }
        if let Some(url) = &options.token_endpoint {
            builder = builder.token_endpoint(url);
        }
    }
    if let Some(url) = &options.revocation_endpoint {
        builder = builder.revocation_endpoint(url);
    }
    if let Some(url) = &options.api_base {
        builder = builder.api_base(url);
    }
    if let Some(name) = &options.client_secret_env {
        let secret = std::env::var(name)
            .map_err(|_| Wrong::Setting(format!("the variable {name} is not set to a text")))?;
        builder = builder.client_secret(secret, ClientAuth::Auto);
    }
    if let Some(path) = &options.ca_file {
        let pem =
            read(path).map_err(|error| Wrong::Setting(format!("cannot read {}: {error}", path.display())))?;
        builder = builder.ca_pem(pem);
    }
    for (name, value) in &options.param {
        builder = builder.param(name, value);
    }
    builder = builder.pkce(match options.pkce {
        PkceMode::Auto => Pkce::Auto,
        PkceMode::Always => Pkce::Always,
        PkceMode::Never => Pkce::Never,
    });
    for (name, value) in &options.token_param {
        builder = builder.token_param(name, value);
    }
    for (name, value) in &options.header {
        builder = builder.header(name, value);
    }
    if let Some(limit) = options.timeout {
        builder = builder.login_timeout(limit);
    }
    builder
        .scopes(&options.scope)
        .product(concat!("login-example/", env!("CARGO_PKG_VERSION")))
        .allow_insecure_loopback(options.insecure_loopback)
        .build()
        .map_err(Wrong::Client)
}

/// How long a login that was ended may take to say so. Revoking a token that came too late takes up to two seconds.
const GRACE: Duration = Duration::from_secs(3);

/// A file of certificates; nobody has one of more than 4 MiB.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    File::open(path)?.take(4 * 1024 * 1024 + 1).read_to_end(&mut pem)?;
    Ok(pem)
}

/// The first Ctrl-C or SIGTERM cancels the login, which then ends by itself; a second one ends the program on the spot.
fn cancel_on_signals(login: &Login, caught: &Arc<AtomicI32>) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let (login, caught) = (login.clone(), Arc::clone(caught));
    thread::spawn(move || {
        for signal in signals.forever() {
            if caught.swap(signal, Ordering::SeqCst) != 0 {
                let _ = emulate_default_handler(signal);
            }
            login.cancel();
            leave_after(GRACE, 128 + signal);
        }
    });
}

/// Ends the program even where nobody reads what it wants to say, and a full pipe holds it.
fn leave_after(limit: Duration, status: i32) {
    thread::spawn(move || {
        thread::sleep(limit);
        std::process::exit(status)
    });
}
