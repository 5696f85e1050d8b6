//! Rust: the example tool beside `xtask/floor`, measured from inside by `xtask/meter`; the oauth2 crate is the peer.

use std::fs;
use std::path::Path;

use super::subject::{Budgets, Party, Peer, Size, Subject, Words};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::workspace::{Profile, Workspace};

const PEER: &str = "xtask/floor/peers/oauth2/Cargo.toml";
const CROWDS: &[u32] = &[1_000, 10_000];

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    // Without the server: built together with it they would get features of shared packages that only it needs.
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--package", "floor", "--package", "meter"]);
    in_foreground(cargo)?;
    Language::Rust.build_example(workspace, Profile::Release, in_foreground)?;
    Ok(Subject {
        tool: party(&Language::Rust.example(workspace, Profile::Release))?,
        short: None,
        floor: party(&workspace.binary(Profile::Release, "floor"))?,
        floor_hears: true,
        meter: Words::new([workspace.binary(Profile::Release, "meter")]),
        crowds: CROWDS,
        budgets: Budgets {
            start: Budget::Times(1.5),
            memory: Budget::Nothing,
            interrupt: Budget::Median(10.0),
            poll: Budget::Median(150.0),
            // Those of the largest crowd, for any.
            crowd_cpu: Budget::Median(8.0),
            crowd_memory: Budget::Median(120.0),
        },
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
        crowds: CROWDS,
    }])
}

fn party(binary: &Path) -> anyhow::Result<Party> {
    let bytes = f64::from(u32::try_from(fs::metadata(binary)?.len())?);
    Ok(Party {
        words: Words::new([binary]),
        sizes: vec![Size::mb("release binary", bytes, Budget::Nothing)],
        import: None,
    })
}
