//! Collects the proofs: the `proves` member of the scenarios, stories and faults, `// proves: ID, ID` above a Rust
//! test, and `<!-- proves: ID -->` in a document, for requirements that documentation fulfils.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// Test names by requirement id.
pub(super) type Proofs = BTreeMap<String, Vec<String>>;

const MARK: &str = "// proves:";
/// Maximum number of lines between the mark and the function: attributes and comments.
const MAX_LINES_BETWEEN: usize = 12;

/// Returns all proofs of the workspace and the faults in how they are written.
pub(super) fn collect(root: &Path) -> anyhow::Result<(Proofs, Vec<String>)> {
    let mut proofs = Proofs::new();
    let mut faults = Vec::new();
    let scenarios = root.join("tests").join("scenarios");
    let mut sources: Vec<(&str, PathBuf)> = vec![("fault", scenarios.join("faults.json"))];
    for (kind, folder) in [("scenario", "cases"), ("story", "stories")] {
        sources.extend(files(&scenarios.join(folder), "json")?.into_iter().map(|path| (kind, path)));
    }
    for (kind, path) in sources {
        let text = fs::read_to_string(&path)?;
        let value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        let cases = match value {
            Value::Array(cases) => cases,
            one => vec![one],
        };
        for case in &cases {
            let name = case.get("id").and_then(Value::as_str).unwrap_or("without id");
            for id in proved_by(case) {
                proofs.entry(id.to_owned()).or_default().push(format!("{kind} {name}"));
            }
        }
    }
    for folder in ["src", "tests", "examples"] {
        for path in files(&root.join(folder), "rs")? {
            let short = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            marks(&short, &fs::read_to_string(&path)?, &mut proofs, &mut faults);
        }
    }
    for folder in [root.to_path_buf(), root.join("docs")] {
        for path in documents(&folder)? {
            let short = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            for id in document_marks(&fs::read_to_string(&path)?) {
                proofs.entry(id.to_owned()).or_default().push(short.clone());
            }
        }
    }
    for tests in proofs.values_mut() {
        tests.sort();
        tests.dedup();
    }
    Ok((proofs, faults))
}

/// Returns what a scenario proves. Where it says `<proves>`, each of its variants says it.
fn proved_by(case: &Value) -> Vec<&str> {
    let ids = case.get("proves").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let variants = case.get("variants").and_then(Value::as_object);
    let of_variants =
        || variants.into_iter().flat_map(|all| all.values()).filter_map(|one| one.get("proves"));
    ids.iter()
        .flat_map(|id| match id.as_str() {
            Some("<proves>") => of_variants().collect(),
            _ => vec![id],
        })
        .filter_map(Value::as_str)
        .collect()
}

/// Returns every file below `folder` with this extension, sorted.
fn files(folder: &Path, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads the documents directly in `folder`.
fn documents(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads the marks of a document. A mark has a line of its own; one within other text is not read.
fn document_marks(text: &str) -> impl Iterator<Item = &str> {
    let marks = text.lines().filter_map(|line| line.trim().strip_prefix("<!-- proves:")?.strip_suffix("-->"));
    marks.flat_map(|ids| ids.split(',')).map(str::trim).filter(|id| !id.is_empty())
}

/// Reads the marks of one Rust file.
fn marks(file: &str, text: &str, proofs: &mut Proofs, faults: &mut Vec<String>) {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    for (index, line) in lines.iter().enumerate() {
        let Some(ids) = line.strip_prefix(MARK) else { continue };
        let following = lines.iter().skip(index + 1).take(MAX_LINES_BETWEEN);
        match test_name(following.copied()) {
            Some(name) => {
                for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                    proofs.entry(id.to_owned()).or_default().push(format!("{file}: {name}"));
                }
            }
            None => faults.push(format!("{file}:{}: no test follows `{line}`", index + 1)),
        }
    }
}

/// Returns the name of the test at the start of these lines, after attributes and comments.
fn test_name<'l>(lines: impl Iterator<Item = &'l str>) -> Option<&'l str> {
    let mut is_test = false;
    for line in lines {
        if line.starts_with("#[") {
            is_test |= line.contains("test");
        } else if let Some(rest) = line.strip_prefix("async fn ").or(line.strip_prefix("fn ")) {
            return rest.split(['(', '<']).next().filter(|_| is_test);
        } else if !(line.starts_with("//") || line.is_empty()) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Proofs, usize) {
        let (mut proofs, mut faults) = (Proofs::new(), Vec::new());
        marks("src/a.rs", text, &mut proofs, &mut faults);
        (proofs, faults.len())
    }

    #[test]
    fn a_mark_above_a_test_is_read() {
        for test in [
            "#[test]\nfn waits() {",
            "    #[test]\n    #[cfg(unix)]\n    fn waits() {",
            "#[tokio::test(start_paused = true)]\n// why\nasync fn waits() {",
            "/// about\n#[test]\nfn waits(seed in 0..9u8) {",
        ] {
            let (proofs, faults) = read(&format!("    // proves: A-1, A-2\n{test}"));
            assert_eq!(faults, 0, "{test}");
            assert_eq!(proofs.keys().collect::<Vec<_>>(), ["A-1", "A-2"]);
            assert_eq!(proofs["A-1"], ["src/a.rs: waits"]);
        }
    }

    #[test]
    fn marks_in_a_document_are_read() {
        let text =
            "# Title\n<!-- proves: A-1, A-2 -->\nWrite `<!-- proves: ID -->`.\n  <!-- proves: A-3 -->\n";
        assert_eq!(document_marks(text).collect::<Vec<_>>(), ["A-1", "A-2", "A-3"]);
        assert_eq!(document_marks("<!-- proves: A-1").count(), 0);
    }

    #[test]
    fn a_mark_without_a_test_is_a_fault() {
        for rest in
            ["fn waits() {", "#[test]\nstruct Waits;\nfn waits() {", "let x = 1;\n#[test]\nfn waits() {", ""]
        {
            let (proofs, faults) = read(&format!("// proves: A-1\n{rest}"));
            assert_eq!((proofs.len(), faults), (0, 1), "{rest}");
        }
    }
}
