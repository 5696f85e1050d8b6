//! The width of what people read: Markdown is wrapped by mdformat, and comments must not be wider.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::files;
use crate::process;
use crate::report::Outcome;
use crate::setup;
use crate::workspace::Workspace;

/// The maximum width of a comment line, in characters. `.mdformat.toml` has the same for Markdown.
const WIDTH: usize = 120;
const QUICK: Duration = Duration::from_secs(3 * 60);

/// The directories of the sources.
const PLACES: [&str; 7] = ["bench", "bindings", "docs", "examples", "src", "tests", "xtask"];

/// Generated, or written in a dialect of Markdown that mdformat does not know.
const NOT_FORMATTED: [&str; 2] = ["docs/conformance.md", "CLIAuth.docc/CLIAuth.md"];

/// What a comment line starts with, for each file extension.
const COMMENTS: [(&[&str], &[&str]); 3] = [
    (&["rs", "go", "swift", "mjs"], &["//"]),
    (&["c", "h", "in", "kt", "kts", "java"], &["//", "/*", "* "]),
    (&["py", "toml", "sh", "cmake"], &["#"]),
];

/// Checks the format of the Markdown files.
pub(crate) fn check_markdown(workspace: &Workspace) -> anyhow::Result<()> {
    let mut check = mdformat(workspace)?;
    check.arg("--check");
    process::succeed(check, QUICK)
}

/// Formats the Markdown files.
pub(crate) fn write_markdown(workspace: &Workspace) -> anyhow::Result<()> {
    process::succeed(mdformat(workspace)?, QUICK)
}

fn mdformat(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut mdformat = workspace.command(setup::programs(workspace)?.join("mdformat"));
    let sources = sources(workspace)?;
    let is_formatted = |file: &Path| !NOT_FORMATTED.iter().any(|name| file.ends_with(name));
    mdformat.args(sources.iter().filter(|file| has_extension(file, &["md"]) && is_formatted(file)));
    Ok(mdformat)
}

/// Returns the comment lines that are too wide.
pub(crate) fn check_comments(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let mut faults = Vec::new();
    for file in sources(workspace)? {
        let Some((_, starts)) = COMMENTS.iter().find(|(extensions, _)| has_extension(&file, extensions))
        else {
            continue;
        };
        for (number, line) in fs::read_to_string(&file)?.lines().enumerate() {
            if is_too_wide(line, starts) {
                let name = file.strip_prefix(&workspace.root).unwrap_or(&file).display();
                faults.push(format!("{name}:{}: the comment is wider than {WIDTH} characters", number + 1));
            }
        }
    }
    Ok(Outcome::of_faults(&faults))
}

/// A word that fills the line, such as a URL, and a directive of C inside a comment of Go cannot be wrapped.
fn is_too_wide(line: &str, starts: &[&str]) -> bool {
    let text = line.trim_start();
    line.chars().count() > WIDTH
        && !text.contains("#error")
        && starts.iter().any(|start| text.starts_with(start))
        && !text.split_whitespace().any(|word| line.chars().count() - word.chars().count() < WIDTH / 2)
}

fn sources(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(&workspace.root)? {
        let path = entry?.path();
        if path.is_file() {
            found.push(path);
        }
    }
    for place in PLACES {
        found.extend(files::below(&workspace.root.join(place))?);
    }
    found.retain(|file| file.is_file());
    Ok(found)
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().and_then(|it| it.to_str()).is_some_and(|it| extensions.contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wide_comments_are_faults() {
        let words = "word ".repeat(25);
        assert!(is_too_wide(&format!("    /// {words}"), &["//"]));
        assert!(!is_too_wide(&format!("let text = {words}"), &["//"]));
        assert!(!is_too_wide("/// short", &["//"]));
        assert!(!is_too_wide(&format!("// https://example.com/{}", "x".repeat(120)), &["//"]));
    }
}
