//! Machines on which files, locks or the session bus do not work. Needs root, for mounts and other users.

mod bus;
mod case;
mod machine;
mod play;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;

use lexopt::{Arg, Parser, ValueExt};

use self::case::{Case, Run, Session};
use self::machine::Programs;
use crate::control::AuthServer;

const USAGE: &str = "\
usage: scenarios faults --tool PATH [--filter TEXT] [--jobs N] [--authserver PATH] [--list]

  --tool PATH          the example tool to test
  --filter TEXT        run only cases with TEXT in their id
  --jobs N             the number of runs at once; defaults to 16
  --authserver PATH    the authorization server; defaults to `authserver` in the directory of this program
  --list               print the cases, one sentence each, with what they prove";

/// The runs whose session needs long to come of age come first.
const MOST_PATIENT: Session = Session::Early;

/// Says that this process is in a namespace of its own, where mounts harm nobody.
const PRIVATE: &str = "--private";

#[derive(Debug)]
struct Options {
    tool: String,
    filter: String,
    jobs: usize,
    authserver: PathBuf,
    list: bool,
    private: bool,
    help: bool,
}

/// Runs the cases with the arguments after the name of this mode.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let options = match parse(args.clone()) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("scenarios faults: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options, &args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scenarios faults: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        tool: String::new(),
        filter: String::new(),
        jobs: 16,
        authserver: crate::options::beside_this_program("authserver"),
        list: false,
        private: false,
        help: false,
    };
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("tool") => options.tool = parser.value()?.string()?,
            Arg::Long("filter") => options.filter = parser.value()?.string()?,
            Arg::Long("jobs") => options.jobs = parser.value()?.parse()?,
            Arg::Long("authserver") => options.authserver = parser.value()?.into(),
            Arg::Long("list") => options.list = true,
            Arg::Long("private") => options.private = true,
            Arg::Long("help") | Arg::Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    if options.tool.is_empty() && !options.list && !options.help {
        return Err("--tool is missing".into());
    }
    if options.jobs == 0 {
        return Err("--jobs must be at least 1".into());
    }
    Ok(options)
}

/// Returns whether every run passed.
fn run(options: &Options, args: &[OsString]) -> Result<bool, String> {
    if options.help {
        println!("{USAGE}");
        return Ok(true);
    }
    let mut cases = case::load()?;
    cases.retain(|case| case.id.contains(&options.filter));
    if options.list {
        cases.iter().for_each(|case| println!("{}: {} ({})", case.id, case.about, case.proves.join(", ")));
        return Ok(true);
    }
    let count = cases.iter().map(|case| case.runs.len()).sum::<usize>();
    if !options.private {
        if let Some(why) = impossible() {
            return Ok(skip(count, &why));
        }
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut again = Command::new("unshare");
        again
            .args(["--mount", "--propagation", "private"])
            .arg(program)
            .arg("faults")
            .args(args)
            .arg(PRIVATE);
        return Err(format!("unshare: {}", again.exec()));
    }
    let failed = play_all(options, &cases)?;
    println!("{} passed, {failed} failed", count.saturating_sub(failed));
    Ok(failed == 0)
}

/// Returns why the cases cannot be played here.
fn impossible() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("it needs root, for mounts and other users".to_owned());
    }
    let probe = Command::new("unshare").args(["--mount", "--propagation", "private", "true"]).output();
    match probe {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            Some(format!("mounts are not permitted: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Some(format!("unshare: {error}")),
    }
}

/// Counts the runs as skipped, or in CI as failed. Returns whether that is fine.
fn skip(count: usize, why: &str) -> bool {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    println!("{}: {why}", if in_ci { "FAILED" } else { "skipped" });
    match in_ci {
        true => println!("0 passed, {count} failed"),
        false => println!("0 passed, 0 failed, {count} skipped"),
    }
    !in_ci
}

/// Returns the number of runs that failed.
fn play_all(options: &Options, cases: &[Case]) -> Result<usize, String> {
    let programs = Programs::new(&options.tool)?;
    let server = AuthServer::start(&options.authserver).map_err(|error| error.to_string())?;
    let mut runs: Vec<(&Case, &Run)> =
        cases.iter().flat_map(|case| case.runs.iter().map(move |run| (case, run))).collect();
    // The last are taken first.
    runs.sort_by_key(|(_, run)| run.session == MOST_PATIENT);
    let left = Mutex::new(runs);
    let (sender, results) = mpsc::channel();
    let mut failed = 0;
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            let (sender, control, left, programs) = (sender.clone(), server.control(), &left, &programs);
            scope.spawn(move || {
                while let Some((case, run)) = left.lock().ok().and_then(|mut left| left.pop()) {
                    let result = play::play(case, run, programs, &control);
                    let _ = sender.send((case, run, result));
                }
            });
        }
        drop(sender);
        for (case, run, result) in results {
            let faults = result.unwrap_or_else(|error| vec![error]);
            if !faults.is_empty() {
                failed += 1;
                let name =
                    format!("{}, {} of a session that is {:?}", case.id, run.run.as_str(), run.session);
                println!("FAILED {}: {}", name.to_lowercase(), faults.join("; ").replace('\n', " "));
            }
        }
    });
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_options_are_rejected() {
        let parsed = |args: &[&str]| parse(args.iter().map(OsString::from).collect());
        assert!(parsed(&["--tool", "t", "--filter", "disk"]).is_ok());
        assert!(parsed(&["--list"]).is_ok());
        for args in [&[][..], &["--tool", "t", "--jobs", "0"], &["x"]] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
