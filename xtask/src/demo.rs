//! A complete login on this machine with the test server, the example tool, and a real or simulated user.

use anyhow::Context;

use crate::authserver::{Server, login_arguments};
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::process;
use crate::workspace::{Profile, Workspace};

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) language: Language,
    /// The automatic decision of the server, `--approve` or `--deny`; `None` if the user decides on the page.
    pub(crate) answer: Option<&'static str>,
}

/// Returns the example tool's exit status.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    options.language.build_demo(workspace, in_foreground)?;

    let server = Server::start(workspace, options.answer.as_slice())?;
    let words = login_arguments(&server.url);
    println!();
    println!("An authorization server runs at {}; nothing leaves this machine.", server.url);
    println!("The example tool logs in: {}", words.join(" "));
    println!(
        "{}",
        match options.answer {
            None => "Open the page that the tool shows, and approve or deny. Ctrl-C cancels the login.",
            Some(_) => "You do not need to open the page: the server decides automatically.",
        }
    );
    println!();
    let mut tool = options.language.words(workspace, Profile::Debug).into_iter();
    let mut command = workspace.command(tool.next().context("the example tool has no name")?);
    let status = process::run_in_foreground(command.args(tool).args(words))?;
    drop(server);
    println!();
    println!("{} (the tool's exit status is {status})", describe(status));
    Ok(status)
}

/// Describes an exit status of the example tool.
fn describe(status: u8) -> &'static str {
    match status {
        0 => "The login was approved; the tool received the tokens.",
        3 => "The login was denied; the tool received no tokens.",
        4 => "The code expired before the login was approved or denied.",
        130 | 143 => "The login was cancelled.",
        _ => "The login failed.",
    }
}
