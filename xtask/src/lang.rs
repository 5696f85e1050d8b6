//! The languages that log in, one file each. What differs between them is asked for here and nowhere else.

mod rust;

use std::path::PathBuf;
use std::process::Command;

use crate::report::Report;
use crate::setup::Need;
use crate::workspace::{Profile, Workspace};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
}

/// In the order in which they are built and tested.
pub(crate) const ALL: &[Language] = &[FIRST];
/// The one that a command means which takes a single language and got none.
pub(crate) const FIRST: Language = Language::Rust;

impl Language {
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|language| language.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
        }
    }

    /// Programs that its tests need beyond those of the language-neutral tests.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Rust => &[],
        }
    }

    /// Builds the example tool.
    pub(crate) fn build_example(self, workspace: &Workspace, profile: Profile) -> Command {
        match self {
            Self::Rust => rust::build_example(workspace, profile),
        }
    }

    /// Builds the example tool and the test server in one go, for development.
    pub(crate) fn build_demo(self, workspace: &Workspace) -> Vec<Command> {
        match self {
            Self::Rust => vec![rust::build_demo(workspace)],
        }
    }

    /// The example tool, once it is built.
    pub(crate) fn example(self, workspace: &Workspace, profile: Profile) -> PathBuf {
        match self {
            Self::Rust => rust::example(workspace, profile),
        }
    }

    /// The words that start the release build in a launcher; `$here` is the launcher's folder, `target/login`.
    pub(crate) fn launch(self) -> &'static str {
        match self {
            Self::Rust => rust::LAUNCH,
        }
    }

    /// Its own tests, less those that every language shares.
    pub(crate) fn test(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Rust => rust::test(workspace, report),
        }
    }
}
