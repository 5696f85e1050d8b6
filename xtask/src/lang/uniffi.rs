//! The library that Kotlin loads and Swift links, and the modules that UniFFI generates for it. For Python, maturin
//! does both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use super::native::{self, Core, Linker, Shared, lines};
use crate::examples::Run;
use crate::report::Report;
use crate::setup;
use crate::workspace::Workspace;

const NAME: &str = "libcli_auth_uniffi.so";

const TEST: Duration = Duration::from_secs(10 * 60);

/// The directories that are compiled into the library.
pub(super) const PACKAGE: &str = "cli-auth-uniffi";

/// The prefixes of the symbols that UniFFI exports, and of no others.
const PREFIXES: [&str; 2] = ["uniffi_cli_auth", "ffi_cli_auth"];

/// Builds the shared library for every Linux with [`native::GLIBC`] or newer. Returns the file.
pub(super) fn library(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let home = home(workspace)?;
    // Several processes may do this at the same time.
    let _lock = setup::lock(&home.join("library.lock"))?;
    let (object, private) = object(workspace, &home, run)?;
    let library = home.join(NAME);
    let global: Vec<_> = PREFIXES.iter().map(|prefix| format!("{prefix}_*;")).collect();
    let exports = format!("{{ global: {} local: *; }};\n", global.join(" "));
    Shared { object: &object, private: &private, exports: &exports, soname: NAME }.link(
        workspace,
        Linker::Portable,
        &library,
    )?;
    Ok(library)
}

/// Builds the static library. Returns the file and the libraries that a program must link with it.
pub(super) fn archive(workspace: &Workspace, run: Run) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let home = home(workspace)?;
    let _lock = setup::lock(&home.join("library.lock"))?;
    let (object, private) = object(workspace, &home, run)?;
    Ok((native::archive(workspace, &object)?, private))
}

/// Builds one object file of everything. Returns it and the libraries that must be linked with it.
fn object(workspace: &Workspace, home: &Path, run: Run) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let (archive, private) = Core::new(workspace, PACKAGE).build(run)?;
    let functions = functions(workspace, &archive)?;
    let object = home.join("libcli_auth_uniffi.o");
    native::one_object(workspace, &archive, &functions, &object)?;
    Ok((object, private))
}

/// Generates the module of `language` into `folder`, which is replaced.
pub(super) fn generate(workspace: &Workspace, language: &str, folder: &Path, run: Run) -> anyhow::Result<()> {
    let _lock = setup::lock(&home(workspace)?.join("library.lock"))?;
    // Reads the archive because the library no longer contains the metadata.
    let (archive, _) = Core::new(workspace, PACKAGE).build(run)?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut generator = generator(workspace, "run")?;
    generator.args(["--", "generate", "--no-format", "--language", language]);
    generator.arg("--out-dir").arg(folder).arg(archive);
    run(generator)
}

/// Runs the unit tests of the generator, which a build of the workspace leaves out.
pub(super) fn test_generator(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.command("generator of the foreign modules", generator(workspace, "test")?, TEST)
}

/// Returns the command `cargo VERB` for the generator.
fn generator(workspace: &Workspace, verb: &str) -> anyhow::Result<Command> {
    let mut generator = workspace.cargo(verb);
    generator.args(["--quiet", "--locked", "--package", PACKAGE, "--features", "bindgen"]);
    generator.args(["--bin", "uniffi-bindgen"]);
    // The same build as maturin's for Python, so that the generator is built only once.
    native::remap_paths(&mut generator)?;
    Ok(generator)
}

fn home(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let home = workspace.target.join("uniffi");
    fs::create_dir_all(&home)?;
    Ok(home)
}

/// Returns the names of the functions that the archive has for other languages.
fn functions(workspace: &Workspace, archive: &Path) -> anyhow::Result<Vec<String>> {
    let symbols = lines(workspace, "nm", &["--defined-only", "--extern-only", "--format=posix"], archive)?;
    let ours = |name: &&str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let mut names: Vec<_> = symbols
        .iter()
        .filter_map(|line| line.split_once(" T "))
        .map(|(name, _)| name)
        .filter(ours)
        .map(str::to_owned)
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "{} contains no UniFFI functions", archive.display());
    Ok(names)
}
