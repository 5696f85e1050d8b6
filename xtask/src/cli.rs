//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::authserver::Answer;
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

fn parse_from(mut words: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let name = match words.next()? {
        None => return Err("a command is missing".into()),
        Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    match name.as_str() {
        "help" => Ok(Command::Help),
        "demo" => demo_options(words),
        "examples" => languages_only(words, Command::Examples),
        "test" => languages_only(words, Command::Test),
        "setup" => languages_only(words, Command::Setup),
        "package" => languages_only(words, Command::Package),
        "install" => install_options(words),
        "check" => check_options(words),
        "bench" => bench_options(words),
        "authserver" => Ok(Command::Authserver(words.raw_args()?.collect())),
        unknown => Err(format!("there is no command {unknown:?}").into()),
    }
}

fn demo_options(mut words: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut language = None;
    let mut answer = None;
    while let Some(word) = words.next()? {
        match word {
            Long("approve") if answer.is_none() => answer = Some(Answer::Approve),
            Long("deny") if answer.is_none() => answer = Some(Answer::Deny),
            Long("approve" | "deny") => return Err("give one of --approve and --deny, once".into()),
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(name) if language.is_none() => language = Some(named(name)?),
            other => return Err(other.unexpected()),
        }
    }
    let language = language.unwrap_or(lang::FIRST);
    Ok(Command::Demo(demo::Options { language, answer }))
}

fn languages_only(
    mut words: lexopt::Parser,
    command: fn(Vec<Language>) -> Command,
) -> Result<Command, lexopt::Error> {
    let mut languages = Vec::new();
    while let Some(word) = words.next()? {
        match word {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(name) => add(&mut languages, name)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(command(or_all(languages)))
}

fn install_options(mut words: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut language, mut prefix, mut libdir, mut destdir) = (None, None, None, None);
    while let Some(word) = words.next()? {
        match word {
            Long("prefix") if prefix.is_none() => prefix = Some(folder(&mut words)?),
            Long("libdir") if libdir.is_none() => libdir = Some(folder(&mut words)?),
            Long("destdir") if destdir.is_none() => destdir = Some(folder(&mut words)?),
            Long("prefix" | "libdir" | "destdir") => return Err("give each of the folders once".into()),
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(name) if language.is_none() => language = Some(named(name)?),
            other => return Err(other.unexpected()),
        }
    }
    match (language, prefix) {
        (Some(Language::C), Some(prefix)) => {
            let libdir = libdir.unwrap_or_else(|| "lib".into());
            Ok(Command::Install(Install { prefix, libdir, destdir }))
        }
        (Some(Language::C), None) => Err("say where: install c --prefix DIR".into()),
        _ => Err("only C is installed by this; say install c --prefix DIR".into()),
    }
}

fn folder(words: &mut lexopt::Parser) -> Result<PathBuf, lexopt::Error> {
    let folder = words.value()?;
    if folder.is_empty() { Err("a folder has a name".into()) } else { Ok(folder.into()) }
}

fn check_options(mut words: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut write = false;
    while let Some(word) = words.next()? {
        match word {
            Long("write") => write = true,
            Short('h') | Long("help") => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Check { write })
}

fn bench_options(mut words: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut languages, mut peers, mut against) = (Vec::new(), false, None);
    while let Some(word) = words.next()? {
        match word {
            Long("peers") => peers = true,
            Long("against") if against.is_none() => against = Some(folder(&mut words)?),
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(name) => add(&mut languages, name)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Bench(bench::Options { languages: or_all(languages), peers, against }))
}

fn add(languages: &mut Vec<Language>, name: OsString) -> Result<(), lexopt::Error> {
    let language = named(name)?;
    if !languages.contains(&language) {
        languages.push(language);
    }
    Ok(())
}

fn named(name: OsString) -> Result<Language, lexopt::Error> {
    let name = name.string()?;
    Language::named(&name).ok_or_else(|| format!("there is no language {name:?} here").into())
}

fn or_all(languages: Vec<Language>) -> Vec<Language> {
    if languages.is_empty() { lang::ALL.to_vec() } else { languages }
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
