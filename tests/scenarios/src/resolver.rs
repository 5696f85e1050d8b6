//! A resolver for one tool, which gives names other addresses than the system does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/resolver.c");

/// Compiles the resolver into `folder` and returns the variables by which a tool loads it.
pub(crate) fn variables(
    names: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<BTreeMap<String, Option<String>>, String> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let library = folder.join("resolver.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", SOURCE, "-ldl", "-o"])
        .arg(&library)
        .output()
        .map_err(|error| format!("cc: {error}"))?;
    if !compiled.status.success() {
        return Err(format!("cc: {}", String::from_utf8_lossy(&compiled.stderr)));
    }
    let names: Vec<String> = names.iter().map(|(name, address)| format!("{name}={address}")).collect();
    let variables = [
        ("LD_PRELOAD", library.display().to_string()),
        ("SCENARIO_RESOLVER", names.join(" ")),
        // A tool with AddressSanitizer refuses to start if another library is loaded first.
        ("ASAN_OPTIONS", "verify_asan_link_order=0".to_owned()),
    ];
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect())
}
