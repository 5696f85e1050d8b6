//! The languages that are measured, one file each. What differs between them is asked for here and nowhere else.

use std::path::Path;

use super::checkout::Checkout;
use super::subject::{Party, Peer, Subject};
use super::{c, golang, kotlin, python, rust, swift};

/// One language.
#[derive(Debug)]
pub(super) struct Language {
    pub(super) name: &'static str,
    /// Builds what is measured.
    pub(super) subject: fn(&Checkout) -> anyhow::Result<Subject>,
    /// The example tool of a checkout where it is already built.
    pub(super) tool: fn(&Checkout) -> anyhow::Result<Party>,
    /// Builds other clients. Those that take one file with every root they trust get one that includes the given file.
    pub(super) peers: fn(&Checkout, &Path) -> anyhow::Result<Vec<Peer>>,
}

/// In the order in which they are measured.
pub(super) const ALL: &[Language] = &[
    Language { name: "rust", subject: rust::subject, tool: rust::tool, peers: rust::peers },
    Language { name: "python", subject: python::subject, tool: python::tool, peers: python::peers },
    Language { name: "c", subject: c::subject, tool: c::tool, peers: c::peers },
    Language { name: "go", subject: golang::subject, tool: golang::tool, peers: golang::peers },
    // There is no library of its own for the JVM that does this.
    Language { name: "kotlin", subject: kotlin::subject, tool: kotlin::tool, peers: none },
    // No client for Swift was found that does this on Linux.
    Language { name: "swift", subject: swift::subject, tool: swift::tool, peers: none },
];

fn none(_: &Checkout, _: &Path) -> anyhow::Result<Vec<Peer>> {
    Ok(Vec::new())
}
