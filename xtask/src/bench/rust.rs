//! Rust: the example tool beside `xtask/floor`, measured from inside by `xtask/meter`; the oauth2 crate is the peer.

use std::path::Path;

use super::floor;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::workspace::{Profile, Workspace};

const PEER: &str = "xtask/floor/peers/oauth2/Cargo.toml";
const CROWDS: &[u32] = &[1_000, 10_000];

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    // Without the server: built together with it they would get features of shared packages that only it needs.
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--package", "meter"]);
    in_foreground(cargo)?;
    Language::Rust.build_example(workspace, Profile::Release, in_foreground)?;
    Ok(Subject {
        tool: party(&Language::Rust.example(workspace, Profile::Release))?,
        short: None,
        floor: party(&floor::program(workspace)?)?,
        floor_hears: true,
        meter: Words::new([workspace.binary(Profile::Release, "meter")]),
        cancels: CANCEL,
        crowds: CROWDS,
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn peers(workspace: &Workspace, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let target = workspace.target.join("peers");
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--manifest-path", PEER]);
    cargo.env("CARGO_TARGET_DIR", &target);
    in_foreground(cargo)?;
    let party = party(&target.join("release/peer-oauth2"))?;
    Ok(vec![Peer {
        name: "oauth2 crate",
        party,
        ca_file: ca_file.to_path_buf(),
        issuer_path: "",
        takes_no_interval: true,
        crowds: CROWDS,
    }])
}

fn party(binary: &Path) -> anyhow::Result<Party> {
    Ok(Party {
        words: Words::new([binary]),
        sizes: vec![Size::mb("release binary", bytes(binary)?, Budget::Nothing)],
        import: None,
    })
}
