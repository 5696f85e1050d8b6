//! The header: cbindgen generates the declarations from the Rust sources; they are then sorted into sections.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::tools;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

/// The files of `bindings/c/src` that export declarations, with the titles of their sections.
const SECTIONS: &[(&str, &str)] = &[
    ("version", "Version"),
    ("status", "Statuses"),
    ("options", "Client options"),
    ("client", "Clients"),
    ("refresh_options", "Refresh options"),
    ("login", "Logins"),
    ("prompt", "Prompts"),
    ("event", "Events"),
    ("step", "Steps"),
    ("tokens", "Tokens"),
    ("identity", "Identities"),
    ("request", "Requests"),
    ("claim", "Claims"),
    ("error", "Errors"),
    ("text", "Texts"),
];

const C: &[&str] = &["c99", "c11", "c17", "c2x"];
const CPP: &[&str] = &["c++11", "c++17", "c++20"];
const WARNINGS: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror", "-fsyntax-only"];
const C_WARNINGS: &[&str] =
    &["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wold-style-definition", "-Wc++-compat"];

const QUICK: Duration = Duration::from_secs(2 * 60);

/// The path of the committed header.
pub(super) fn path(workspace: &Workspace) -> PathBuf {
    super::sources(workspace).join("include").join("cli_auth.h")
}

/// Generates the header again.
pub(super) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let made = generate(workspace)?;
    let path = path(workspace);
    if fs::read_to_string(&path).is_ok_and(|found| found == made) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("the header has no parent directory")?)?;
    Ok(fs::write(path, made)?)
}

pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("C header is current", |_| {
        let (made, found) = (generate(workspace)?, fs::read_to_string(path(workspace))?);
        let differs = made.lines().zip(found.lines()).find(|(made, found)| made != found);
        Ok(match differs {
            _ if made == found => Outcome::Passed,
            Some((made, found)) => stale(&format!("it contains\n{found}\ninstead of\n{made}")),
            None => stale("the number of lines differs"),
        })
    })?;
    report.part("C header compiles without warning", |_| compile(workspace))?;
    report.part("C header documents everything", |_| document(workspace))
}

fn stale(why: &str) -> Outcome {
    Outcome::Failed(format!("not current; run `cargo xtask check --write`: {why}"))
}

/// A source file of `bindings/c/src`.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn all(workspace: &Workspace) -> anyhow::Result<Vec<Self>> {
        let folder = super::sources(workspace).join("src");
        let mut sources = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.extension().is_some_and(|ending| ending == "rs") && name != "lib" {
                sources.push(Self { name, text: fs::read_to_string(path)? });
            }
        }
        // Files without a section come last because they export nothing.
        let place = |source: &Self| SECTIONS.iter().position(|(name, _)| *name == source.name);
        sources.sort_by_key(|source| (place(source).unwrap_or(SECTIONS.len()), source.name.clone()));
        Ok(sources)
    }

    /// Returns the source as a module that cbindgen can read together with the others.
    fn as_module(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.starts_with("//!"));
        let body = without_alias(&lines.collect::<Vec<_>>().join("\n"));
        format!("mod {} {{\n{body}\n}}\n", self.name)
    }

    fn has(&self, name: &str) -> bool {
        let (function, constant) = (format!(" fn {name}("), format!("pub const {name}:"));
        self.text.contains(&function) || self.text.contains(&constant)
    }
}

/// Replaces the alias `Out<'_, T>` by its definition, because cbindgen would generate a C type for each use.
fn without_alias(source: &str) -> String {
    let mut parts = source.split("Out<'_, ");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        written.push_str("Option<&mut std::mem::MaybeUninit<");
        let mut open = 1_u32;
        for letter in part.chars() {
            written.push(letter);
            match letter {
                '<' if open > 0 => open += 1,
                '>' if open > 0 => {
                    open -= 1;
                    if open == 0 {
                        written.push('>');
                    }
                }
                _ => {}
            }
        }
    }
    written
}

/// A declaration with its comment.
struct Declared<'t> {
    name: &'t str,
    is_type: bool,
    text: &'t str,
}

impl<'t> Declared<'t> {
    fn all(text: &'t str) -> Vec<Self> {
        let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
        blocks.map(Self::new).collect()
    }

