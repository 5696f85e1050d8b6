//! UniFFI's generator, and for Python a second pass over what it wrote. maturin calls it by this name and these arguments.

mod lean;

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    // It reads the same arguments, and leaves the process itself when they or the library are wrong.
    uniffi::uniffi_bindgen_main();
    let words: Vec<String> = env::args().collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at.checked_add(1)?).cloned()
    };
    if value("--language").as_deref() != Some("python") {
        return ExitCode::SUCCESS;
    }
    let folder = value("--out-dir").or_else(|| value("-o")).map(PathBuf::from).unwrap_or_default();
    match lean::rewrite(&folder.join("cli_auth_native.py")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("uniffi-bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}
