//! `docs/names.md`: the public names by language, held against the sources.
//!
//! A row is one thing. Each name in backticks must be in the sources that users of that language see, and everything that
//! the C library exports must be in the table: what is added there cannot be forgotten elsewhere.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, ensure};

use crate::files;
use crate::report::Outcome;
use crate::workspace::Workspace;

const FILE: &str = "docs/names.md";
const C_INTERFACE: &str = "bindings/c/abi.txt";

/// The columns, and where a language's public names are: folders, or files.
const COLUMNS: [(&str, &[&str], &str); 6] = [
    ("Rust", &["src"], "rs"),
    ("C", &[C_INTERFACE], "txt"),
    ("Python", &["bindings/python/src/cli_auth"], "py"),
    ("Go", &["bindings/go"], "go"),
    ("Kotlin", &["bindings/kotlin/src/main/kotlin/cliauth"], "kt"),
    ("Swift", &["bindings/swift/Sources/CLIAuth"], "swift"),
];

pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let table = fs::read_to_string(workspace.root.join(FILE)).with_context(|| format!("no {FILE}"))?;
    let mut faults = Vec::new();
    let mut listed_of_c = BTreeSet::new();
    for (column, (language, places, ending)) in COLUMNS.iter().enumerate() {
        let known = words_of(workspace, places, ending)?;
        for name in names(&table, column)? {
            if *language == "C" {
                listed_of_c.insert(name.clone());
            }
            if !known.contains(&name) {
                faults.push(format!("{language} has no {name}"));
            }
        }
    }
    let interface = fs::read_to_string(workspace.root.join(C_INTERFACE))?;
    for name in exported(&interface).filter(|name| !listed_of_c.contains(*name)) {
        faults.push(format!("{name} is not in the table"));
    }
    Ok(Outcome::of_faults(&faults))
}

/// The identifiers in backticks of one column; of `Client.login()` both.
fn names(table: &str, column: usize) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| -")) {
        // Before the first bar is nothing, then comes what the row is about.
        let cell = line.split('|').nth(column + 2);
        let cell = cell.with_context(|| format!("{FILE}: too few columns: {line}"))?;
        let quoted = cell.split('`').skip(1).step_by(2);
        names.extend(quoted.flat_map(words).map(str::to_owned));
    }
    ensure!(!names.is_empty(), "{FILE} has no names in column {column}");
    Ok(names)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The constants, types and functions of the C library.
fn exported(interface: &str) -> impl Iterator<Item = &str> {
    let lines = interface.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let declared = line.split(" = ").next()?.split("(void").next()?;
        let before_parameters =
            if line.starts_with("typedef") { declared } else { declared.split('(').next()? };
        words(before_parameters).filter(|word| word.to_ascii_lowercase().starts_with("cli_auth_")).last()
    })
}

fn words_of(workspace: &Workspace, places: &[&str], ending: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for place in places.iter().map(|place| workspace.root.join(place)) {
        let files = if place.is_dir() { files::below(&place)? } else { vec![place] };
        for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == ending)) {
            known.extend(words(&fs::read_to_string(file)?).map(str::to_owned));
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_exports_is_found() {
        let interface = "# Title\nCLI_AUTH_OK = 0\ntypedef struct cli_auth_x cli_auth_x\ntypedef int32_t cli_auth_y\n\
                         const char *cli_auth_f(void)\ncli_auth_y cli_auth_g(cli_auth_x *, double)";
        let found: Vec<_> = exported(interface).collect();
        assert_eq!(found, ["CLI_AUTH_OK", "cli_auth_x", "cli_auth_y", "cli_auth_f", "cli_auth_g"]);
    }

    #[test]
    fn names_are_what_is_in_backticks() {
        let table = "| | Rust | C |\n| -- | -- | -- |\n| a login | `Client::login` | `f(int)`, see `g` |\n";
        assert_eq!(names(table, 0).unwrap(), ["Client", "login"]);
        assert_eq!(names(table, 1).unwrap(), ["f", "int", "g"]);
        assert!(names(table, 2).is_err());
    }
}
