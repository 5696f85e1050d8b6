//! The words on the command line.

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, ValueEnum, error::ErrorKind};

/// Logs you in, in a browser on this or another device, and keeps you logged in.
#[derive(Parser)]
#[command(version)]
pub(crate) enum Arguments {
    /// Log in and print who you are.
    Login(LoginOptions),
    /// Print an access token.
    Token(TokenOptions),
    /// Print whether you are logged in.
    Status(Common),
    /// Log out of this machine and of the server.
    Logout(Common),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PkceMode {
    /// If the server's metadata lists it
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// WorkOS AuthKit
    Authkit,
    /// WorkOS Connect; needs --domain
    Connect,
    /// Any server that publishes its metadata; needs --issuer
    Oidc,
    /// Any other server; needs --device-endpoint and --token-endpoint
    Endpoints,
}

/// What every word takes.
#[derive(Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    #[command(flatten)]
    pub(crate) session: SessionOptions,
    /// Print one JSON object a line on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct SessionOptions {
    /// The name under which the login is kept
    #[arg(long, value_name = "NAME", default_value = "login-example")]
    pub(crate) app: String,
    /// One of several logins
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) profile: String,
    /// Where the login is kept
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) store: Store,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// In a file, with a key in the system's key store if there is one
    Auto,
    /// In a file, with a key in the system's key store
    Keyring,
    /// In a file that only you can read
    File,
    /// Nowhere
    None,
}

#[derive(Args)]
pub(crate) struct LoginOptions {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Do not open a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Give up after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<Duration>,
    /// Show the code and end; a later --resume waits for your approval
    #[arg(long, conflicts_with = "resume")]
    pub(crate) begin: bool,
    /// Wait for the login that --begin has begun
    #[arg(long)]
    pub(crate) resume: bool,
}

#[derive(Args)]
pub(crate) struct TokenOptions {
    #[command(flatten)]
    pub(crate) common: Common,
    /// For how long the token must be valid at least
    #[arg(long, value_name = "SECONDS", value_parser = seconds_or_none, allow_negative_numbers = true)]
    pub(crate) min_validity: Option<Duration>,
    /// The environment variable that holds a token that an API has refused
    #[arg(long, value_name = "NAME")]
    pub(crate) refused_env: Option<String>,
}

#[derive(Args)]
pub(crate) struct ServerOptions {
    /// Which kind of server to log in to
    #[arg(long, value_enum)]
    pub(crate) provider: Provider,
    /// The id under which the server knows this tool
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// AuthKit: another address of the WorkOS API
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: Option<String>,
    /// Connect: the AuthKit domain
    #[arg(long, value_name = "HOST_OR_URL")]
    pub(crate) domain: Option<String>,
    /// OIDC: the issuer, exactly as the server writes it
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Endpoints: where a login begins; OIDC: if the metadata lacks it
    #[arg(long, value_name = "URL")]
    pub(crate) device_endpoint: Option<String>,
    /// Endpoints: where the tokens come from; OIDC: if the metadata lacks it
    #[arg(long, value_name = "URL")]
    pub(crate) token_endpoint: Option<String>,
    /// Endpoints: where tokens are revoked; OIDC: if the metadata lacks it
    #[arg(long, value_name = "URL")]
    pub(crate) revocation_endpoint: Option<String>,
    /// The environment variable that holds a client secret
    #[arg(long, value_name = "NAME")]
    pub(crate) client_secret_env: Option<String>,
    /// A scope to ask for; may be repeated
    #[arg(long, value_name = "S")]
    pub(crate) scope: Vec<String>,
    /// An extra parameter of the device authorization request, with `token` of a refresh; may be repeated
    #[arg(long, value_name = "K=V", value_parser = param)]
    pub(crate) param: Vec<(String, String)>,
    /// An extra parameter of the token request; may be repeated
    #[arg(long, value_name = "K=V", value_parser = param)]
    pub(crate) token_param: Vec<(String, String)>,
    /// Whether to use PKCE
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) pkce: PkceMode,
    /// An extra header of every request; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,
    /// Certificates to trust beside those of the system
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Allow plain http to this machine, for tests
    #[arg(long)]
    pub(crate) insecure_loopback: bool,
}

impl Arguments {
    /// Reads the command line. The word `login` may be left out.
    pub(crate) fn read() -> Self {
        let mut words: Vec<OsString> = env::args_os().collect();
        let first = words.get(1).and_then(|word| word.to_str());
        if first.is_some_and(|word| word.starts_with("--") && word != "--help" && word != "--version") {
            words.insert(1, "login".into());
        }
        Self::parse_from(words)
    }
}

impl Arguments {
    /// Checks what depends on several options. Ends the program with status 2.
    pub(crate) fn check(&self) {
        let (word, common) = match self {
            Self::Login(options) => ("login", &options.common),
            Self::Token(options) => ("token", &options.common),
            Self::Status(common) => ("status", common),
            Self::Logout(common) => ("logout", common),
        };
        let wrong = match self {
            Self::Login(options)
                if (options.begin || options.resume) && common.session.store == Store::None =>
            {
                let message = "--begin and --resume need a place to keep the login: not --store none";
                Some((ErrorKind::ArgumentConflict, message.to_owned()))
            }
            Self::Login(_) => None,
            _ if common.session.store == Store::None => {
                let message = "with --store none no login is kept: there is nothing to look at";
                Some((ErrorKind::ArgumentConflict, message.to_owned()))
            }
            _ => None,
        };
        if let Some((kind, message)) = wrong.or_else(|| common.server.wrong()) {
            let mut command = Self::command();
            command.build();
            let found = command.find_subcommand_mut(word).map(std::mem::take);
            found.unwrap_or(command).error(kind, message).exit();
        }
    }
}

impl ServerOptions {
    /// Holds the options against the provider: each has words of its own.
    fn wrong(&self) -> Option<(ErrorKind, String)> {
        use Provider::{Authkit, Connect, Endpoints, Oidc};
        // The provider that needs the option, and those that know it.
        [
            ("--api-base", self.api_base.is_some(), None, &[Authkit][..]),
            ("--domain", self.domain.is_some(), Some(Connect), &[Connect]),
            ("--issuer", self.issuer.is_some(), Some(Oidc), &[Oidc]),
            ("--device-endpoint", self.device_endpoint.is_some(), Some(Endpoints), &[Endpoints, Oidc]),
            ("--token-endpoint", self.token_endpoint.is_some(), Some(Endpoints), &[Endpoints, Oidc]),
            ("--revocation-endpoint", self.revocation_endpoint.is_some(), None, &[Endpoints, Oidc]),
        ]
        .into_iter()
        .find_map(|(option, given, needs, knows)| match (knows.contains(&self.provider), given) {
            (_, false) if needs == Some(self.provider) => {
                Some((ErrorKind::MissingRequiredArgument, format!("this provider needs {option}")))
            }
            (false, true) => Some((ErrorKind::ArgumentConflict, format!("{option} is for another provider"))),
            _ => None,
        })
    }
}

fn param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| "give a number of seconds above 0".to_owned())
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| "give a number of seconds, 0 or more".to_owned())
}
