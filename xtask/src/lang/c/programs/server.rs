//! The test server that the programs talk to.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::Ended;
use crate::workspace::{Profile, Workspace};

const PATIENCE: Duration = Duration::from_secs(30);

/// Until this value goes.
#[derive(Debug)]
pub(super) struct Server {
    _process: Ended,
    /// Of its first server, and of the control interface.
    pub(super) url: String,
}

impl Server {
    /// With a control interface, and with what `more` says of its first server.
    pub(super) fn start(workspace: &Workspace, more: &[&str]) -> anyhow::Result<Self> {
        let mut command = workspace.command(workspace.binary(Profile::Debug, "authserver"));
        command.args(["--control", "--interval", "1", "--listen", "127.0.0.1:0"]).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Ended::spawn_group(&mut command).context("cannot start authserver")?;
        let line = first_line(process.take_stdout().context("its output is piped")?)?;
        match line.trim().strip_prefix("READY ") {
            Some(url) => Ok(Self { url: url.to_owned(), _process: process }),
            None => bail!("authserver said {line:?}"),
        }
    }
}

fn first_line(stdout: ChildStdout) -> anyhow::Result<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(read.map(|_| line));
    });
    Ok(receiver.recv_timeout(PATIENCE).context("authserver does not get ready")??)
}
