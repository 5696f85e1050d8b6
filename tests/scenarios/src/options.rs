//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const USAGE: &str = "\
usage: scenarios soak --help | faults --help
       scenarios --tool PATH [--tool-name NAME] [--sessions] [--filter TEXT]... [--jobs N] [--authserver PATH]
                 [--logs DIR] [--cases DIR]
       scenarios --list [--filter TEXT]... | --list-requirements

  --tool PATH          the example tool to test
  --tool-name NAME     the name of the tool in the output; defaults to rust
  --sessions           the tool can store logins
  --filter TEXT        run only cases with TEXT in their id or a requirement; may be repeated to match any of several
  --jobs N             number of parallel cases; defaults to 24
  --authserver PATH    the authorization server; defaults to `authserver` in the directory of this program
  --logs DIR           the directory for details of failures; defaults to target/scenarios/NAME
  --cases DIR          the directory with the cases
  --list               print the ids and descriptions of the cases
  --list-requirements  print JSON: each requirement with the cases that prove it";

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Play,
    List,
    ListRequirements,
    Help,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) command: Command,
    pub(crate) tool: String,
    pub(crate) tool_name: String,
    /// Whether the tool can store logins.
    pub(crate) sessions: bool,
    pub(crate) filters: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) authserver: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) cases: PathBuf,
}

pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        command: Command::Play,
        tool: String::new(),
        tool_name: "rust".to_owned(),
        sessions: false,
        filters: Vec::new(),
        jobs: 24,
        authserver: beside_this_program("authserver"),
        logs: PathBuf::new(),
        cases: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/cases")),
    };
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("tool") => options.tool = parser.value()?.string()?,
            Arg::Long("tool-name") => options.tool_name = parser.value()?.string()?,
            Arg::Long("sessions") => options.sessions = true,
            Arg::Long("filter") => options.filters.push(parser.value()?.string()?),
            Arg::Long("jobs") => options.jobs = parser.value()?.parse()?,
            Arg::Long("authserver") => options.authserver = parser.value()?.into(),
            Arg::Long("logs") => options.logs = parser.value()?.into(),
            Arg::Long("cases") => options.cases = parser.value()?.into(),
            Arg::Long("list") => options.command = Command::List,
            Arg::Long("list-requirements") => options.command = Command::ListRequirements,
            Arg::Long("help") | Arg::Short('h') => options.command = Command::Help,
            other => return Err(other.unexpected()),
        }
    }
    if options.jobs == 0 {
        return Err("--jobs must be at least 1".into());
    }
    if options.command == Command::Play && options.tool.is_empty() {
        return Err("--tool is missing".into());
    }
    if options.logs.as_os_str().is_empty() {
        options.logs = logs_of(&options.tool_name);
    }
    Ok(options)
}

/// Returns the directory for the details of failures.
pub(crate) fn logs_of(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("scenarios").join(name)
}

pub(crate) fn beside_this_program(name: &str) -> PathBuf {
    let folder = std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from));
    folder.unwrap_or_default().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, lexopt::Error> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_are_parsed() {
        let options = parsed(&["--tool", "t", "--filter", "a", "--filter=b", "--jobs", "3"]).unwrap();
        assert_eq!(options.command, Command::Play);
        assert_eq!((options.tool.as_str(), options.jobs), ("t", 3));
        assert_eq!(options.filters, ["a", "b"]);
        assert!(options.logs.ends_with("scenarios/rust"));
        assert!(!options.sessions);
        assert!(parsed(&["--tool", "t", "--sessions"]).unwrap().sessions);
        assert_eq!(parsed(&["--list-requirements"]).unwrap().command, Command::ListRequirements);
    }

    #[test]
    fn invalid_options_are_rejected() {
        for args in
            [&["--jobs", "3"][..], &["--tool", "t", "--jobs", "0"], &["--tool", "t", "--speed"], &["x"]]
        {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