    fn new(text: &'t str) -> Self {
        let bare = text.rsplit_once("*/").map_or(text, |(_, bare)| bare).trim_start();
        let name = if let Some(constant) = bare.strip_prefix("#define ") {
            constant.split_whitespace().next().unwrap_or_default()
        } else if let Some((_, callback)) = bare.split_once("(*") {
            callback.split(')').next().unwrap_or_default()
        } else if let Some((before, _)) = bare.split_once('(') {
            last_word(before)
        } else {
            last_word(bare.trim_end_matches(';'))
        };
        Self { name, is_type: bare.starts_with("typedef"), text }
    }
}

fn last_word(text: &str) -> &str {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.rsplit(|letter| !is_word(letter)).next().unwrap_or_default()
}

fn generate(workspace: &Workspace) -> anyhow::Result<String> {
    let sources = Source::all(workspace)?;
    let folder = super::home(workspace);
    fs::create_dir_all(&folder)?;
    let _lock = setup::lock(&folder.join("header.lock"))?;
    let (read, made) = (folder.join("header.rs"), folder.join("header.h"));
    fs::write(&read, sources.iter().map(Source::as_module).collect::<String>())?;
    let cbindgen = tools::CBINDGEN.folder(workspace)?.join("bin").join("cbindgen");
    let mut command = workspace.command(cbindgen);
    command.arg("--config").arg(super::sources(workspace).join("cbindgen.toml"));
    command.arg("--output").arg(&made).arg(&read);
    process::succeed(command, QUICK)?;
    let template = fs::read_to_string(super::sources(workspace).join("cli_auth.h.in"))?;
    assemble(&template, &Declared::all(&fs::read_to_string(made)?), &sources)
}

