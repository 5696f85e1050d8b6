//! C: the example tool with the installed library, the floor program, and a meter in C. The peer is libcurl.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::checkout::{Checkout, succeed};
use super::floor;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;

const METER: &str = "bench/meter/c";
const PEER: &str = "bench/peers/libcurl/peer.c";

const TOOL: &str = "example tool";
const SHARED: &str = "shared library, stripped";

pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("c")?;
    let floor = Words::new([floor::program(checkout)?]);
    let sizes_of_floor = vec![
        Size::mb(SHARED, bytes(&floor::libraries(checkout)?.shared)?, Budget::Nothing),
        Size::of_program(TOOL, &floor, Budget::Nothing)?,
    ];
    Ok(Subject {
        reader: None,
        tool: tool(checkout)?,
        short: None,
        floor: Party { words: floor, sizes: sizes_of_floor, import: None },
        floor_hears: true,
        meter: Words::new([meter(checkout)?]),
        cancels: CANCEL,
        crowds: &[1_000, 10_000],
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    let words = checkout.example("c")?;
    let library = prefix(checkout).join("lib");
    Ok(Party {
        sizes: vec![
            Size::mb(SHARED, bytes(&library.join("libcli_auth.so"))?, Budget::Median(2.2)),
            Size::mb("static library", bytes(&library.join("libcli_auth.a"))?, Budget::Nothing),
            Size::of_program(TOOL, &words, Budget::Nothing)?,
        ],
        words,
        import: None,
    })
}

pub(super) fn peers(checkout: &Checkout, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|directory| directory.join("curl-config").exists()) {
        println!("libcurl is omitted: it needs the Debian package libcurl4-openssl-dev");
        return Ok(Vec::new());
    }
    let program = checkout.work("c")?.join("peer-libcurl");
    compile(checkout, &[checkout.root.join(PEER)], "libcurl", &[], &program)?;
    let words = Words::new([program]);
    Ok(vec![Peer {
        name: "libcurl",
        party: Party { sizes: vec![Size::of_program(TOOL, &words, Budget::Nothing)?], words, import: None },
        ca_file: ca_file.to_path_buf(),
        issuer_path: "",
        takes_no_interval: true,
        crowds: &[],
    }])
}

/// Builds the meter with the installed library.
fn meter(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let program = checkout.work("c")?.join("meter");
    let files = fs::read_dir(checkout.root.join(METER))?.map(|entry| Ok(entry?.path()));
    let mut sources = files.collect::<anyhow::Result<Vec<_>>>()?;
    sources.retain(|path| path.extension().is_some_and(|it| it == "c"));
    let mut found_in = OsString::from("-Wl,-rpath,");
    found_in.push(prefix(checkout).join("lib"));
    compile(checkout, &sources, "cli-auth", &["-pthread".into(), "-lm".into(), found_in], &program)?;
    Ok(program)
}

/// Compiles a program with a library found by pkg-config.
fn compile(
    checkout: &Checkout,
    sources: &[PathBuf],
    library: &str,
    more: &[OsString],
    program: &Path,
) -> anyhow::Result<()> {
    let mut compiler = checkout.command("cc");
    compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(program).args(sources);
    compiler.args(pkg_config(checkout, library)?).args(more);
    succeed(compiler)
}

/// Returns the compiler options for a library.
fn pkg_config(checkout: &Checkout, library: &str) -> anyhow::Result<Vec<String>> {
    let mut command = checkout.command("pkg-config");
    command.args(["--cflags", "--libs", library]);
    command.env("PKG_CONFIG_PATH", prefix(checkout).join("lib").join("pkgconfig"));
    let output = command.output()?;
    ensure!(output.status.success(), "pkg-config: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}

/// The directory of the unpacked library, which exists after the example tool is built.
fn prefix(checkout: &Checkout) -> PathBuf {
    checkout.target.join("c").join("prefix")
}
