//! The soak: many processes share a session whose tokens rotate, and are killed and stopped while they refresh it.

mod history;
mod options;
mod plan;
mod random;
mod report;
mod round;
mod verdict;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use self::options::{Length, Options};
use self::plan::Plan;
use self::verdict::Figures;
use crate::control::AuthServer;

/// Runs the soak with the arguments after its name.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match options::parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("scenarios soak: {error}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scenarios soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every round passed.
fn run(options: &Options) -> Result<bool, String> {
    println!("seed {}", options.seed);
    crate::report::remove_details(&options.logs);
    let server = AuthServer::start(&options.authserver).map_err(|error| error.to_string())?;
    let control = server.control();
    let (next, start) = (AtomicU64::new(0), Instant::now());
    let (sender, results) = mpsc::channel();
    let (mut figures, mut failed) = (Figures::default(), 0_u64);
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            let (sender, control, next) = (sender.clone(), control.clone(), &next);
            scope.spawn(move || {
                loop {
                    let count = next.fetch_add(1, Ordering::SeqCst);
                    let is_over = match options.length {
                        Length::Rounds(rounds) => count >= rounds,
                        Length::Time(time) => count > 0 && start.elapsed() >= time,
                    };
                    if is_over {
                        return;
                    }
                    let number = options.first_round.saturating_add(count);
                    let plan = Plan::new(options.seed, number, options.processes, options.silence);
                    let result = round::play(&plan, &options.tool, &control)
                        .and_then(|seen| verdict::judge(&plan, &seen).map(|verdict| (seen, verdict)));
                    if sender.send((number, plan, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (number, plan, result) in results {
            let faults = match &result {
                Ok((_, verdict)) => {
                    figures += verdict.figures;
                    verdict.faults.clone()
                }
                Err(error) => {
                    figures.rounds += 1;
                    vec![error.clone()]
                }
            };
            if !faults.is_empty() {
                failed += 1;
                let seen = result.as_ref().ok().map(|(seen, _)| seen);
                let details = report::details(options.seed, number, &plan, seen, &faults);
                report::print_failure(&options.logs, number, &faults, &details);
            }
        }
    });
    println!("{}", report::figures(&figures));
    println!("{} passed, {failed} failed", figures.rounds.saturating_sub(failed));
    Ok(failed == 0)
}
