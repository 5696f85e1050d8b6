//! UniFFI's generator, followed by a second pass over its output. maturin calls it with this name and these arguments.

mod kotlin;
mod python;

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    // It reads the same arguments, and exits the process if they or the library are invalid.
    uniffi::uniffi_bindgen_main();
    let words: Vec<String> = env::args().collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at.checked_add(1)?).cloned()
    };
    let folder = value("--out-dir").or_else(|| value("-o")).map(PathBuf::from).unwrap_or_default();
    let rewritten = match value("--language").as_deref() {
        Some("python") => python::rewrite(&folder.join("cli_auth_native.py")),
        Some("kotlin") => kotlin::rewrite(&folder.join("cliauth/internal/cli_auth_native.kt")),
        _ => Ok(()),
    };
    match rewritten {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("uniffi-bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}
