//! `cargo xtask`: the task runner for development and CI.

mod authserver;
mod bench;
mod check;
mod cli;
mod conformance;
mod demo;
mod examples;
mod files;
mod guide;
mod lang;
mod notices;
mod package;
mod process;
mod prose;
mod public_names;
mod report;
mod setup;
mod signals;
mod soak;
mod test;
mod workspace;

use std::process::ExitCode;

use cli::Command;
use workspace::Workspace;

/// The exit status for an invalid command line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("cargo xtask: {error}\n\n{}", cli::HELP);
            return ExitCode::from(USAGE);
        }
    };
    match run(command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // After an interrupt, no error message is needed.
            if let Some(status) = signals::status() {
                println!();
                return ExitCode::from(status);
            }
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<u8> {
    if matches!(command, Command::Help) {
        print!("{}", cli::HELP);
        return Ok(0);
    }
    let workspace = Workspace::find()?;
    signals::watch()?;
    match command {
        Command::Help => Ok(0),
        Command::Demo(options) => demo::run(&workspace, &options),
        Command::Examples(languages) => examples::run(&workspace, &languages),
        Command::Test(languages) => test::run(&workspace, &languages),
        Command::Check { write } => check::run(&workspace, write),
        Command::Setup(languages) => setup::run(&workspace, &languages),
        Command::Package(languages) => package::run(&workspace, &languages),
        Command::Install(options) => lang::install(&workspace, &options),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Authserver(arguments) => authserver::run(&workspace, &arguments),
        Command::Soak(arguments) => soak::run(&workspace, &arguments),
    }
}
