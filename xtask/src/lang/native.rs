//! Libraries for other languages: cargo builds an archive of the whole core, from which the linker makes the libraries.
//!
//! The members of the archive are linked into one object file in which only the interface is global. So a program can
//! contain a second library written in Rust, and the shared library exports nothing else.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::examples::Run;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

/// The oldest glibc that a portable library supports (released in 2012).
pub(super) const GLIBC: &str = "2.17";

/// Libraries that every compiler driver links by itself, as its options require.
const DRIVER_LIBRARIES: &[&str] = &["-lgcc_s", "-lc"];

const ARCHIVE: Duration = Duration::from_secs(20 * 60);
const LINK: Duration = Duration::from_secs(5 * 60);

/// The linker of a shared library, which determines where the library runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linker {
    /// This machine's compiler: the library runs on this machine and similar ones.
    Native,
    /// zig: the library runs on every Linux of this architecture with [`GLIBC`] or newer.
    Portable,
}

impl Linker {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Portable => "portable",
        }
    }
}

/// A package of this project that is built as an archive.
#[derive(Debug)]
pub(super) struct Core<'a> {
    workspace: &'a Workspace,
    package: &'static str,
}

impl<'a> Core<'a> {
    pub(super) fn new(workspace: &'a Workspace, package: &'static str) -> Self {
        Self { workspace, package }
    }

    /// Builds the archive, optimized for size. Returns the file and the libraries that a program must link with it.
    pub(super) fn build(&self, run: Run) -> anyhow::Result<(PathBuf, Vec<String>)> {
        ensure!(
            cfg!(target_os = "linux"),
            "the libraries for other languages are built on Linux only, for now"
        );
        run(self.cargo()?)?;
        let needed = native_libraries(self.cargo()?)?;
        let private = needed.into_iter().filter(|one| !DRIVER_LIBRARIES.contains(&one.as_str())).collect();
        let name = format!("lib{}.a", self.package.replace('-', "_"));
        Ok((self.workspace.target.join("size").join(name), private))
    }

    /// A repeated call returns immediately, with the same output of rustc.
    fn cargo(&self) -> anyhow::Result<Command> {
        let mut cargo = self.workspace.cargo("rustc");
        cargo.args(["--locked", "--package", self.package, "--lib", "--profile", "size"]);
        cargo.args(["--crate-type", "staticlib", "--", "--print", "native-static-libs"]);
        remap_paths(&mut cargo)?;
        Ok(cargo)
    }
}

/// Removes paths of this machine from the panic messages in what a cargo command builds.
pub(super) fn remap_paths(cargo: &mut Command) -> anyhow::Result<()> {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(cargo_home()?.join("registry").join("src"));
    flag.push("=");
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flag);
    Ok(())
}

pub(super) fn cargo_home() -> anyhow::Result<PathBuf> {
    Ok(match env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    })
}

/// Returns the libraries that the archive needs according to rustc, such as `-lpthread`.
fn native_libraries(mut cargo: Command) -> anyhow::Result<Vec<String>> {
    let mut found = None;
    cargo.env("CARGO_TERM_COLOR", "never");
    let finished = process::run(cargo, ARCHIVE, |line| {
        if let Some((_, libraries)) = line.split_once("native-static-libs:") {
            found = Some(libraries.split_whitespace().map(str::to_owned).collect());
        }
    })?;
    ensure!(finished.success, "cargo rustc failed\n{}", finished.tail);
    found.context("rustc does not say which libraries the archive needs")
}

/// Links the parts of an archive that `functions` need into one object file, in which only they are visible.
pub(super) fn one_object(
    workspace: &Workspace,
    archive: &Path,
    functions: &[String],
    object: &Path,
) -> anyhow::Result<()> {
    let linked = object.with_extension("linked.o");
    // Called by its full name because `ld` may be another linker, which may lack these options.
    let mut link = workspace.command("ld.bfd");
    // Section groups are needed only if a linker sees a function twice, which cannot happen here.
    link.args(["--relocatable", "--gc-sections", "--force-group-allocation"]);
    for function in functions {
        link.arg(format!("--require-defined={function}"));
    }
    link.arg("-o").arg(&linked).arg(archive);
    process::succeed(link, LINK)?;
    let visible = object.with_extension("visible");
    fs::write(&visible, functions.join("\n"))?;
    let mut hide = workspace.command("objcopy");
    hide.arg("--keep-global-symbols").arg(visible).arg("--strip-unneeded");
    // rustc's sections for link-time optimization are no longer needed and confuse binutils with LLVM support.
    hide.args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd", "--remove-section=.comment"]);
    hide.arg(&linked).arg(object);
    process::succeed(hide, LINK)?;
    Ok(fs::remove_file(linked)?)
}

