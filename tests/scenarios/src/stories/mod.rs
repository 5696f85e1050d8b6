//! Stories: several commands of the example tool that share a home directory and a server, one after the other or at
//! the same time.

mod home;
mod keyring;
mod play;
mod story;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;

use lexopt::{Arg, Parser, ValueExt};

use self::keyring::Keyring;
use self::story::Story;
use crate::control::AuthServer;
use crate::variants;

const USAGE: &str = "\
usage: scenarios stories --tool PATH [--filter TEXT] [--jobs N] [--stories DIR] [--authserver PATH] [--list]

  --tool PATH          the example tool to test
  --filter TEXT        play only stories with TEXT in their id or in what they prove
  --jobs N             the number of stories at once; defaults to 8
  --stories DIR        the directory of the stories; defaults to that of the source code
  --authserver PATH    the authorization server; defaults to `authserver` in the directory of this program
  --list               print the stories, one sentence each, with what they prove";

#[derive(Debug)]
struct Options {
    tool: String,
    filter: String,
    jobs: usize,
    stories: PathBuf,
    authserver: PathBuf,
    list: bool,
    help: bool,
}

/// Plays the stories with the arguments after the name of this mode.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match parse(args) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("scenarios stories: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scenarios stories: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        tool: String::new(),
        filter: String::new(),
        jobs: 8,
        stories: concat!(env!("CARGO_MANIFEST_DIR"), "/stories").into(),
        authserver: crate::options::beside_this_program("authserver"),
        list: false,
        help: false,
    };
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("tool") => options.tool = parser.value()?.string()?,
            Arg::Long("filter") => options.filter = parser.value()?.string()?,
            Arg::Long("jobs") => options.jobs = parser.value()?.parse()?,
            Arg::Long("stories") => options.stories = parser.value()?.into(),
            Arg::Long("authserver") => options.authserver = parser.value()?.into(),
            Arg::Long("list") => options.list = true,
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

/// Returns whether every story passed.
fn run(options: &Options) -> Result<bool, String> {
    if options.help {
        println!("{USAGE}");
        return Ok(true);
    }
    let mut stories: Vec<Story> = variants::load(&options.stories)?;
    let fits = |text: &String| text.contains(&options.filter);
    stories.retain(|story| fits(&story.id) || story.proves.iter().any(fits));
    if options.list {
        stories.iter().for_each(|it| println!("{}: {} ({})", it.id, it.about, it.proves.join(", ")));
        return Ok(true);
    }
    let all = stories.len();
    stories.retain(|story| !story.keyring || Keyring::is_expected());
    let skipped = all.saturating_sub(stories.len());
    let failed = play_all(options, &stories)?;
    println!("{} passed, {failed} failed", stories.len().saturating_sub(failed));
    if skipped > 0 {
        println!("{skipped} skipped, because dbus-daemon or gnome-keyring-daemon is not installed");
    }
    Ok(failed == 0)
}

/// Returns the number of stories that failed.
fn play_all(options: &Options, stories: &[Story]) -> Result<usize, String> {
    let server = AuthServer::start(&options.authserver).map_err(|error| error.to_string())?;
    // The long ones are taken first: they are last in the list.
    let mut sorted: Vec<&Story> = stories.iter().collect();
    sorted.sort_by(|one, other| one.waits().total_cmp(&other.waits()));
    let left = Mutex::new(sorted);
    let (sender, results) = mpsc::channel();
    let mut failed = 0;
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            let (sender, control, left) = (sender.clone(), server.control(), &left);
            scope.spawn(move || {
                while let Some(story) = left.lock().ok().and_then(|mut left| left.pop()) {
                    let _ = sender.send((story, play::play(story, &options.tool, &control)));
                }
            });
        }
        drop(sender);
        for (story, result) in results {
            let faults = result.unwrap_or_else(|error| vec![error]);
            if !faults.is_empty() {
                failed += 1;
                println!("FAILED {}: {}", story.id, faults.join("; ").replace('\n', " "));
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
        let parsed = |args: &[&str]| parse(args.iter().map(OsString::from));
        assert!(parsed(&["--tool", "t", "--filter", "logout"]).is_ok());
        assert!(parsed(&["--list"]).is_ok());
        for args in [&[][..], &["--tool", "t", "--jobs", "0"], &["x"]] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
