//! The command line of the soak.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const USAGE: &str = "\
usage: scenarios soak --tool PATH [--minutes N | --seconds N | --rounds N] [--seed N] [--first-round N]
                      [--processes N] [--jobs N] [--no-silence] [--authserver PATH] [--logs DIR]

  --tool PATH          the example tool to test
  --minutes N          stop to start rounds after N minutes; defaults to 5 (--seconds for shorter runs)
  --rounds N           run N rounds
  --seed N             the seed of what happens; the default is random and printed
  --first-round N      the number of the first round, to repeat one of another run; defaults to 0
  --processes N        the number of processes in a round; defaults to 20
  --jobs N             the number of rounds at once; defaults to 4
  --no-silence         the server responds or resets the connection, but does not leave a client waiting
  --authserver PATH    the authorization server; defaults to `authserver` in the directory of this program
  --logs DIR           the directory for details of failures; defaults to target/scenarios/soak";

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Length {
    Time(Duration),
    Rounds(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) tool: String,
    pub(crate) length: Length,
    pub(crate) seed: u64,
    pub(crate) first_round: u64,
    pub(crate) processes: u64,
    pub(crate) jobs: usize,
    pub(crate) silence: bool,
    pub(crate) authserver: PathBuf,
    pub(crate) logs: PathBuf,
}

/// Returns `None` for `--help`.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        tool: String::new(),
        length: Length::Time(Duration::from_secs(5 * 60)),
        seed: new_seed(),
        first_round: 0,
        processes: 20,
        jobs: 4,
        silence: true,
        authserver: crate::options::beside_this_program("authserver"),
        logs: crate::options::logs_of("soak"),
    };
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("tool") => options.tool = parser.value()?.string()?,
            Arg::Long("minutes") => options.length = time(parser.value()?.parse()?, 60),
            Arg::Long("seconds") => options.length = time(parser.value()?.parse()?, 1),
            Arg::Long("rounds") => options.length = Length::Rounds(parser.value()?.parse()?),
            Arg::Long("seed") => options.seed = parser.value()?.parse()?,
            Arg::Long("first-round") => options.first_round = parser.value()?.parse()?,
            Arg::Long("processes") => options.processes = parser.value()?.parse()?,
            Arg::Long("jobs") => options.jobs = parser.value()?.parse()?,
            Arg::Long("no-silence") => options.silence = false,
            Arg::Long("authserver") => options.authserver = parser.value()?.into(),
            Arg::Long("logs") => options.logs = parser.value()?.into(),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if options.tool.is_empty() {
        return Err("--tool is missing".into());
    }
    if options.jobs == 0 || options.processes == 0 {
        return Err("--jobs and --processes must be at least 1".into());
    }
    Ok(Some(options))
}

fn time(count: u32, seconds: u64) -> Length {
    Length::Time(Duration::from_secs(u64::from(count) * seconds))
}

fn new_seed() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (time.as_secs() << 10) ^ u64::from(time.subsec_micros()) ^ u64::from(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Option<Options>, lexopt::Error> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_are_parsed() {
        let options =
            parsed(&["--tool", "t", "--minutes", "2", "--seed=9", "--processes", "3"]).unwrap().unwrap();
        assert_eq!((options.tool.as_str(), options.seed, options.processes), ("t", 9, 3));
        assert_eq!(options.length, Length::Time(Duration::from_secs(120)));
        let options = parsed(&["--tool", "t", "--rounds", "7"]).unwrap().unwrap();
        assert_eq!(options.length, Length::Rounds(7));
        assert!(parsed(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn invalid_options_are_rejected() {
        for args in [&[][..], &["--tool", "t", "--jobs", "0"], &["--tool", "t", "--minutes", "-1"], &["x"]] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
