//! The measured languages, one file each. All differences between them are behind this module.

use std::path::Path;

use super::checkout::Checkout;
use super::subject::{Party, Peer, Subject};
use super::{c, golang, kotlin, python, rust, swift};

/// What each language implements.
#[derive(Debug)]
pub(super) struct Language {
    pub(super) name: &'static str,
    /// Builds the measured programs.
    pub(super) subject: fn(&Checkout) -> anyhow::Result<Subject>,
    /// Returns the example tool of a checkout in which it is already built.
    pub(super) tool: fn(&Checkout) -> anyhow::Result<Party>,
    /// Builds other clients. Those that read all trusted roots from one file get one that includes the given file.
    pub(super) peers: fn(&Checkout, &Path) -> anyhow::Result<Vec<Peer>>,
}

/// All languages in the order in which they are measured.
pub(super) const ALL: &[Language] = &[
    Language { name: "rust", subject: rust::subject, tool: rust::tool, peers: rust::peers },
    Language { name: "python", subject: python::subject, tool: python::tool, peers: python::peers },
    Language { name: "c", subject: c::subject, tool: c::tool, peers: c::peers },
    Language { name: "go", subject: golang::subject, tool: golang::tool, peers: golang::peers },
    // No library for the JVM implements the device flow as a client.
    Language { name: "kotlin", subject: kotlin::subject, tool: kotlin::tool, peers: none },
    // No client for Swift with the device flow was found that runs on Linux.
    Language { name: "swift", subject: swift::subject, tool: swift::tool, peers: none },
];

fn none(_: &Checkout, _: &Path) -> anyhow::Result<Vec<Peer>> {
    Ok(Vec::new())
}
