//! The jar, in a Maven repository in `target/dist`: the public module, the generated module that it wraps, and the
//! library.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{dist, home, maven, repository};
use crate::examples::{Run, quietly};
use crate::files::{self, copy, empty};
use crate::lang::native::{GLIBC, glibc, lines, newest_glibc};
use crate::lang::uniffi;
use crate::notices;
use crate::process;
use crate::report::{Outcome, Report};
use crate::setup;
use crate::workspace::Workspace;

const GROUP: &str = "cliauth";
const ARTIFACT: &str = "cli-auth";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const LIBRARY: &str = "libcli_auth_uniffi.so";

/// JNA's name for this platform.
const PLATFORM: &str = "linux-x86-64";
/// The maximum size of the jar.
const MOST_BYTES: u64 = 2_000_000;

const LIMIT: Duration = Duration::from_secs(2 * 60);

/// Builds the jar if its sources have changed, and returns the files.
pub(super) fn build(workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
    let home = home(workspace);
    fs::create_dir_all(&home)?;
    let _lock = setup::lock(&home.join("package.lock"))?;
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the jar can currently be built only on Linux x86-64"
    );
    let staged = stage(workspace, run)?;
    let files = ["", "-sources", "-javadoc"].map(|classifier| jar(workspace, classifier));
    files::once(&jar(workspace, "-javadoc"), &home.join("packed-from"), &files::digest(&staged)?, || {
        // An earlier build of the same version in the local repository would be used instead of this one.
        for repository in [dist(workspace), repository(workspace)] {
            empty(repository.join(GROUP))?;
        }
        let mut target = OsString::from("-DaltDeploymentRepository=dist::file:");
        target.push(dist(workspace));
        let mut deploy = maven(workspace, &staged, "deploy");
        deploy.arg("--quiet").arg(target);
        run(deploy)
    })?;
    Ok([&files[..], &[version(workspace).join(name(".pom"))]].concat())
}

/// Returns the directory of this version in the repository.
fn version(workspace: &Workspace) -> PathBuf {
    dist(workspace).join(GROUP).join(ARTIFACT).join(VERSION)
}

fn name(ending: &str) -> String {
    format!("{ARTIFACT}-{VERSION}{ending}")
}

/// Returns the path of the jar, or of an accompanying file such as `-sources`.
pub(super) fn jar(workspace: &Workspace, classifier: &str) -> PathBuf {
    version(workspace).join(name(&format!("{classifier}.jar")))
}

/// Copies the Maven project and adds the built files.
fn stage(workspace: &Workspace, run: Run) -> anyhow::Result<PathBuf> {
    let library = uniffi::library(workspace, run)?;
    let staged = empty(home(workspace).join("package"))?;
    let sources = super::sources(workspace);
    fs::copy(sources.join("pom.xml"), staged.join("pom.xml"))?;
    copy(&sources.join("src"), &staged.join("src"), "target")?;
    uniffi::generate(workspace, "kotlin", &staged.join("src/generated/kotlin"), run)?;
    let resources = staged.join("src/main/resources");
    fs::create_dir_all(resources.join(PLATFORM))?;
    let mut contents = fs::read(library)?;
    let build_id = build_id(&contents).context("the library has no build ID at its beginning")?;
    fs::write(
        staged.join("src/generated/kotlin/cliauth/internal/Build.kt"),
        format!(
            "package cliauth.internal\n\ninternal const val VERSION = \"{VERSION}\"\n\
             internal const val BUILD_ID = \"{build_id}\"\n"
        ),
    )?;
    // Behind what the linker wrote, where no loader looks: a package that finds another library names its version.
    contents.extend_from_slice(format!("\ncli-auth {VERSION}\n").as_bytes());
    fs::write(resources.join(PLATFORM).join(LIBRARY), contents)?;
    let notes = resources.join("META-INF");
    fs::create_dir_all(&notes)?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.root.join(licence), notes.join(licence))?;
    }
    fs::write(notes.join(notices::FILE), notices::of(workspace, uniffi::PACKAGE)?)?;
    Ok(staged)
}

/// Returns the linker's build ID in hexadecimal, read as `NativeCode.kt` reads it.
fn build_id(library: &[u8]) -> Option<String> {
    const NOTE: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let head = library.get(..4096)?;
    let id = head.windows(NOTE.len()).position(|window| window == NOTE)?.checked_add(NOTE.len())?;
    let bytes = head.get(id..id.checked_add(20)?)?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Checks the jar.
pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    report.part("jar", |live| {
        build(workspace, quietly)?;
        let jar = jar(workspace, "");
        let folder = empty(home(workspace).join("looked-at"))?;
        let mut unpack = workspace.command("jar");
        unpack.arg("xf").arg(&jar).current_dir(&folder);
        process::succeed(unpack, LIMIT)?;
        let bytes = fs::metadata(&jar)?.len();
        let library = folder.join(PLATFORM).join(LIBRARY);
        live.line(&format!(
            "{}: {bytes} bytes, the library in it {}",
            jar.file_name().unwrap_or_default().to_string_lossy(),
            fs::metadata(&library).with_context(|| format!("the jar lacks {PLATFORM}/{LIBRARY}"))?.len()
        ));
        let mut faults = Vec::new();
        if bytes > MOST_BYTES {
            faults.push(format!("the jar has {bytes} bytes, more than {MOST_BYTES}"));
        }
        for file in ["LICENSE-APACHE", "LICENSE-MIT", notices::FILE] {
            if !folder.join("META-INF").join(file).exists() {
                faults.push(format!("META-INF/{file} is missing"));
            }
        }
        exports(workspace, &library, &mut faults)?;
        Ok(Outcome::of_faults(&faults))
    })
}

/// Checks that the library exports only UniFFI functions and needs no newer glibc.
fn exports(workspace: &Workspace, library: &std::path::Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    for symbol in lines(workspace, "nm", &["--dynamic", "--defined-only", "--format=posix"], library)? {
        let name = symbol.split_whitespace().next().unwrap_or_default();
        if !name.starts_with("uniffi_cli_auth") && !name.starts_with("ffi_cli_auth") {
            faults.push(format!("the library exports {name}"));
        }
    }
    let newest = newest_glibc(&lines(workspace, "nm", &["--dynamic", "--undefined-only"], library)?);
    if newest > glibc(GLIBC) {
        faults.push(format!("the library needs glibc {newest:?}, newer than {GLIBC}"));
    }
    Ok(())
}
