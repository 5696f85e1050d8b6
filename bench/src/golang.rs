//! Go: the example tool, the floor with cgo and a static library, and a meter in Go. The peers are net/http,
//! golang.org/x/oauth2 and github.com/cli/oauth.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::checkout::{Checkout, succeed};
use super::floor;
use super::subject::{Budgets, Cancel, Party, Peer, Size, Subject, Words};
use super::table::Budget;

const FLOOR: &str = "bench/floor/go";
const METER: &str = "bench/meter/go";
const PEERS: &str = "bench/peers/go";
/// The path in the meter's go.mod to the module in the source tree, which lacks the library.
const MODULE_IN_THE_TREE: &str = "../../../bindings/go";

const CROWDS: &[u32] = &[1_000, 10_000];
const CANCELS: &[Cancel] =
    &[Cancel { what: "Cancel()", word: "cancel" }, Cancel { what: "the context's end", word: "context" }];

pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("go")?;
    Ok(Subject {
        reader: None,
        tool: tool(checkout)?,
        short: None,
        floor: party(Words::new([beside(checkout)?]))?,
        floor_hears: true,
        meter: Words::new([meter(checkout)?]),
        cancels: CANCELS,
        crowds: CROWDS,
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    party(checkout.example("go")?)
}

pub(super) fn peers(checkout: &Checkout, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let peer = |name, directory, takes_no_interval, crowds| -> anyhow::Result<Peer> {
        let program = checkout.work("go")?.join(directory);
        build(checkout, PEERS, &format!("./{directory}"), &program, |_| ())?;
        let party = party(Words::new([program]))?;
        Ok(Peer { name, party, ca_file: ca_file.to_path_buf(), issuer_path: "", takes_no_interval, crowds })
    };
    Ok(vec![
        peer("net/http", "net-http", true, &[])?,
        // It treats an interval of 0 like a missing one, which means 5 s.
        peer("x/oauth2", "x-oauth2", false, CROWDS)?,
        peer("cli/oauth", "cli-oauth", true, CROWDS)?,
    ])
}

/// Builds a cgo program with the floor library.
fn beside(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let archive = floor::libraries(checkout)?.archive;
    let program = checkout.work("go")?.join("floor");
    let mut directory = OsString::from("-L");
    directory.push(archive.parent().unwrap_or(&archive));
    // The go command does not check libraries for changes; only changed flags make it link again.
    let mut hash = DefaultHasher::new();
    fs::read(&archive)?.hash(&mut hash);
    build(checkout, FLOOR, ".", &program, |go| {
        go.env("CGO_LDFLAGS", directory).env("CGO_CFLAGS", format!("-O2 -DLIBRARY={:x}", hash.finish()));
    })?;
    Ok(program)
}

/// Builds the meter with the module that users get.
fn meter(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    let directory = checkout.work("go")?;
    let (program, go_mod) = (directory.join("meter"), directory.join("meter.mod"));
    let text = fs::read_to_string(checkout.root.join(METER).join("go.mod"))?;
    ensure!(text.contains(MODULE_IN_THE_TREE), "the go.mod of the meter does not replace the module");
    // The directory of the unpacked module, which exists after the example tool is built.
    let packed = checkout.target.join("go").join("module").join("cliauth");
    fs::write(&go_mod, text.replace(MODULE_IN_THE_TREE, &packed.to_string_lossy()))?;
    build(checkout, METER, ".", &program, |go| {
        go.arg("-modfile").arg(go_mod);
    })?;
    Ok(program)
}

fn build(
    checkout: &Checkout,
    directory: &str,
    package: &str,
    program: &Path,
    change: impl FnOnce(&mut Command),
) -> anyhow::Result<()> {
    let mut go = checkout.command("go");
    go.env("GOWORK", "off").env("CGO_ENABLED", "1");
    for name in ["GOOS", "GOARCH", "GOEXPERIMENT", "CGO_CFLAGS", "CGO_LDFLAGS"] {
        go.env_remove(name);
    }
    go.current_dir(checkout.root.join(directory));
    go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]).arg(program);
    change(&mut go);
    go.arg(package);
    succeed(go)
}

fn party(words: Words) -> anyhow::Result<Party> {
    Ok(Party {
        sizes: vec![Size::of_program("program, stripped", &words, Budget::Nothing)?],
        words,
        import: None,
    })
}
