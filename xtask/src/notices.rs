//! Collects the licences of the dependencies that are compiled into a library. They must be distributed with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::workspace::Workspace;

/// The file name in a package.
pub(crate) const FILE: &str = "THIRD-PARTY.txt";

const INTRODUCTION: &str = "\
The library in this package contains code of the Rust packages that are listed below, each with its licence. It also
contains parts of the Rust standard library (MIT OR Apache-2.0, copyright The Rust Project contributors). cli-auth
itself is under MIT OR Apache-2.0, as you like.
";

/// A package in the dependency graph.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    version: String,
    licence: String,
    /// The URL of its source repository.
    repository: Option<String>,
    folder: PathBuf,
}

/// Returns the licences of everything that is compiled into the library of `package`, as one text.
pub(crate) fn of(workspace: &Workspace, package: &str) -> anyhow::Result<String> {
    let compiled = compiled(workspace, package)?;
    // By the words of the text, because packages break the lines of one licence differently.
    let mut licences: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for dependency in dependencies(workspace)?.into_iter().filter(|it| compiled.contains(&it.id())) {
        for text in texts(&dependency)? {
            let (holders, terms) = without_holders(&text);
            let words = terms.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, packages) = licences.entry(words).or_insert_with(|| (terms, Vec::new()));
            packages.push(format!("{} ({}){holders}", dependency.id(), dependency.licence));
        }
    }
    let mut notices = INTRODUCTION.to_owned();
    for (terms, packages) in licences.into_values() {
        write!(notices, "\n{}\n\n{}\n\n{}\n", "=".repeat(80), packages.join("\n"), terms.trim())?;
    }
    Ok(notices)
}

/// Splits a licence into the lines that name copyright holders, which are indented here, and its terms.
fn without_holders(text: &str) -> (String, String) {
    let (holders, terms): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("Copyright"));
    (holders.iter().map(|line| format!("\n    {line}")).collect(), terms.join("\n"))
}

impl Dependency {
    fn id(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// Returns `NAME VERSION` of every linked package, without this project's own and those that only run at build time.
fn compiled(workspace: &Workspace, package: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut tree = workspace.cargo("tree");
    tree.args(["--locked", "--package", package, "--edges", "normal,no-proc-macro", "--prefix", "none"]);
    tree.args(["--format", "{p}", "--color", "never"]);
    let names = cargo_output(tree)?.lines().filter_map(outside).collect::<BTreeSet<_>>();
    ensure!(names.len() > 10, "cargo tree listed too few packages");
    Ok(names)
}

/// Converts `ring v0.17.14` to `ring 0.17.14`. Returns `None` for a package of this project, `cli-auth v0.1.0 (/path)`.
fn outside(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(" v")?;
    let version = rest.split_whitespace().next()?;
    (!rest.contains("(/")).then(|| format!("{name} {version}"))
}

/// Runs cargo and returns its output.
fn cargo_output(mut cargo: Command) -> anyhow::Result<String> {
    let output = cargo.output()?;
    ensure!(output.status.success(), "cargo failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn dependencies(workspace: &Workspace) -> anyhow::Result<Vec<Dependency>> {
    let mut metadata = workspace.cargo("metadata");
    metadata.args(["--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&cargo_output(metadata)?)?;
    let packages =
        metadata.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    let mut all: Vec<_> = packages.iter().filter_map(dependency).collect();
    all.sort();
    Ok(all)
}

fn dependency(package: &Value) -> Option<Dependency> {
    let text = |name: &str| package.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Dependency {
        name: text("name")?,
        version: text("version")?,
        licence: text("license").unwrap_or_else(|| "see below".to_owned()),
        repository: text("repository"),
        folder: Path::new(&text("manifest_path")?).parent()?.to_path_buf(),
    })
}

/// Returns the licence texts of a package. If MIT may be chosen, it is, because its text is short and names the
/// copyright holders.
fn texts(dependency: &Dependency) -> anyhow::Result<Vec<String>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&dependency.folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|it| name.starts_with(it)) {
            files.push(path);
        }
    }
    files.sort();
    let is_mit = |path: &&PathBuf| path.to_string_lossy().to_uppercase().ends_with("LICENSE-MIT");
    let may_choose = dependency.licence.contains(" OR ") || dependency.licence.contains('/');
    let chosen = if may_choose { files.iter().find(is_mit) } else { None };
    let taken: Vec<&PathBuf> = chosen.map_or_else(|| files.iter().collect(), |mit| vec![mit]);
    let taken: Vec<&PathBuf> = taken.into_iter().filter(|path| path.is_file()).collect();
    if taken.is_empty() {
        return Ok(vec![without_file(dependency)?]);
    }
    taken.into_iter().map(|path| Ok(fs::read_to_string(path)?.replace("\r\n", "\n"))).collect()
}

/// MPL 2.0 only requires a reference to the source code (section 3.2). Other licences must be included as text.
fn without_file(dependency: &Dependency) -> anyhow::Result<String> {
    let id = dependency.id();
    ensure!(dependency.licence == "MPL-2.0", "{id} ({}) has no licence file", dependency.licence);
    let repository = dependency
        .repository
        .as_ref()
        .with_context(|| format!("{id} does not name its source repository"))?;
    Ok(format!("Under the Mozilla Public License 2.0. The source code is available at\n{repository}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_files(licence: &str, files: &[&str]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("notices-{}-{}", std::process::id(), files.join("")));
        fs::create_dir_all(&folder).unwrap();
        for name in files {
            fs::write(folder.join(name), format!("{name}\r\n")).unwrap();
        }
        let dependency = Dependency {
            name: "a".into(),
            version: "1".into(),
            licence: licence.into(),
            repository: Some("over there".into()),
            folder: folder.clone(),
        };
        let texts = texts(&dependency);
        fs::remove_dir_all(folder).unwrap();
        texts.unwrap_or_default()
    }

    #[test]
    fn packages_of_this_project_are_omitted() {
        assert_eq!(outside("ring v0.17.14").as_deref(), Some("ring 0.17.14"));
        assert_eq!(outside("ring v0.17.14 (*)").as_deref(), Some("ring 0.17.14"));
        assert_eq!(outside("cli-auth v0.1.0 (/home/me/cli-auth)"), None);
    }

    #[test]
    fn copyright_holders_are_separated_from_the_terms() {
        let text =
            "MIT License\n\nCopyright (c) 2026 A\nCopyright B\n\nPermission is granted.\n   Copyright [yyyy]";
        let (holders, terms) = without_holders(text);
        assert_eq!(holders, "\n    Copyright (c) 2026 A\n    Copyright B");
        assert_eq!(terms, "MIT License\n\n\nPermission is granted.\n   Copyright [yyyy]");
    }

    #[test]
    fn mit_is_chosen_if_possible() {
        assert_eq!(of_files("MIT OR Apache-2.0", &["LICENSE-APACHE", "LICENSE-MIT"]), ["LICENSE-MIT\n"]);
        assert_eq!(
            of_files("Apache-2.0 AND ISC", &["LICENSE", "NOTICE", "README"]),
            ["LICENSE\n", "NOTICE\n"]
        );
    }

    #[test]
    fn only_mpl_may_lack_a_licence_file() {
        assert!(of_files("ISC", &["README"]).is_empty());
        let texts = of_files("MPL-2.0", &["README"]);
        assert!(texts.len() == 1 && texts.iter().all(|text| text.ends_with("over there")));
    }
}
