//! C: the example tool with the installed library beside the floor's program, measured from inside by a program in C.
//! libcurl is the peer.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::floor;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::report::Report;
use crate::setup::{self, Need};
use crate::workspace::{Profile, Workspace};

const METER: &str = "xtask/meter/c";
const PEER: &str = "xtask/floor/peers/libcurl/peer.c";
const LIBCURL: Need = Need { program: "curl-config", package: "libcurl4-openssl-dev" };

const TOOL: &str = "example tool";
const SHARED: &str = "shared library, stripped";

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    Language::C.build_example(workspace, Profile::Release, in_foreground)?;
    let tool = Language::C.example(workspace, Profile::Release);
    let library = prefix(workspace).join("lib");
    let sizes = vec![
        Size::mb(SHARED, bytes(&library.join("libcli_auth.so"))?, Budget::Median(2.2)),
        Size::mb("static library", bytes(&library.join("libcli_auth.a"))?, Budget::Nothing),
        Size::mb(TOOL, bytes(&tool)?, Budget::Nothing),
    ];
    let floor = floor::program(workspace)?;
    let sizes_of_floor = vec![
        Size::mb(SHARED, bytes(&floor::libraries(workspace)?.shared)?, Budget::Nothing),
        Size::mb(TOOL, bytes(&floor)?, Budget::Nothing),
    ];
    Ok(Subject {
        tool: Party { words: Words::new([tool]), sizes, import: None },
        short: None,
        floor: Party { words: Words::new([floor]), sizes: sizes_of_floor, import: None },
        floor_hears: true,
        meter: Words::new([meter(workspace)?]),
        cancels: CANCEL,
        crowds: &[1_000, 10_000],
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn peers(workspace: &Workspace, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    setup::provide(workspace, &[&LIBCURL], &mut Report::new("peers"))?;
    if !setup::is_there(LIBCURL.program) {
        println!("libcurl is left out: it needs {}", LIBCURL.package);
        return Ok(Vec::new());
    }
    let program = home(workspace)?.join("peer-libcurl");
    compile(workspace, &[workspace.root.join(PEER)], "libcurl", &[], &program)?;
    Ok(vec![Peer {
        name: "libcurl",
        party: Party {
            sizes: vec![Size::mb(TOOL, bytes(&program)?, Budget::Nothing)],
            words: Words::new([program]),
            import: None,
        },
        ca_file: ca_file.to_path_buf(),
        issuer_path: "",
        takes_no_interval: true,
        crowds: &[],
    }])
}

/// What measures the library from inside, with the library as it is installed.
fn meter(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let program = home(workspace)?.join("meter");
    let files = fs::read_dir(workspace.root.join(METER))?.map(|entry| Ok(entry?.path()));
    let mut sources = files.collect::<anyhow::Result<Vec<_>>>()?;
    sources.retain(|path| path.extension().is_some_and(|it| it == "c"));
    let mut found_in = OsString::from("-Wl,-rpath,");
    found_in.push(prefix(workspace).join("lib"));
    compile(workspace, &sources, "cli-auth", &["-pthread".into(), "-lm".into(), found_in], &program)?;
    Ok(program)
}

/// Compiles a program with a library that pkg-config knows.
fn compile(
    workspace: &Workspace,
    sources: &[PathBuf],
    library: &str,
    more: &[OsString],
    program: &Path,
) -> anyhow::Result<()> {
    let mut compiler = workspace.command("cc");
    compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(program).args(sources);
    compiler.args(pkg_config(workspace, library)?).args(more);
    in_foreground(compiler)
}

/// What the compiler has to be told of a library.
fn pkg_config(workspace: &Workspace, library: &str) -> anyhow::Result<Vec<String>> {
    let mut command = workspace.command("pkg-config");
    command.args(["--cflags", "--libs", library]);
    command.env("PKG_CONFIG_PATH", prefix(workspace).join("lib").join("pkgconfig"));
    let output = command.output()?;
    ensure!(output.status.success(), "pkg-config: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}

/// Where the library is installed that the example tool was built with.
fn prefix(workspace: &Workspace) -> PathBuf {
    workspace.target.join("c").join("prefix")
}

fn home(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.target.join("bench").join("c");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
