//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::bench;
use crate::demo;
use crate::lang::{self, Install, Language};

pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

  demo [LANG] [--approve | --deny]  log in against a server on this machine, with the example tool
  test [LANG...]                    set up what the tests need and run every test
  examples [LANG...]                build each example tool as target/login/LANG
  package [LANG...]                 build what users install (crate; wheel and sdist; archives; jar) into target/dist
  install c --prefix DIR [--libdir lib] [--destdir DIR]
                                    build and install the C library; CC, LDFLAGS and DESTDIR are honoured
  check [--write]                   format, lints, docs, dependencies, generated files (--write updates those)
  setup [LANG...]                   only the set-up part of test
  bench [LANG...] [--peers] [--against CHECKOUT]
                                    measure, optionally with other clients, or with the tools built in another checkout
  authserver ...                    run the test authorization server; --help lists its options
  soak [--minutes N] [--seed N] [--processes N]
                                    processes that share a session are killed and stopped; --help lists all options

LANG is rust, python, c, go, kotlin or swift. Defaults to all languages.
";

#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Demo(demo::Options),
    Examples(Vec<Language>),
    Test(Vec<Language>),
    Check { write: bool },
    Setup(Vec<Language>),
    Package(Vec<Language>),
    Install(Install),
    Bench(bench::Options),
    Authserver(Vec<OsString>),
    Soak(Vec<OsString>),
}

/// Reads the arguments of this process.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    parse_from(lexopt::Parser::from_env())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let name = match parser.next()? {
        None => return Err("no command given".into()),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    if name == "authserver" {
        return Ok(Command::Authserver(parser.raw_args()?.collect()));
    }
    if name == "soak" {
        return Ok(Command::Soak(parser.raw_args()?.collect()));
    }
    let options: &[&str] = match name.as_str() {
        "demo" => &["approve", "deny"],
        "install" => &["prefix=", "libdir=", "destdir="],
        "check" => &["write"],
        "bench" => &["peers", "against="],
        "examples" | "test" | "setup" | "package" | "help" => &[],
        unknown => return Err(format!("unknown command {unknown:?}").into()),
    };
    let Some(arguments) = Arguments::read(parser, options)? else { return Ok(Command::Help) };
    match name.as_str() {
        "demo" => arguments.demo(),
        "install" => arguments.install(),
        "check" if arguments.languages.is_empty() => Ok(Command::Check { write: arguments.has("write") }),
        "check" => Err("check takes no language".into()),
        "bench" => {
            let (peers, against) = (arguments.has("peers"), arguments.folder("against"));
            Ok(Command::Bench(bench::Options { languages: arguments.or_all(), peers, against }))
        }
        "examples" => Ok(Command::Examples(arguments.or_all())),
        "test" => Ok(Command::Test(arguments.or_all())),
        "setup" => Ok(Command::Setup(arguments.or_all())),
        "package" => Ok(Command::Package(arguments.or_all())),
        _ => Ok(Command::Help),
    }
}

/// The arguments after a command.
#[derive(Debug, Default)]
struct Arguments {
    languages: Vec<Language>,
    /// Each option with its value, which is empty for a flag.
    options: Vec<(String, PathBuf)>,
}

