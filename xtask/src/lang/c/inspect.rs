//! Inspects the built libraries from outside.

use std::fs;
use std::path::Path;

use super::abi::Interface;
use super::library::soname;
use crate::lang::native::{GLIBC, cargo_home, glibc, lines, newest_glibc};
use crate::report::{Live, Outcome};
use crate::workspace::Workspace;

/// The libraries that a program must link with the archive. A different list must be a deliberate change.
const PRIVATE: &str = "Libs.private: -lutil -lrt -lpthread -lm -ldl";
/// Libraries of every Linux with glibc.
const SYSTEM: &[&str] =
    &["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6", "librt.so.1", "libutil.so.1", "ld-linux"];

/// Checks the libraries of the installation `prefix`, which was unpacked from the archive.
pub(super) fn check(workspace: &Workspace, prefix: &Path, live: &mut Live<'_>) -> anyhow::Result<Outcome> {
    let interface = Interface::find(workspace)?;
    let shared = fs::canonicalize(prefix.join("lib").join("libcli_auth.so"))?;
    let archive = prefix.join("lib").join("libcli_auth.a");
    let mut faults = Vec::new();
    exports(workspace, &interface, &shared, &mut faults)?;
    dynamic(workspace, &interface, &shared, &mut faults)?;
    globals(workspace, &interface, &archive, &mut faults)?;
    places(workspace, &[&shared, &archive], &mut faults)?;
    let pc = fs::read_to_string(prefix.join("lib").join("pkgconfig").join("cli-auth.pc"))?;
    if !pc.lines().any(|line| line == PRIVATE) {
        faults.push(format!("cli-auth.pc lacks the line: {PRIVATE}"));
    }
    for file in [&shared, &archive] {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        live.line(&format!("{name}: {} bytes", fs::metadata(file)?.len()));
    }
    Ok(Outcome::of_faults(&faults))
}

/// Checks that the shared library exports exactly the functions of the header.
fn exports(
    workspace: &Workspace,
    interface: &Interface,
    shared: &Path,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let symbols = lines(workspace, "nm", &["--dynamic", "--defined-only"], shared)?;
    let mut found = Vec::new();
    for symbol in symbols.iter().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
        match symbol.as_slice() {
            // The version of the symbols is itself a symbol.
            [_, "A", _] => {}
            [_, "T", name] => found.push(name.split('@').next().unwrap_or_default().to_owned()),
            other => faults.push(format!("the shared library exports {}", other.join(" "))),
        }
    }
    found.sort();
    faults.extend(difference(&interface.functions, &found, "the shared library"));
    Ok(())
}

fn difference(wanted: &[String], found: &[String], what: &str) -> Vec<String> {
    let lacks = wanted.iter().filter(|name| !found.contains(name)).map(|name| format!("{what} lacks {name}"));
    let more = found
        .iter()
        .filter(|name| !wanted.contains(name))
        .map(|name| format!("{what} has the unexpected {name}"));
    lacks.chain(more).collect()
}

/// Checks what the loader reads.
fn dynamic(
    workspace: &Workspace,
    interface: &Interface,
    shared: &Path,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let dynamic = lines(workspace, "readelf", &["--dynamic", "--wide"], shared)?;
    for (tag, wanted) in [
        ("(SONAME)", format!("[{}]", soname(interface))),
        ("(FLAGS_1)", "NODELETE".to_owned()),
        ("(FLAGS_1)", "NOW".to_owned()),
    ] {
        if !dynamic.iter().any(|line| line.contains(tag) && line.contains(&wanted)) {
            faults.push(format!("{tag} of the shared library lacks {wanted}"));
        }
    }
    for line in &dynamic {
        let system = SYSTEM.iter().any(|name| line.contains(&format!("[{name}")));
        if line.contains("(TEXTREL)") || line.contains("PATH)") || (line.contains("(NEEDED)") && !system) {
            faults.push(format!("the shared library has {}", line.trim()));
        }
    }
    let segments = lines(workspace, "readelf", &["--segments", "--wide"], shared)?;
    for line in segments.iter().filter(|line| line.contains("GNU_STACK") && line.contains("RWE")) {
        faults.push(format!("the stack of the shared library is executable: {}", line.trim()));
    }
    let sections = lines(workspace, "readelf", &["--sections", "--wide"], shared)?;
    for line in sections.iter().filter(|line| line.contains(".symtab") || line.contains(".debug_")) {
        faults.push(format!("the shared library is not stripped: {}", line.trim()));
    }
    let versions = lines(workspace, "readelf", &["--version-info", "--wide"], shared)?;
    match newest_glibc(&versions) {
        Some(newest) if Some(newest) <= glibc(GLIBC) => {}
        Some((major, minor)) => {
            faults.push(format!("the shared library needs glibc {major}.{minor}, not {GLIBC}"))
        }
        None => faults.push("the shared library needs no glibc version".to_owned()),
    }
    Ok(())
}

/// Checks that in the static library only the functions of the header are global.
fn globals(
    workspace: &Workspace,
    interface: &Interface,
    archive: &Path,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for line in lines(workspace, "readelf", &["--symbols", "--wide"], archive)? {
        let words: Vec<_> = line.split_whitespace().collect();
        if let [_, _, _, _, binding, _, section, name, ..] = words.as_slice()
            && (*binding == "GLOBAL" || *binding == "WEAK" || *binding == "UNIQUE")
            && *section != "UND"
        {
            found.push((*name).to_owned());
        }
    }
    faults.extend(difference(&interface.functions, &found, "the static library"));
    Ok(())
}

/// Checks that the libraries contain no path of this machine.
fn places(workspace: &Workspace, files: &[&Path], faults: &mut Vec<String>) -> anyhow::Result<()> {
    for place in [&workspace.root, &workspace.target, &cargo_home()?] {
        let text = place.as_os_str().as_encoded_bytes();
        for file in files {
            if fs::read(file)?.windows(text.len()).any(|window| window == text) {
                faults.push(format!("{} contains the path {}", file.display(), place.display()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_unexpected_names_are_reported() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            difference(&names(&["a", "b"]), &names(&["b", "c"]), "it"),
            ["it lacks a", "it has the unexpected c"]
        );
        assert!(difference(&names(&["a"]), &names(&["a"]), "it").is_empty());
    }
}
