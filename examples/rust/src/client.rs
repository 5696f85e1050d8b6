//! The client and the session that the command line asks for.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use cli_auth::{Client, ClientAuth, ClientBuilder, Error, Pkce, Protection, Session, SessionEvent};

use crate::args::{PkceMode, Provider, ServerOptions, SessionOptions, Store};

/// What keeps a client from being made.
pub(crate) enum Wrong {
    Setting(String),
    Client(Error),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

/// The maximum size of a file of certificates.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

/// Makes the client. `complete` adds what only one word has.
pub(crate) fn client(
    options: &ServerOptions,
    complete: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, Wrong> {
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
    let builder = builder
        .scopes(&options.scope)
        .product(concat!("login-example/", env!("CARGO_PKG_VERSION")))
        .allow_insecure_loopback(options.insecure_loopback);
    Ok(complete(builder).build()?)
}

/// Makes the client of a login.
pub(crate) fn login_client(options: &ServerOptions, timeout: Option<Duration>) -> Result<Client, Wrong> {
    client(options, |mut builder| {
        for (name, value) in &options.param {
            builder = builder.param(name, value);
        }
        match timeout {
            Some(limit) => builder.login_timeout(limit),
            None => builder,
        }
    })
}

/// Makes the session, and a channel for its events.
pub(crate) fn session(
    client: &Client,
    options: &SessionOptions,
) -> Result<(Session, Receiver<SessionEvent>), Error> {
    let (sender, events) = mpsc::channel();
    let session = client
        .session()
        .app(&options.app)
        .profile(&options.profile)
        .protection(match options.store {
            Store::Auto => Protection::Auto,
            Store::Keyring => Protection::Keyring,
            Store::File => Protection::File,
            Store::None => Protection::Memory,
        })
        .on_event(move |event| {
            let _ = sender.send(event.clone());
        })
        .build()?;
    Ok((session, events))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    File::open(path)?.take(MAX_PEM_BYTES + 1).read_to_end(&mut pem)?;
    Ok(pem)
}
