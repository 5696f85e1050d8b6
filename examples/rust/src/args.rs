//! The words on the command line.

use std::{env, ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, ValueEnum, error::ErrorKind};

/// Logs you in, in a browser on this or another device.
#[derive(Parser)]
#[command(version)]
pub(crate) enum Arguments {
    /// Log in and print who you are.
    Login(LoginOptions),
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

#[derive(Args)]
pub(crate) struct LoginOptions {
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
    /// An extra parameter of the device authorization request; may be repeated
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
    /// Print one JSON object a line on standard output, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Do not open a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Give up after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<Duration>,
}

impl Arguments {
    /// Reads the command line. The word `login` may be left out, since there is no other command.
    pub(crate) fn read() -> Self {
        let mut words: Vec<OsString> = env::args_os().collect();
        let first = words.get(1).and_then(|word| word.to_str());
        if first.is_some_and(|word| word.starts_with("--") && word != "--help" && word != "--version") {
            words.insert(1, "login".into());
        }
        Self::parse_from(words)
    }
}

impl LoginOptions {
    /// Holds the options against the provider: each has words of its own. Ends the program with status 2.
    pub(crate) fn check(&self) {
        use Provider::{Authkit, Connect, Endpoints, Oidc};
        // The provider that needs the option, and those that know it.
        for (option, given, needs, knows) in [
            ("--api-base", self.api_base.is_some(), None, &[Authkit][..]),
            ("--domain", self.domain.is_some(), Some(Connect), &[Connect]),
            ("--issuer", self.issuer.is_some(), Some(Oidc), &[Oidc]),
            ("--device-endpoint", self.device_endpoint.is_some(), Some(Endpoints), &[Endpoints, Oidc]),
            ("--token-endpoint", self.token_endpoint.is_some(), Some(Endpoints), &[Endpoints, Oidc]),
            ("--revocation-endpoint", self.revocation_endpoint.is_some(), None, &[Endpoints, Oidc]),
        ] {
            let (kind, message) = match (knows.contains(&self.provider), given) {
                (_, false) if needs == Some(self.provider) => {
                    (ErrorKind::MissingRequiredArgument, format!("this provider needs {option}"))
                }
                (false, true) => (ErrorKind::ArgumentConflict, format!("{option} is for another provider")),
                _ => continue,
            };
            let mut command = Arguments::command();
            command.build();
            let login = command.find_subcommand_mut("login").map(std::mem::take);
            login.unwrap_or(command).error(kind, message).exit();
        }
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
