//! Runs the shared behaviour scenarios against an example tool in any language.
//!
//! The cases are data (`cases/`). For each case the runner creates a virtual authorization server that behaves as the
//! case specifies, starts the tool, performs the actions of the case, and compares the tool's output and the server's
//! log with the expectations.

mod browser;
mod case;
mod checks;
mod command;
mod control;
mod faults;
mod fill;
mod log;
mod members;
mod options;
mod pattern;
mod peers;
mod play;
mod report;
mod requirements;
mod resolver;
mod schedule;
mod soak;
mod socks;
mod stories;
mod tool;
mod variants;

use std::io::Write;
use std::process::ExitCode;

use crate::case::Case;
use crate::control::AuthServer;
use crate::options::{Command, Options};
use crate::requirements::Requirements;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.next_if(|word| word == "soak").is_some() {
        return soak::main(args);
    }
    if args.next_if(|word| word == "stories").is_some() {
        return stories::main(args);
    }
    if args.next_if(|word| word == "faults").is_some() {
        return faults::main(args);
    }
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("scenarios: {error}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scenarios: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every case passed.
fn run(options: &Options) -> Result<bool, String> {
    if options.command == Command::Help {
        println!("{}", options::USAGE);
        return Ok(true);
    }
    let all: Vec<Case> = variants::load(&options.cases)?;
    if options.command == Command::ListRequirements {
        let folder = options.cases.parent().ok_or("the directory of the cases has no parent directory")?;
        let requirements = Requirements::load(folder)?;
        let proofs = Requirements::proofs(&all);
        println!("{}", serde_json::to_string_pretty(&proofs).map_err(|error| error.to_string())?);
        let mistakes = requirements.mistakes(&all);
        mistakes.iter().for_each(|mistake| eprintln!("scenarios: {mistake}"));
        return Ok(mistakes.is_empty());
    }
    let chosen: Vec<Case> = all.into_iter().filter(|case| is_chosen(case, &options.filters)).collect();
    if options.command == Command::List {
        // A closed pipe (`| head`) is not an error.
        let mut out = std::io::stdout().lock();
        let _ = chosen.iter().try_for_each(|case| writeln!(out, "{}: {}", case.id, case.about));
        return Ok(true);
    }
    if chosen.is_empty() {
        return Err("no case matches the filter".to_owned());
    }
    let (played, others): (Vec<Case>, Vec<Case>) =
        chosen.into_iter().partition(|case| case.is_for(options.sessions));
    if let Some(line) = report::not_run(&others, options.sessions) {
        println!("{line}");
    }
    if played.is_empty() {
        return Err("none of these cases is for this tool".to_owned());
    }
    play_chosen(options, played)
}

fn is_chosen(case: &Case, filters: &[String]) -> bool {
    let fits = |filter: &String| case.id.contains(filter) || case.proves.iter().any(|id| id.contains(filter));
    filters.is_empty() || filters.iter().any(fits)
}

fn play_chosen(options: &Options, cases: Vec<Case>) -> Result<bool, String> {
    report::remove_details(&options.logs);
    let server = AuthServer::start(&options.authserver).map_err(|error| error.to_string())?;
    let (mut passed, mut failed) = (0_u32, 0_u32);
    schedule::play_all(cases, &options.tool, &server.control(), options.jobs, |outcome| {
        if outcome.passed() {
            passed += 1;
            return;
        }
        failed += 1;
        let details = report::write_details(&options.logs, &outcome).ok();
        println!("{}", report::line(&outcome, details.as_deref()));
    });
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}