fn assemble(template: &str, declared: &[Declared<'_>], sources: &[Source]) -> anyhow::Result<String> {
    let types: Vec<_> = declared.iter().filter(|it| it.is_type).map(|it| it.text).collect();
    let mut placed = types.len();
    let mut sections = Vec::new();
    for (name, title) in SECTIONS {
        let source = sources.iter().find(|source| source.name == *name);
        let source = source.with_context(|| format!("bindings/c/src/{name}.rs does not exist"))?;
        let here: Vec<_> = declared.iter().filter(|it| !it.is_type && source.has(it.name)).collect();
        placed += here.len();
        let texts: Vec<_> = here.iter().map(|it| it.text).collect();
        sections.push(format!(
            "/**\n * @defgroup cli_auth_{name} {title}\n * @{{\n */\n\n{}\n\n/** @}} */",
            texts.join("\n\n")
        ));
    }
    ensure!(placed == declared.len(), "{} of {} declarations have a section", placed, declared.len());
    let [major, minor, patch] = super::version_numbers();
    let header = template
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@MAJOR@", major)
        .replace("@MINOR@", minor)
        .replace("@PATCH@", patch)
        .replace("@TYPES@", &types.join("\n\n"))
        .replace("@SECTIONS@", &sections.join("\n\n"));
    ensure!(!header.contains("# Safety"), "a comment contains a Rust section: # Safety");
    Ok(header)
}

/// Compiles the header in each standard, with warnings as errors.
fn compile(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if let Some(missing) = ["gcc", "g++"].iter().find(|name| !setup::is_there(name)) {
        return Ok(Outcome::Skipped(format!("needs {missing}; run `cargo xtask setup c`")));
    }
    for (compiler, language, standards, more) in
        [("gcc", "c", C, C_WARNINGS), ("g++", "c++", CPP, &["-Wold-style-cast"][..])]
    {
        for standard in standards {
            let mut command = workspace.command(compiler);
            command.arg(format!("-std={standard}")).args(WARNINGS).args(more).args(["-x", language]);
            command.arg("-I").arg(super::sources(workspace).join("include"));
            command.arg(tests(workspace).join("twice.c"));
            if let Some(said) = output_of(command)? {
                return Ok(Outcome::Failed(format!("as {standard}:\n{said}")));
            }
        }
    }
    Ok(Outcome::Passed)
}

/// Checks that every symbol, parameter and result has a comment that Doxygen accepts.
fn document(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let lacking = undocumented(&fs::read_to_string(path(workspace))?);
    if !lacking.is_empty() {
        return Ok(Outcome::Failed(lacking.join("\n")));
    }
    if !setup::is_there("doxygen") {
        return Ok(Outcome::Skipped("needs doxygen; run `cargo xtask setup c`".to_owned()));
    }
    let output = super::home(workspace).join("doxygen");
    fs::create_dir_all(&output)?;
    let mut doxygen = workspace.command("doxygen");
    doxygen.env("OUTPUT", output);
    doxygen.arg(tests(workspace).join("Doxyfile")).current_dir(super::sources(workspace));
    Ok(output_of(doxygen)?.map_or(Outcome::Passed, Outcome::Failed))
}

/// Returns the parameters and results of functions that are not documented.
fn undocumented(header: &str) -> Vec<String> {
    let mut lacking = Vec::new();
    for it in Declared::all(header).iter().filter(|it| !it.is_type && it.text.ends_with(");")) {
        let (comment, code) = it.text.rsplit_once("*/").unwrap_or(("", it.text));
        let parameters =
            code.rsplit_once('(').map_or("", |(_, parameters)| parameters.trim_end_matches(");"));
        for name in parameters.split(',').map(last_word).filter(|name| *name != "void") {
            let says = |start: &str| comment.lines().any(|line| line.contains(&format!("{start} {name} ")));
            if !says("@param") && !says("@param[out]") && !says("@param[in,out]") {
                lacking.push(format!("{}: parameter {name} is not documented", it.name));
            }
        }
        if !code.trim_start().starts_with("void ") && !comment.contains("@return") {
            lacking.push(format!("{}: the result is not documented", it.name));
        }
    }
    lacking
}

/// Returns the output of a command that should print nothing.
fn output_of(command: Command) -> anyhow::Result<Option<String>> {
    let finished = process::run(command, QUICK, |_| ())?;
    Ok((!finished.success || !finished.tail.trim().is_empty()).then_some(finished.tail))
}

fn tests(workspace: &Workspace) -> PathBuf {
    super::sources(workspace).join("tests").join("header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_out_alias_is_expanded() {
        assert_eq!(
            without_alias("fn f(a: Out<'_, *mut x>, b: Out<'_, Vec<u8>>) -> Option<i32>"),
            "fn f(a: Option<&mut std::mem::MaybeUninit<*mut x>>, \
             b: Option<&mut std::mem::MaybeUninit<Vec<u8>>>) -> Option<i32>"
        );
    }

    #[test]
    fn declarations_are_identified_by_name() {
        let text = "/**\n * A (thing).\n */\n#define CLI_AUTH_OK 0\n\ntypedef struct a_t a_t;\n\n\
                    typedef void (*call)(void *a);\n\nconst char *const *f(int a,\n    int b);\n";
        let all = Declared::all(text);
        let names: Vec<_> = all.iter().map(|it| (it.name, it.is_type)).collect();
        assert_eq!(names, [("CLI_AUTH_OK", false), ("a_t", true), ("call", true), ("f", false)]);
    }

    #[test]
    fn undocumented_parameters_and_results_are_found() {
        let good = "/**\n * Does.\n *\n * @param a One.\n * @param[out] b Two.\n * @return It.\n */\nint *f(int *a,\n    int **b);";
        assert_eq!(undocumented(good), Vec::<String>::new());
        assert_eq!(undocumented("/** Does. */\nvoid f(void);"), Vec::<String>::new());
        assert_eq!(
            undocumented(&good.replace("@param a", "@param aa")),
            ["f: parameter a is not documented"]
        );
        assert_eq!(undocumented("int f(int a);").len(), 2);
    }

    #[test]
    fn declarations_without_a_section_are_errors() {
        let declared = Declared::all("void stray(void);");
        let sources: Vec<_> = SECTIONS
            .iter()
            .map(|(name, _)| Source { name: (*name).to_owned(), text: String::new() })
            .collect();
        assert!(assemble("@TYPES@@SECTIONS@", &declared, &sources).is_err());
        assert!(assemble("@TYPES@@SECTIONS@", &[], &sources).is_ok());
    }
}
