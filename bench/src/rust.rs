//! Rust: the example tool, `bench/floor` and `bench/meter`. The peer is the oauth2 crate.

use std::path::Path;

use super::checkout::{Checkout, succeed};
use super::floor;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words};
use super::table::Budget;

const PEER: &str = "bench/peers/oauth2/Cargo.toml";
const CROWDS: &[u32] = &[1_000, 10_000];

pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("rust")?;
    let reader = floor::program(checkout)?.with_file_name("reader");
    Ok(Subject {
        reader: Some(reader),
        tool: tool(checkout)?,
        short: None,
        floor: party(Words::new([floor::program(checkout)?]))?,
        floor_hears: true,
        meter: Words::new([checkout.build("meter")?]),
        cancels: CANCEL,
        crowds: CROWDS,
        budgets: Budgets::NATIVE,
    })
}

pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    party(checkout.example("rust")?)
}

pub(super) fn peers(checkout: &Checkout, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let target = checkout.work("peers")?;
    let mut cargo = checkout.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--manifest-path", PEER]);
    cargo.env("CARGO_TARGET_DIR", &target);
    succeed(cargo)?;
    Ok(vec![Peer {
        name: "oauth2 crate",
        party: party(Words::new([target.join("release/peer-oauth2")]))?,
        ca_file: ca_file.to_path_buf(),
        issuer_path: "",
        takes_no_interval: true,
        crowds: CROWDS,
    }])
}

fn party(words: Words) -> anyhow::Result<Party> {
    Ok(Party {
        sizes: vec![Size::of_program("release binary", &words, Budget::Nothing)?],
        words,
        import: None,
    })
}
