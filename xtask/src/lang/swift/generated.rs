//! The module that UniFFI writes, made content with the core of Foundation: all of it would be 40 MB more in a program, and
//! several milliseconds at its start.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::examples::Run;
use crate::lang::uniffi;
use crate::workspace::Workspace;

const MODULE: &str = "CLIAuthNative.swift";
const HEADER: &str = "CLIAuthFFI.h";

/// What is written, and what stands there instead. Each is there once.
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

/// Writes the module and its header into `sources`, the folder of a package's targets.
pub(super) fn write(workspace: &Workspace, sources: &Path, run: Run) -> anyhow::Result<()> {
    let folder = super::home(workspace).join("generated");
    uniffi::generate(workspace, "swift", &folder, run)?;
    let module = fs::read_to_string(folder.join(MODULE)).with_context(|| format!("no {MODULE}"))?;
    fs::write(sources.join("CLIAuthNative").join(MODULE), lean(&module)?)?;
    fs::copy(folder.join(HEADER), sources.join("CLIAuthFFI").join(HEADER))?;
    Ok(())
}

/// A generator that writes other lines has changed: then this has to be looked at again, and the build says so.
fn lean(module: &str) -> anyhow::Result<String> {
    let mut lean = module.to_owned();
    for (written, instead) in INSTEAD {
        let times = lean.matches(written).count();
        ensure!(times == 1, "the generated module has this {times} times and not once: {written}");
        lean = lean.replace(written, instead);
    }
    ensure!(!lean.contains("NSLock"), "the generated module uses NSLock after all");
    Ok(lean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_replaced_and_the_rest_is_left_alone() {
        let written: Vec<_> = INSTEAD.iter().map(|(written, _)| *written).collect();
        let lean = lean(&format!("// a{}// b\n", written.join("// c\n"))).unwrap();
        assert!(lean.starts_with("// a\n#if canImport(FoundationEssentials)\n"));
        assert!(lean.ends_with("    private let lock = Lock()\n// c\n// b\n"));
    }

    #[test]
    fn a_generator_that_changed_fails_the_build() {
        assert!(lean("\nimport Foundation\n").is_err());
        let written: Vec<_> = INSTEAD.iter().map(|(written, _)| *written).collect();
        assert!(lean(&(written.concat() + "NSLock")).is_err());
    }
}
