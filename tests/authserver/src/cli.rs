//! The command line, shared with programs that embed it.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};
use serde_json::Number;

use crate::{Alg, Answer, Options};

/// What the command line says.
#[derive(Debug)]
pub enum Command {
    /// Run a server; `exit_on_eof` ends it with its standard input.
    Run {
        /// What to run.
        options: Box<Options>,
        /// End when standard input ends.
        exit_on_eof: bool,
    },
    /// Print [`USAGE`].
    Help,
}

/// The text of `--help`.
pub const USAGE: &str = "\
Usage: authserver [OPTION]...
An OAuth 2.0 authorization server for testing command-line logins.

  --listen ADDRESS    where to listen, several times if you like (127.0.0.1:0)
  --tls               speak HTTPS
  --ca-out FILE       write the CA certificate there
  --approve, --deny   answer every login
  --interval N        seconds between polls (5)
  --expires-in N      seconds that a code lives (300)
  --alg ALG           rs256, ps256, es256, es384 or ed25519
  --control           add the control interface to the first listener
  --no-log            do not record requests
  --exit-on-eof       end when standard input ends
  --help              print this
";

/// Reads the arguments that follow the program's name. An error is a text for the user.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    read(Parser::from_args(arguments)).map_err(|error| error.to_string())
}

fn read(mut parser: Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let (mut exit_on_eof, mut log) = (false, true);
    let mut answers = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") => options.listen.push(parser.value()?.parse()?),
            Arg::Long("tls") => options.tls = true,
            Arg::Long("ca-out") => options.ca_out = Some(parser.value()?.into()),
            Arg::Long("approve") => answers.push(Answer::approve()),
            Arg::Long("deny") => answers.push(Answer::deny()),
            Arg::Long("interval") => options.settings.interval = Some(seconds(&mut parser, true)?),
            Arg::Long("expires-in") => options.settings.expires_in = seconds(&mut parser, false)?,
            Arg::Long("alg") => {
                options.settings.alg = Some(parser.value()?.parse_with(|name| match name {
                    "rs256" => Ok(Alg::Rs256),
                    "ps256" => Ok(Alg::Ps256),
                    "es256" => Ok(Alg::Es256),
                    "es384" => Ok(Alg::Es384),
                    "ed25519" => Ok(Alg::Ed25519),
                    _ => Err("rs256, ps256, es256, es384 or ed25519"),
                })?);
            }
            Arg::Long("control") => options.control = true,
            Arg::Long("no-log") => log = false,
            Arg::Long("exit-on-eof") => exit_on_eof = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    if answers.len() > 1 {
        return Err("--approve and --deny: only one of them".into());
    }
    options.settings.answer = answers.pop().unwrap_or_default();
    // Without the control interface nobody can read it.
    options.settings.log = log && options.control;
    Ok(Command::Run { options: Box::new(options), exit_on_eof })
}

fn seconds(parser: &mut Parser, zero: bool) -> Result<Number, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let number: Option<Number> = text.parse().ok();
        let in_range = |seconds: f64| (seconds > 0.0 || (zero && seconds == 0.0)) && seconds <= 86400.0;
        number
            .filter(|number| number.as_f64().is_some_and(in_range))
            .ok_or("a number of seconds, at most a day")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Options, String> {
        match parse(line.split_whitespace().map(OsString::from))? {
            Command::Run { options, .. } => Ok(*options),
            Command::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn options_are_read() {
        let options =
            run("--listen 127.0.0.1:0 --listen [::1]:0 --tls --deny --interval 1 --expires-in=20 --control");
        let options = options.unwrap();
        assert_eq!((options.listen.len(), options.tls, options.control), (2, true, true));
        assert_eq!(options.settings.interval, Some(Number::from(1)));
        assert_eq!(options.settings.expires_in, Number::from(20));
        assert_eq!(options.settings.answer, Answer::deny());
        assert!(options.settings.log);
        assert!(!run("").unwrap().settings.log);
    }

    #[test]
    fn mistakes_are_told() {
        for line in
            ["--listen 0.0.0.0:0", "--approve --deny", "--interval x", "--expires-in 0", "--what", "a"]
        {
            assert!(run(line).is_err(), "{line}");
        }
    }
}
