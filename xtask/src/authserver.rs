//! Starts the test authorization server for the other commands.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::examples::in_foreground;
use crate::process::{self, KillOnDrop};
use crate::workspace::{Profile, Workspace};

/// A client that is registered at the server by default.
pub(crate) const CLIENT: &str = "client_cli";

/// Timeout for the start of the server.
const START: Duration = Duration::from_secs(30);
/// Timeout for a login that is approved immediately, including a build before it.
const LOGIN: Duration = Duration::from_secs(10 * 60);

/// `cargo xtask authserver ...`
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<u8> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--package", "authserver"]);
    in_foreground(cargo)?;
    let mut server = workspace.command(workspace.binary(Profile::Debug, "authserver"));
    process::run_in_foreground(server.args(arguments))
}

/// The running test server; dropping this value ends it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    _process: KillOnDrop,
}

impl Server {
    /// Starts the debug build, which must exist, with additional arguments such as `--approve`.
    pub(crate) fn start(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Self> {
        let mut command = workspace.command(workspace.binary(Profile::Debug, "authserver"));
        // The pipe is closed even if xtask is killed, and then the server exits.
        command.args(["--listen", "127.0.0.1:0", "--exit-on-eof"]).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            KillOnDrop::spawn_group(&mut command).context("cannot start the authorization server")?;
        let stdout = process.take_stdout().context("its output is piped")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // Reads on after the receiver has timed out, so that the server can continue to write.
            let _ = sender.send(lines.next());
            lines.for_each(drop);
        });
        let first = receiver.recv_timeout(START).context("the authorization server is not ready in time")?;
        match first.as_deref().and_then(|line| line.strip_prefix("READY ")) {
            Some(url) => Ok(Self { url: url.trim().to_owned(), _process: process }),
            None => bail!("unexpected output of the authorization server: {first:?}"),
        }
    }
}

/// Returns the arguments with which an example tool logs in at the server `url`.
pub(crate) fn login_arguments(url: &str) -> [&str; 8] {
    ["login", "--provider", "authkit", "--api-base", url, "--client-id", CLIENT, "--insecure-loopback"]
}

/// Runs the command that `program` returns for the URL of an approving server, and checks that it logs in.
pub(crate) fn logs_in(workspace: &Workspace, program: impl FnOnce(&str) -> Command) -> anyhow::Result<()> {
    let server = Server::start(workspace, &["--approve"])?;
    let said = process::output(program(&server.url), LOGIN)?;
    ensure!(said.contains("Logged in as user_"), "the program did not log in:\n{said}");
    Ok(())
}