/// Makes a static library from one object file, in the same directory.
pub(super) fn archive(workspace: &Workspace, object: &Path) -> anyhow::Result<PathBuf> {
    let archive = object.with_extension("a");
    if archive.exists() {
        fs::remove_file(&archive)?;
    }
    let mut ar = workspace.command("ar");
    ar.arg("crsD").arg(&archive).arg(object);
    process::succeed(ar, LINK)?;
    Ok(archive)
}

/// How a shared library is linked from one object file.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) object: &'a Path,
    /// Additional libraries to link.
    pub(super) private: &'a [String],
    /// The exported symbols, as a version script of the linker.
    pub(super) exports: &'a str,
    pub(super) soname: &'a str,
}

impl Shared<'_> {
    pub(super) fn link(&self, workspace: &Workspace, linker: Linker, library: &Path) -> anyhow::Result<()> {
        let versions = library.with_extension("map");
        fs::write(&versions, self.exports)?;
        let mut link = match linker {
            Linker::Native => compiler(workspace),
            Linker::Portable => {
                let mut zig = zig(workspace)?;
                zig.args(["cc", "-target"]).arg(format!("{}-linux-gnu.{GLIBC}", env::consts::ARCH));
                zig
            }
        };
        link.args(["-shared", "-Wl,-s", "-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,-z,defs"]);
        link.args(["-Wl,--eh-frame-hdr", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]);
        // A thread that looks up a name may outlive the last client, so the code must stay loaded after dlclose.
        link.args(["-Wl,--build-id=sha1", "-Wl,-z,nodelete"]).arg(format!("-Wl,-soname,{}", self.soname));
        let mut map = OsString::from("-Wl,--version-script=");
        map.push(&versions);
        if linker == Linker::Native {
            // Package builders pass linker options in LDFLAGS.
            link.args(env::var("LDFLAGS").unwrap_or_default().split_whitespace());
        }
        link.arg(map).arg("-o").arg(library).arg(self.object).args(self.private);
        // The portable library contains the unwinder because not every system has the compiler's.
        link.arg(if linker == Linker::Portable { "-lunwind" } else { "-lgcc_s" });
        process::succeed(link, LINK)
    }
}

/// Returns the C compiler in `CC`, which may include arguments.
fn compiler(workspace: &Workspace) -> Command {
    let named = env::var("CC").unwrap_or_default();
    let mut words = named.split_whitespace();
    let mut compiler = workspace.command(words.next().unwrap_or("cc"));
    compiler.args(words);
    compiler
}

/// Returns `zig`, a C compiler that can link against an old glibc.
fn zig(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut zig = workspace.command(setup::programs(workspace)?.join("python"));
    zig.args(["-m", "ziglang"]);
    let cache = workspace.target.join("zig");
    zig.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"] {
        zig.env_remove(name);
    }
    Ok(zig)
}

/// Returns the lines that `program` prints about a file.
pub(super) fn lines(
    workspace: &Workspace,
    program: &str,
    words: &[&str],
    file: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut command = workspace.command(program);
    command.args(words).arg(file);
    let mut lines = Vec::new();
    let finished = process::run(command, LINK, |line| lines.push(line.to_owned()))?;
    if !finished.success {
        bail!("{program} failed\n{}", finished.tail);
    }
    Ok(lines)
}

/// Returns the newest glibc version in a listing of symbols or versions.
pub(super) fn newest_glibc(lines: &[String]) -> Option<(u32, u32)> {
    lines.iter().flat_map(|line| line.split("GLIBC_").skip(1)).filter_map(glibc).max()
}

/// Parses a version such as `2.17` at the start of the text.
pub(super) fn glibc(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(glibc("2.17 (5)"), Some((2, 17)));
        assert!(glibc("2.9)") < glibc("2.17"));
        assert!(glibc("2.2.5") < glibc("2.17"));
        assert_eq!(glibc("PRIVATE"), None);
    }
}
