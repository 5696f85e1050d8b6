//! One whole login on this machine: the test server, the example tool, and a person or a stand-in.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::examples::build_in_foreground;
use crate::lang::Language;
use crate::process::{self, Ended};
use crate::workspace::{Profile, Workspace};

/// How long the server may take to say that it is ready.
const START: Duration = Duration::from_secs(30);
/// A client that the server knows from the start.
const CLIENT: &str = "client_cli";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) language: Language,
    /// Who answers: the server itself, or (None) a person on the page.
    pub(crate) answer: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Approve,
    Deny,
}

/// Gives the example tool's own exit status.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    for mut build in options.language.build_demo(workspace) {
        build_in_foreground(&mut build)?;
    }

    let server = Server::start(workspace, options.answer)?;
    let words = [
        "login",
        "--provider",
        "authkit",
        "--api-base",
        &server.url,
        "--client-id",
        CLIENT,
        "--insecure-loopback",
    ];
    println!();
    println!("An authorization server runs at {}; nothing leaves this machine.", server.url);
    println!("The example tool logs in: {}", words.join(" "));
    println!(
        "{}",
        match options.answer {
            None => "Open the page that it shows, and approve or deny. Ctrl-C ends the login.",
            Some(Answer::Approve) => "Nobody has to open the page: the server approves by itself.",
            Some(Answer::Deny) => "Nobody has to open the page: the server denies by itself.",
        }
    );
    println!();
    let mut tool = workspace.command(options.language.example(workspace, Profile::Debug));
    let status = process::run_in_foreground(tool.args(words))?;
    drop(server);
    println!();
    println!("{} (the tool's exit status is {status})", told(status));
    Ok(status)
}

/// What an exit status of the example tool means.
fn told(status: u8) -> &'static str {
    match status {
        0 => "The login was approved; the tool holds the tokens.",
        3 => "The login was denied; the tool got nothing.",
        4 => "The code expired before anybody answered.",
        130 | 143 => "The login was cancelled.",
        _ => "The login failed.",
    }
}

/// The test server, until this value goes.
#[derive(Debug)]
struct Server {
    url: String,
    _process: Ended,
}

impl Server {
    fn start(workspace: &Workspace, answer: Option<Answer>) -> anyhow::Result<Self> {
        let mut command = workspace.command(workspace.binary(Profile::Debug, "authserver"));
        // Even a killed xtask closes this pipe, and the server ends with it.
        command
            .args(["--listen", "127.0.0.1:0", "--exit-on-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        match answer {
            Some(Answer::Approve) => command.arg("--approve"),
            Some(Answer::Deny) => command.arg("--deny"),
            None => &mut command,
        };
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
