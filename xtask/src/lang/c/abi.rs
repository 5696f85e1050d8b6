//! The C interface as a list, so that no change goes unnoticed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const VERSION: &str = "CLI_AUTH_ABI_VERSION";
const TITLE: &str = "\
# What libcli_auth has: one constant, type or function a line. `cargo xtask check --write` adds lines; one that is
# removed or changed breaks programs, and takes a new CLI_AUTH_ABI_VERSION.
";

/// The declarations of a header.
#[derive(Debug)]
pub(super) struct Interface {
    /// The ABI version in the shared library's name.
    pub(super) version: String,
    /// The names of the functions, sorted.
    pub(super) functions: Vec<String>,
    lines: Vec<String>,
}

impl Interface {
    /// Reads the interface of the committed header.
    pub(super) fn find(workspace: &Workspace) -> anyhow::Result<Self> {
        let path = super::header::path(workspace);
        let header = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::read(&header)
    }

    fn read(header: &str) -> anyhow::Result<Self> {
        let code = without_comments(header);
        let (mut constants, mut types, mut functions, mut names) = (vec![], vec![], vec![], vec![]);
        for line in code.lines().filter_map(|line| line.strip_prefix("#define CLI_AUTH_")) {
            if let Some((name, value)) = line.split_once(' ')
                && !name.starts_with("VERSION")
            {
                constants.push(format!("CLI_AUTH_{name} = {}", value.trim()));
            }
        }
        let rest: Vec<_> =
            code.lines().filter(|line| !line.starts_with('#') && !line.contains("extern \"C\"")).collect();
        for declaration in rest.join(" ").split(';') {
            let words: Vec<_> = declaration.split_whitespace().collect();
            let line = without_names(&words.join(" "));
            match words.first() {
                None | Some(&"}") => {}
                Some(&"typedef") => types.push(line),
                Some(_) => {
                    names.push(function_name(&line).with_context(|| format!("cannot parse: {line}"))?);
                    functions.push(line);
                }
            }
        }
        names.sort();
        let version = constants.iter().find_map(|line| line.strip_prefix(VERSION)?.strip_prefix(" = "));
        let version = version.with_context(|| format!("the header has no {VERSION}"))?.to_owned();
        let lines = [constants, types, functions].concat();
        Ok(Self { version, functions: names, lines })
    }
}

fn without_comments(code: &str) -> String {
    let mut parts = code.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.filter_map(|part| part.split_once("*/")).fold(first, |text, (_, code)| text + code)
}

/// Returns a signature without the parameter names, which may change.
fn without_names(line: &str) -> String {
    let Some((before, parameters)) = line.rsplit_once('(') else { return line.to_owned() };
    let bare = parameters.trim_end_matches(')').split(", ").map(|parameter| {
        let of_type =
            parameter.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        if of_type.is_empty() { parameter } else { of_type.trim_end() }
    });
    format!("{before}({})", bare.collect::<Vec<_>>().join(", "))
}

fn function_name(line: &str) -> Option<String> {
    let (before, _) = line.split_once('(')?;
    before.rsplit([' ', '*']).next().map(str::to_owned)
}

fn path(workspace: &Workspace) -> PathBuf {
    super::sources(workspace).join("abi.txt")
}

/// Updates the list with new lines. Removed lines require a new ABI version.
pub(super) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let now = Interface::find(workspace)?;
    let before = fs::read_to_string(path(workspace)).unwrap_or_default();
    if let Some(broken) = broken(&before, &now) {
        bail!("{broken}");
    }
    Ok(fs::write(path(workspace), format!("{TITLE}{}\n", now.lines.join("\n")))?)
}

pub(super) fn check(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("C interface is compatible", |_| {
        let before = fs::read_to_string(path(workspace)).context("cannot read bindings/c/abi.txt")?;
        let now = Interface::find(workspace)?;
        Ok(if let Some(broken) = broken(&before, &now) {
            Outcome::Failed(broken)
        } else if before != format!("{TITLE}{}\n", now.lines.join("\n")) {
            Outcome::Failed("bindings/c/abi.txt is not current; run `cargo xtask check --write`".to_owned())
        } else {
            Outcome::Passed
        })
    })
}

/// Returns the lines of `before` that `now` lacks, unless the ABI version has changed.
fn broken(before: &str, now: &Interface) -> Option<String> {
    let before: Vec<_> = before.lines().filter(|line| !line.starts_with('#')).collect();
    let version = format!("{VERSION} = {}", now.version);
    let gone: Vec<_> = before.iter().filter(|line| !now.lines.iter().any(|it| it == *line)).collect();
    if gone.is_empty() || !before.contains(&version.as_str()) {
        return None;
    }
    let gone = gone.iter().map(|line| format!("\n  {line}")).collect::<String>();
    Some(format!(
        "programs that use these lines would break; raise {VERSION} in bindings/c/src/version.rs, or, if no release \
         has them, remove them from bindings/c/abi.txt{gone}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "#ifndef G\n#define G\n/** One; two. */\n#define CLI_AUTH_VERSION \"1\"\n#define CLI_AUTH_OK 0\n\
        #define CLI_AUTH_ABI_VERSION 3\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n/** A (t). */\n\
        typedef struct a_t a_t;\ntypedef void (*call)(void *user, const a_t *a);\n\
        const char *const *f(a_t *self,\n    size_t length);\nuint32_t g(void);\n#ifdef __cplusplus\n}\n#endif\n#endif\n";

    fn read(header: &str) -> Interface {
        Interface::read(header).unwrap()
    }

    #[test]
    fn a_header_is_converted_to_lines() {
        let found = read(HEADER);
        assert_eq!(found.version, "3");
        assert_eq!(found.functions, ["f", "g"]);
        assert_eq!(
            found.lines,
            [
                "CLI_AUTH_OK = 0",
                "CLI_AUTH_ABI_VERSION = 3",
                "typedef struct a_t a_t",
                "typedef void (*call)(void *, const a_t *)",
                "const char *const *f(a_t *, size_t)",
                "uint32_t g(void)",
            ]
        );
    }

    #[test]
    fn only_removals_and_changes_break_compatibility() {
        let before = read(HEADER).lines.join("\n");
        let broken_by = |from: &str, to: &str| broken(&before, &read(&HEADER.replace(from, to)));
        assert_eq!(broken_by("size_t length", "size_t count"), None);
        assert_eq!(broken_by("uint32_t g(void);", "uint32_t g(void); void h(void);"), None);
        for (from, to) in
            [("uint32_t g(void);", ""), ("uint32_t g", "uint64_t g"), ("_OK 0", "_OK 1"), ("size_t", "int")]
        {
            assert!(broken_by(from, to).is_some(), "{from}");
            let raised = HEADER.replace(from, to).replace("_ABI_VERSION 3", "_ABI_VERSION 4");
            assert_eq!(broken(&before, &read(&raised)), None, "{from}");
        }
    }
}
