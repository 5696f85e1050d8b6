//! The test authorization server, as the other commands start it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::examples::in_foreground;
use crate::process::{self, Ended};
use crate::workspace::{Profile, Workspace};

/// A client that the server knows from the start.
pub(crate) const CLIENT: &str = "client_cli";

/// How long the server may take to say that it is ready.
const START: Duration = Duration::from_secs(30);
/// How long a login may take that is approved at once, and what is built before it.
const LOGIN: Duration = Duration::from_secs(10 * 60);

/// `cargo xtask authserver ...`
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<u8> {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--package", "authserver"]);
    in_foreground(cargo)?;
    let mut server = workspace.command(workspace.binary(Profile::Debug, "authserver"));
    process::run_in_foreground(server.args(arguments))
}

/// The test server, until this value goes.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    _process: Ended,
}

impl Server {
    /// Starts the debug build, which has to be there, with more `words`: `--approve`, if that is what it answers by itself.
    pub(crate) fn start(workspace: &Workspace, words: &[&str]) -> anyhow::Result<Self> {
        let mut command = workspace.command(workspace.binary(Profile::Debug, "authserver"));
        // Even a killed xtask closes this pipe, and the server ends with it.
        command.args(["--listen", "127.0.0.1:0", "--exit-on-eof"]).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            Ended::spawn_group(&mut command).context("the authorization server does not start")?;
        let stdout = process.take_stdout().context("its output is piped")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // A receiver that is gone has given up; the rest is read so that the server can go on writing.
            let _ = sender.send(lines.next());
            lines.for_each(drop);
        });
        let first = receiver.recv_timeout(START).context("the authorization server is not ready in time")?;
        match first.as_deref().and_then(|line| line.strip_prefix("READY ")) {
            Some(url) => Ok(Self { url: url.trim().to_owned(), _process: process }),
            None => bail!("the authorization server said {first:?}"),
        }
    }
}

/// The words with which an example tool logs in at the server `url`.
pub(crate) fn login_words(url: &str) -> [&str; 8] {
    ["login", "--provider", "authkit", "--api-base", url, "--client-id", CLIENT, "--insecure-loopback"]
}

/// Runs what `program` makes of the address of a server that approves; it has to say that it is logged in.
pub(crate) fn logs_in(workspace: &Workspace, program: impl FnOnce(&str) -> Command) -> anyhow::Result<()> {
    let server = Server::start(workspace, &["--approve"])?;
    let said = process::said(program(&server.url), LOGIN)?;
    ensure!(said.contains("Logged in as user_"), "it said\n{said}");
    Ok(())
}