impl Arguments {
    /// Reads languages, and each of `options` at most once. Options that end in `=` have a value. Returns `None` for
    /// `--help`.
    fn read(mut parser: lexopt::Parser, options: &[&str]) -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self::default();
        while let Some(word) = parser.next()? {
            match word {
                Short('h') | Long("help") => return Ok(None),
                Value(name) => {
                    let name = name.string()?;
                    let language = Language::named(&name);
                    arguments.languages.push(language.ok_or_else(|| format!("unknown language {name:?}"))?);
                }
                Long(name) if arguments.has(name) => return Err(format!("--{name} is given twice").into()),
                Long(name) if options.contains(&name) => {
                    arguments.options.push((name.to_owned(), PathBuf::new()))
                }
                Long(name) if options.iter().any(|option| option.strip_suffix('=') == Some(name)) => {
                    let name = name.to_owned();
                    match parser.value()? {
                        folder if folder.is_empty() => {
                            return Err(format!("--{name} needs a directory").into());
                        }
                        folder => arguments.options.push((name, folder.into())),
                    }
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(arguments))
    }

    fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| option == name)
    }

    fn folder(&self, name: &str) -> Option<PathBuf> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, folder)| folder.clone())
    }

    fn or_all(mut self) -> Vec<Language> {
        self.languages.sort();
        self.languages.dedup();
        if self.languages.is_empty() { lang::ALL.to_vec() } else { self.languages }
    }

    fn demo(self) -> Result<Command, lexopt::Error> {
        let answer = match (self.has("approve"), self.has("deny")) {
            (true, true) => return Err("--approve and --deny exclude each other".into()),
            (true, false) => Some("--approve"),
            (false, true) => Some("--deny"),
            (false, false) => None,
        };
        match self.languages.as_slice() {
            [] => Ok(Command::Demo(demo::Options { language: lang::FIRST, answer })),
            [language] => Ok(Command::Demo(demo::Options { language: *language, answer })),
            _ => Err("demo takes one language".into()),
        }
    }

    fn install(self) -> Result<Command, lexopt::Error> {
        let libdir = self.folder("libdir").unwrap_or_else(|| "lib".into());
        match (self.languages.as_slice(), self.folder("prefix")) {
            ([Language::C], Some(prefix)) => {
                Ok(Command::Install(Install { prefix, libdir, destdir: self.folder("destdir") }))
            }
            _ => Err("only C can be installed, and it needs a prefix: install c --prefix DIR".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, lexopt::Error> {
        parse_from(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn no_language_means_all_languages() {
        assert!(matches!(parsed(&["test"]), Ok(Command::Test(all)) if all == lang::ALL));
        assert!(
            matches!(parsed(&["test", "rust", "rust"]), Ok(Command::Test(one)) if one == [Language::Rust])
        );
    }

    #[test]
    fn the_help_names_every_language() {
        for language in lang::ALL {
            assert!(HELP.contains(language.name()), "{language:?}");
            let arguments = ["package", language.name()];
            assert!(matches!(parsed(&arguments), Ok(Command::Package(one)) if one == [*language]));
        }
    }

    #[test]
    fn unknown_arguments_are_errors() {
        for arguments in [
            &["test", "cobol"][..],
            &["demo", "rust", "rust"],
            &["demo", "--approve", "--deny"],
            &["check", "rust"],
            &["setup", "--fast"],
            &["bench", "--against"],
            &["install"],
            &["install", "c"],
            &["install", "c", "--prefix"],
            &["install", "c", "--prefix="],
            &["install", "c", "--prefix=/a", "--prefix=/b"],
            &["install", "rust", "--prefix=/a"],
            &["dance"],
            &["--version"],
            &[],
        ] {
            assert!(parsed(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn install_requires_a_prefix_and_accepts_a_destdir() {
        let install = |arguments: &[&str]| match parsed(arguments) {
            Ok(Command::Install(Install { prefix, destdir, .. })) => (prefix, destdir),
            other => panic!("{other:?}"),
        };
        assert_eq!(install(&["install", "c", "--prefix", "/usr"]), ("/usr".into(), None));
        let arguments = ["install", "--destdir=stage", "--prefix=/usr", "c"];
        assert_eq!(install(&arguments), ("/usr".into(), Some("stage".into())));
    }

    #[test]
    fn arguments_of_authserver_and_soak_are_passed_on_unparsed() {
        let arguments = ["authserver", "--listen", "127.0.0.1:0", "--help"];
        assert!(matches!(parsed(&arguments), Ok(Command::Authserver(rest)) if rest == arguments[1..]));
        let arguments = ["soak", "--seed", "7", "--help"];
        assert!(matches!(parsed(&arguments), Ok(Command::Soak(rest)) if rest == arguments[1..]));
    }

    #[test]
    fn every_command_accepts_help() {
        for arguments in [&["--help"][..], &["-h"], &["help"], &["demo", "-h"], &["check", "--help"]] {
            assert!(matches!(parsed(arguments), Ok(Command::Help)), "{arguments:?}");
        }
    }
}
