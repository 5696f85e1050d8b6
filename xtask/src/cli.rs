//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::bench;
use crate::demo;
use crate::lang::{self, Install, Language};

pub(crate) const HELP: &str = "\
Usage: cargo xtask COMMAND

  demo [LANG] [--approve | --deny]  log in against a server on this machine, with the example tool
  test [LANG...]                    set up what is needed and run every test
  examples [LANG...]                build each example tool; leaves target/login/LANG
  package [LANG...]                 build what users install (crate; wheel and sdist; archives; jar); leaves it in target/dist
  install c --prefix DIR [--libdir lib] [--destdir DIR]
                                    build the C library and install it; CC, LDFLAGS and DESTDIR are heeded
  check [--write]                   format, lints, docs, dependencies, generated files (--write renews those)
  setup [LANG...]                   only the set-up part of test
  bench [LANG...] [--peers] [--against CHECKOUT]
                                    measure, also beside other clients, or beside the tools that are built in another checkout
  authserver ...                    run the test authorization server; --help tells its options

LANG is rust, python, c, go, kotlin or swift. None means all that exist.
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
}

/// Reads the arguments of this process.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    parse_from(lexopt::Parser::from_env())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let name = match parser.next()? {
        None => return Err("a command is missing".into()),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    if name == "authserver" {
        return Ok(Command::Authserver(parser.raw_args()?.collect()));
    }
    let options: &[&str] = match name.as_str() {
        "demo" => &["approve", "deny"],
        "install" => &["prefix=", "libdir=", "destdir="],
        "check" => &["write"],
        "bench" => &["peers", "against="],
        "examples" | "test" | "setup" | "package" | "help" => &[],
        unknown => return Err(format!("there is no command {unknown:?}").into()),
    };
    let Some(words) = Words::read(parser, options)? else { return Ok(Command::Help) };
    match name.as_str() {
        "demo" => words.demo(),
        "install" => words.install(),
        "check" if words.languages.is_empty() => Ok(Command::Check { write: words.has("write") }),
        "check" => Err("check takes no language".into()),
        "bench" => {
            let (peers, against) = (words.has("peers"), words.folder("against"));
            Ok(Command::Bench(bench::Options { languages: words.or_all(), peers, against }))
        }
        "examples" => Ok(Command::Examples(words.or_all())),
        "test" => Ok(Command::Test(words.or_all())),
        "setup" => Ok(Command::Setup(words.or_all())),
        "package" => Ok(Command::Package(words.or_all())),
        _ => Ok(Command::Help),
    }
}

/// What follows a command.
#[derive(Debug, Default)]
struct Words {
    languages: Vec<Language>,
    /// Each with its value, or with an empty one.
    options: Vec<(String, PathBuf)>,
}

impl Words {
    /// Reads languages, and of `options` each at most once; those that end in `=` have a value. Nothing, if help is wanted.
    fn read(mut parser: lexopt::Parser, options: &[&str]) -> Result<Option<Self>, lexopt::Error> {
        let mut words = Self::default();
        while let Some(word) = parser.next()? {
            match word {
                Short('h') | Long("help") => return Ok(None),
                Value(name) => {
                    let name = name.string()?;
                    let language = Language::named(&name);
                    words
                        .languages
                        .push(language.ok_or_else(|| format!("there is no language {name:?} here"))?);
                }
                Long(name) if words.has(name) => return Err(format!("give --{name} once").into()),
                Long(name) if options.contains(&name) => {
                    words.options.push((name.to_owned(), PathBuf::new()))
                }
                Long(name) if options.iter().any(|option| option.strip_suffix('=') == Some(name)) => {
                    let name = name.to_owned();
                    match parser.value()? {
                        folder if folder.is_empty() => return Err(format!("--{name} needs a folder").into()),
                        folder => words.options.push((name, folder.into())),
                    }
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(words))
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
            (true, true) => return Err("give one of --approve and --deny".into()),
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
            _ => Err("only C is installed by this, and has to be told where: install c --prefix DIR".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, lexopt::Error> {
        parse_from(lexopt::Parser::from_args(words))
    }

    #[test]
    fn no_language_means_all_of_them() {
        assert!(matches!(parsed(&["test"]), Ok(Command::Test(all)) if all == lang::ALL));
        assert!(
            matches!(parsed(&["test", "rust", "rust"]), Ok(Command::Test(one)) if one == [Language::Rust])
        );
    }

    #[test]
    fn every_language_has_a_name_that_the_help_tells() {
        for language in lang::ALL {
            assert!(HELP.contains(language.name()), "{language:?}");
            let words = ["package", language.name()];
            assert!(matches!(parsed(&words), Ok(Command::Package(one)) if one == [*language]));
        }
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        for words in [
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
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn an_installation_has_a_prefix_and_may_have_a_destdir() {
        let install = |words: &[&str]| match parsed(words) {
            Ok(Command::Install(Install { prefix, destdir, .. })) => (prefix, destdir),
            other => panic!("{other:?}"),
        };
        assert_eq!(install(&["install", "c", "--prefix", "/usr"]), ("/usr".into(), None));
        let words = ["install", "--destdir=stage", "--prefix=/usr", "c"];
        assert_eq!(install(&words), ("/usr".into(), Some("stage".into())));
    }

    #[test]
    fn the_servers_words_are_passed_on_unread() {
        let words = ["authserver", "--listen", "127.0.0.1:0", "--help"];
        assert!(matches!(parsed(&words), Ok(Command::Authserver(rest)) if rest == words[1..]));
    }

    #[test]
    fn help_is_help_everywhere() {
        for words in [&["--help"][..], &["-h"], &["help"], &["demo", "-h"], &["check", "--help"]] {
            assert!(matches!(parsed(words), Ok(Command::Help)), "{words:?}");
        }
    }
}
