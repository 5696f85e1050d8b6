//! One whole login on this machine: the test server, the example tool, and a person or a stand-in.

use anyhow::Context;

use crate::authserver::{Server, login_words};
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::process;
use crate::workspace::{Profile, Workspace};

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) language: Language,
    /// What the server answers by itself, `--approve` or `--deny`; nothing where a person does on the page.
    pub(crate) answer: Option<&'static str>,
}

/// Gives the example tool's own exit status.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    options.language.build_demo(workspace, in_foreground)?;

    let server = Server::start(workspace, options.answer.as_slice())?;
    let words = login_words(&server.url);
    println!();
    println!("An authorization server runs at {}; nothing leaves this machine.", server.url);
    println!("The example tool logs in: {}", words.join(" "));
    println!(
        "{}",
        match options.answer {
            None => "Open the page that it shows, and approve or deny. Ctrl-C ends the login.",
            Some(_) => "Nobody has to open the page: the server answers by itself.",
        }
    );
    println!();
    let mut tool = options.language.words(workspace, Profile::Debug).into_iter();
    let mut command = workspace.command(tool.next().context("the example tool has no name")?);
    let status = process::run_in_foreground(command.args(tool).args(words))?;
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
