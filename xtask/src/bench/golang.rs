//! Go: the example tool beside cgo and a static library, measured from inside by a program in Go. Beside them net/http by hand,
//! golang.org/x/oauth2 and github.com/cli/oauth.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::floor;
use super::subject::{Budgets, Cancel, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::{self, Language};
use crate::workspace::{Profile, Workspace};

const FLOOR: &str = "xtask/floor/go";
const METER: &str = "xtask/meter/go";
const PEERS: &str = "xtask/floor/peers/go";
/// What its go.mod says of the module, which in the source tree lacks the library.
const MODULE_IN_THE_TREE: &str = "../../../bindings/go";

const CROWDS: &[u32] = &[1_000, 10_000];
const CANCELS: &[Cancel] =
    &[Cancel { what: "Cancel()", word: "cancel" }, Cancel { what: "the context's end", word: "context" }];

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    Language::Go.build_example(workspace, Profile::Release, in_foreground)?;
    Ok(Subject {
        tool: party(Language::Go.example(workspace, Profile::Release))?,
        short: None,
        floor: party(beside(workspace)?)?,
        floor_hears: true,
        meter: Words::new([meter(workspace)?]),
        cancels: CANCELS,
        crowds: CROWDS,
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn peers(workspace: &Workspace, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let peer = |name, folder, takes_no_interval, crowds| -> anyhow::Result<Peer> {
        let program = home(workspace)?.join(folder);
        build(workspace, PEERS, &format!("./{folder}"), &program, |_| ())?;
        let ca_file = ca_file.to_path_buf();
        Ok(Peer { name, party: party(program)?, ca_file, issuer_path: "", takes_no_interval, crowds })
    };
    Ok(vec![
        peer("net/http", "net-http", true, &[])?,
        // It takes an interval of 0 for none, which is 5.
        peer("x/oauth2", "x-oauth2", false, CROWDS)?,
        peer("cli/oauth", "cli-oauth", true, CROWDS)?,
    ])
}

/// cgo and the library of the floor.
fn beside(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let archive = floor::libraries(workspace)?.archive;
    let program = home(workspace)?.join("floor");
    let mut folder = OsString::from("-L");
    folder.push(archive.parent().unwrap_or(&archive));
    // The go command does not look at libraries: only other flags make it link again.
    let mut hash = DefaultHasher::new();
    fs::read(&archive)?.hash(&mut hash);
    build(workspace, FLOOR, ".", &program, |go| {
        go.env("CGO_LDFLAGS", folder).env("CGO_CFLAGS", format!("-O2 -DLIBRARY={:x}", hash.finish()));
    })?;
    Ok(program)
}

/// What measures the package from inside, with the module as users get it.
fn meter(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = home(workspace)?;
    let (program, go_mod) = (folder.join("meter"), folder.join("meter.mod"));
    let text = fs::read_to_string(workspace.root.join(METER).join("go.mod"))?;
    ensure!(text.contains(MODULE_IN_THE_TREE), "the meter does not replace the module");
    fs::write(&go_mod, text.replace(MODULE_IN_THE_TREE, &lang::go_module(workspace).to_string_lossy()))?;
    build(workspace, METER, ".", &program, |go| {
        go.arg("-modfile").arg(go_mod);
    })?;
    Ok(program)
}

fn build(
    workspace: &Workspace,
    folder: &str,
    package: &str,
    program: &Path,
    change: impl FnOnce(&mut Command),
) -> anyhow::Result<()> {
    let mut go = lang::go_command(workspace)?;
    go.current_dir(workspace.root.join(folder));
    go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]).arg(program);
    change(&mut go);
    go.arg(package);
    in_foreground(go)
}

fn party(program: PathBuf) -> anyhow::Result<Party> {
    Ok(Party {
        sizes: vec![Size::mb("program, stripped", bytes(&program)?, Budget::Nothing)],
        words: Words::new([program]),
        import: None,
    })
}

fn home(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.target.join("bench").join("go");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
