//! The languages that log in, one file each. What differs between them is asked for here and nowhere else.

mod c;
mod go;
mod kotlin;
mod native;
mod python;
mod rust;
mod swift;
mod uniffi;

use std::path::PathBuf;

use crate::examples::Run;
use crate::report::Report;
use crate::setup::{self, Need, Tool};
use crate::workspace::{Profile, Workspace};

pub(crate) use c::{Install, install, write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    C,
    Go,
    Kotlin,
    Swift,
}

/// In the order in which they are built and tested.
pub(crate) const ALL: &[Language] =
    &[FIRST, Language::Python, Language::C, Language::Go, Language::Kotlin, Language::Swift];
/// The one that a command means which takes a single language and got none.
pub(crate) const FIRST: Language = Language::Rust;

impl Language {
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|language| language.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::C => "c",
            Self::Go => "go",
            Self::Kotlin => "kotlin",
            Self::Swift => "swift",
        }
    }

    /// Programs that it needs beyond those of the language-neutral tests.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Rust => &[],
            Self::Python => python::NEEDS,
            Self::C => c::NEEDS,
            Self::Go => go::NEEDS,
            Self::Kotlin => kotlin::NEEDS,
            Self::Swift => swift::NEEDS,
        }
    }

    /// What it needs and this machine still lacks after set-up.
    pub(crate) fn missing(self, workspace: &Workspace) -> Option<String> {
        let lacking = self.needs().iter().find(|need| !setup::is_there(need.program));
        lacking.map(|need| format!("needs {}", need.program)).or_else(|| match self {
            Self::Rust | Self::C => None,
            Self::Python => python::missing(workspace),
            Self::Go => go::missing(workspace),
            Self::Kotlin => kotlin::missing(workspace),
            Self::Swift => swift::missing(workspace),
        })
    }

    /// Tools of the project's own that it needs beyond those of the language-neutral tests.
    pub(crate) fn tools(self) -> &'static [Tool] {
        match self {
            Self::Rust => &[],
            Self::Python => python::TOOLS,
            Self::C => c::TOOLS,
            Self::Go => go::TOOLS,
            Self::Kotlin => kotlin::TOOLS,
            Self::Swift => swift::TOOLS,
        }
    }

    /// Builds the example tool, against what a user of the language installs.
    pub(crate) fn build_example(
        self,
        workspace: &Workspace,
        profile: Profile,
        run: Run,
    ) -> anyhow::Result<()> {
        match self {
            Self::Rust => run(rust::build_example(workspace, profile)),
            Self::Python => python::build_example(workspace, run),
            Self::C => c::build_example(workspace, run),
            Self::Go => go::build_example(workspace, run),
            Self::Kotlin => kotlin::build_example(workspace, run),
            Self::Swift => swift::build_example(workspace, run),
        }
    }

    /// Builds the example tool and the test server in one go, for development.
    pub(crate) fn build_demo(self, workspace: &Workspace, run: Run) -> anyhow::Result<()> {
        match self {
            Self::Rust => run(rust::build_demo(workspace)),
            Self::Python => python::build_demo(workspace, run),
            Self::C => c::build_demo(workspace, run),
            Self::Go => go::build_demo(workspace, run),
            Self::Kotlin => kotlin::build_demo(workspace, run),
            Self::Swift => swift::build_demo(workspace, run),
        }
    }

    /// The words that start the example tool without a launcher's shell.
    pub(crate) fn words(self, workspace: &Workspace, profile: Profile) -> Vec<PathBuf> {
        match self {
            Self::Rust => vec![rust::example(workspace, profile)],
            Self::Python => python::words(workspace),
            Self::C => vec![c::example(workspace)],
            Self::Go => vec![go::example(workspace)],
            Self::Kotlin => vec![kotlin::example(workspace)],
            Self::Swift => swift::words(workspace),
        }
    }

    /// The words that start the release build in a launcher; `$here` is the launcher's folder, `target/login`.
    pub(crate) fn launch(self) -> &'static str {
        match self {
            Self::Rust => rust::LAUNCH,
            Self::Python => python::LAUNCH,
            Self::C => c::LAUNCH,
            Self::Go => go::LAUNCH,
            Self::Kotlin => kotlin::LAUNCH,
            Self::Swift => swift::LAUNCH,
        }
    }

    /// How many of its example tools a test machine starts at once, where that is less than others.
    pub(crate) fn tools_at_once(self) -> Option<u32> {
        // A JVM keeps a processor busy for a tenth of a second before it does anything.
        (self == Self::Kotlin).then_some(8)
    }

    /// Builds what its users install; gives the files, which are in `target/dist`.
    pub(crate) fn package(self, workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
        match self {
            Self::Rust => rust::package(workspace, run),
            Self::Python => python::package(workspace, run),
            Self::C => c::package(workspace, run),
            Self::Go => go::package(workspace, run),
            Self::Kotlin => kotlin::package(workspace, run),
            Self::Swift => swift::package(workspace, run),
        }
    }

    /// What can be checked of its sources alone, beyond what cargo checks.
    pub(crate) fn check(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Rust => Ok(()),
            Self::Python => python::check(workspace, report),
            Self::C => c::check(workspace, report),
            Self::Go => go::check(workspace, report),
            Self::Kotlin => kotlin::check(workspace, report),
            Self::Swift => swift::check(workspace, report),
        }
    }

    /// Its own tests, less those that every language shares. The example tool and the test server are built.
    pub(crate) fn test(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Rust => rust::test(workspace, report),
            Self::Python => python::test(workspace, report),
            Self::C => c::test(workspace, report),
            Self::Go => go::test(workspace, report),
            Self::Kotlin => kotlin::test(workspace, report),
            Self::Swift => swift::test(workspace, report),
        }
    }
}
