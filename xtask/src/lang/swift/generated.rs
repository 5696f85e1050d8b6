//! Adapts the module that UniFFI generates to FoundationEssentials. All of Foundation would add 40 MB to a program and
//! several milliseconds to its start.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::examples::Run;
use crate::lang::uniffi;
use crate::workspace::Workspace;

const MODULE: &str = "CLIAuthNative.swift";
const HEADER: &str = "CLIAuthFFI.h";

/// The generated texts, each of which must occur once, and their replacements.
const INSTEAD: [(&str, &str); 3] = [
    (
        "\nimport Foundation\n",
        "\n#if canImport(FoundationEssentials)\nimport FoundationEssentials\n#else\nimport Foundation\n#endif\n",
    ),
    ("    private let lock = NSLock()\n", "    private let lock = Lock()\n"),
    (
        "fileprivate extension NSLock {
    func withLock<T>(f: () throws -> T) rethrows -> T {
        self.lock()
        defer { self.unlock() }
        return try f()
    }
}
",
        "",
    ),
];

/// Writes the module and its header into `sources`, the directory of a package's targets.
pub(super) fn write(workspace: &Workspace, sources: &Path, run: Run) -> anyhow::Result<()> {
    let folder = super::home(workspace).join("generated");
    uniffi::generate(workspace, "swift", &folder, run)?;
    let module = fs::read_to_string(folder.join(MODULE)).with_context(|| format!("cannot read {MODULE}"))?;
    fs::write(sources.join("CLIAuthNative").join(MODULE), lean(&module)?)?;
    fs::copy(folder.join(HEADER), sources.join("CLIAuthFFI").join(HEADER))?;
    Ok(())
}

/// Applies the replacements. Fails if the generator writes other lines, because then they must be reviewed.
fn lean(module: &str) -> anyhow::Result<String> {
    let mut lean = module.to_owned();
    for (written, instead) in INSTEAD {
        let times = lean.matches(written).count();
        ensure!(
            times == 1,
            "the generated module must contain this once but contains it {times} times: {written}"
        );
        lean = lean.replace(written, instead);
    }
    ensure!(!lean.contains("NSLock"), "the generated module still uses NSLock");
    Ok(lean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_replaced_and_the_rest_is_unchanged() {
        let written: Vec<_> = INSTEAD.iter().map(|(written, _)| *written).collect();
        let lean = lean(&format!("// a{}// b\n", written.join("// c\n"))).unwrap();
        assert!(lean.starts_with("// a\n#if canImport(FoundationEssentials)\n"));
        assert!(lean.ends_with("    private let lock = Lock()\n// c\n// b\n"));
    }

    #[test]
    fn a_changed_generator_fails_the_build() {
        assert!(lean("\nimport Foundation\n").is_err());
        let written: Vec<_> = INSTEAD.iter().map(|(written, _)| *written).collect();
        assert!(lean(&(written.concat() + "NSLock")).is_err());
    }
}
