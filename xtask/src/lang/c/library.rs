//! The libraries: cargo makes one archive of the whole core, and both are linked from it.
//!
//! The archive's members become one object file, in which only `cli_auth_*` is global. So a program can hold a second library
//! written in Rust beside the static one, and the shared one exports nothing else.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::abi::Interface;
use super::tools;
use crate::examples::Run;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

/// The oldest glibc that the library of the archive runs with: that of 2012.
pub(super) const GLIBC: &str = "2.17";

/// What every compiler driver links by itself, in the way that fits how it was called.
const OF_THE_DRIVER: &[&str] = &["-lgcc_s", "-lc"];

const ARCHIVE: Duration = Duration::from_secs(20 * 60);
const LINK: Duration = Duration::from_secs(5 * 60);

/// What the shared library is linked by, and so where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linker {
    /// This machine's compiler: for this machine and those like it.
    Native,
    /// zig: for every Linux of this architecture with [`GLIBC`] or newer.
    Portable,
}

impl Linker {
    fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Portable => "portable",
        }
    }
}

#[derive(Debug)]
pub(super) struct Libraries {
    pub(super) shared: PathBuf,
    pub(super) archive: PathBuf,
    /// What a program has to link beside the archive.
    pub(super) private: Vec<String>,
}

/// The name that the loader looks for.
pub(super) fn soname(interface: &Interface) -> String {
    format!("libcli_auth.so.{}", interface.version)
}

pub(super) fn build(workspace: &Workspace, linker: Linker, run: Run) -> anyhow::Result<Libraries> {
    ensure!(cfg!(target_os = "linux"), "the C library is built on Linux only, for now");
    let folder = super::home(workspace).join(linker.name());
    fs::create_dir_all(&folder)?;
    // Several commands may be at it at once.
    let _lock = setup::lock(&super::home(workspace).join("library.lock"))?;
    let interface = Interface::find(workspace)?;
    run(cargo(workspace)?)?;
    let needed = native_libraries(cargo(workspace)?)?;
    let private: Vec<_> = needed.into_iter().filter(|one| !OF_THE_DRIVER.contains(&one.as_str())).collect();
    let object = one_object(workspace, &interface, &folder)?;
    let archive = archive(workspace, &object, &folder)?;
    let shared = shared(workspace, linker, &interface, &object, &private)?;
    Ok(Libraries { shared, archive, private })
}

/// The archive of everything, for size. Asked a second time it is done at once, and says again what rustc said.
fn cargo(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["--locked", "--package", "cli-auth-c", "--lib", "--profile", "size"]);
    cargo.args(["--", "--print", "native-static-libs"]);
    // Keeps the places of this machine out of what panics say.
    let mut remap = OsString::from("--remap-path-prefix=");
    remap.push(cargo_home()?.join("registry").join("src"));
    remap.push("=");
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", remap);
    Ok(cargo)
}

pub(super) fn cargo_home() -> anyhow::Result<PathBuf> {
    Ok(match env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    })
}

/// `-lpthread`, ...: what rustc says that the archive needs.
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

fn one_object(workspace: &Workspace, interface: &Interface, folder: &Path) -> anyhow::Result<PathBuf> {
    let raw = workspace.target.join("size").join("libcli_auth_c.a");
    let (linked, object) = (folder.join("linked.o"), folder.join("libcli_auth.o"));
    // By its own name: another linker may stand behind `ld`, and has not all of this.
    let mut link = workspace.command("ld.bfd");
    // Groups are for linkers that see a function twice; nobody sees these again.
    link.args(["--relocatable", "--gc-sections", "--force-group-allocation"]);
    for function in &interface.functions {
        link.arg(format!("--require-defined={function}"));
    }
    link.arg("-o").arg(&linked).arg(raw);
    process::succeed(link, LINK)?;
    let mut hide = workspace.command("objcopy");
    hide.args(["--wildcard", "--keep-global-symbol=cli_auth_*", "--strip-unneeded"]);
    // What rustc keeps for link-time optimisation is done with, and confuses binutils that know LLVM.
    hide.args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd", "--remove-section=.comment"]);
    hide.arg(&linked).arg(&object);
    process::succeed(hide, LINK)?;
    fs::remove_file(linked)?;
    Ok(object)
}

fn archive(workspace: &Workspace, object: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let archive = folder.join("libcli_auth.a");
    if archive.exists() {
        fs::remove_file(&archive)?;
    }
    let mut ar = workspace.command("ar");
    ar.arg("crsD").arg(&archive).arg(object);
    process::succeed(ar, LINK)?;
    Ok(archive)
}

fn shared(
    workspace: &Workspace,
    linker: Linker,
    interface: &Interface,
    object: &Path,
    private: &[String],
) -> anyhow::Result<PathBuf> {
    let folder = object.parent().context("a file has a folder")?;
    let (versions, library) = (folder.join("exports.map"), folder.join("libcli_auth.so"));
    // A version of its own for each symbol: two libraries of different ABI in one process do not meet.
    fs::write(&versions, format!("CLI_AUTH_{} {{ global: cli_auth_*; local: *; }};\n", interface.version))?;
    let mut link = match linker {
        Linker::Native => native(workspace),
        Linker::Portable => {
            let mut zig = tools::zig(workspace)?;
            zig.args(["cc", "-target"]).arg(format!("{}-linux-gnu.{GLIBC}", env::consts::ARCH));
            zig
        }
    };
    link.args([
        "-shared",
        "-Wl,-s",
        "-Wl,--gc-sections",
        "-Wl,--as-needed",
        "-Wl,-z,defs",
        "-Wl,--eh-frame-hdr",
    ]);
    link.args(["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-Wl,--build-id=sha1"]);
    // A thread that looks up a name may outlive the last client: the code has to stay where it is after a dlclose.
    link.arg("-Wl,-z,nodelete").arg(format!("-Wl,-soname,{}", soname(interface)));
    let mut map = OsString::from("-Wl,--version-script=");
    map.push(&versions);
    if linker == Linker::Native {
        // Those who make packages have words for the linker.
        link.args(env::var("LDFLAGS").unwrap_or_default().split_whitespace());
    }
    link.arg(map).arg("-o").arg(&library).arg(object).args(private);
    // What unwinds is a part of the portable library, as not every system has the compiler's.
    link.arg(if linker == Linker::Portable { "-lunwind" } else { "-lgcc_s" });
    process::succeed(link, LINK)?;
    Ok(library)
}

/// The C compiler that CC names, which may have words of its own.
fn native(workspace: &Workspace) -> Command {
    let named = env::var("CC").unwrap_or_default();
    let mut words = named.split_whitespace();
    let mut compiler = workspace.command(words.next().unwrap_or("cc"));
    compiler.args(words);
    compiler
}

/// Lines that `program` prints about a file.
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
