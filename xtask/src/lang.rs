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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    fn parts(self) -> &'static Parts {
        match self {
            Self::Rust => &rust::PARTS,
            Self::Python => &python::PARTS,
            Self::C => &c::PARTS,
            Self::Go => &go::PARTS,
            Self::Kotlin => &kotlin::PARTS,
            Self::Swift => &swift::PARTS,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.parts().name
    }

    pub(crate) fn needs(self) -> &'static [Need] {
        self.parts().needs
    }

    pub(crate) fn tools(self) -> &'static [Tool] {
        self.parts().tools
    }

    /// What it needs and this machine still lacks after set-up.
    pub(crate) fn missing(self) -> Option<String> {
        let lacking = self.needs().iter().find(|need| !setup::is_there(need.program));
        lacking.map(|need| format!("needs {}", need.program))
    }

    /// Builds the example tool, against what a user of the language installs.
    pub(crate) fn build_example(
        self,
        workspace: &Workspace,
        profile: Profile,
        run: Run,
    ) -> anyhow::Result<()> {
        (self.parts().build_example)(workspace, profile, run)
    }

    /// Whether `cargo build --workspace` builds its example tool.
    pub(crate) fn is_in_workspace(self) -> bool {
        self == Self::Rust
    }

    /// Builds the example tool and the test server, for development.
    pub(crate) fn build_demo(self, workspace: &Workspace, run: Run) -> anyhow::Result<()> {
        let mut cargo = workspace.cargo("build");
        cargo.args(["--locked", "--package", "authserver"]);
        if self.is_in_workspace() {
            // One call for both: two calls would compile what they share twice, with different features.
            return run(rust::add_example(cargo, Profile::Debug));
        }
        run(cargo)?;
        self.build_example(workspace, Profile::Release, run)
    }

    /// The words that start the example tool, once it is built.
    pub(crate) fn words(self, workspace: &Workspace, profile: Profile) -> Vec<PathBuf> {
        (self.parts().words)(workspace, profile)
    }

    /// How many of its example tools a test machine starts at once, where that is less than others.
    pub(crate) fn tools_at_once(self) -> Option<u32> {
        // A JVM keeps a processor busy for a tenth of a second before it does anything.
        (self == Self::Kotlin).then_some(8)
    }

    /// Builds what its users install; gives the files, which are in `target/dist`.
    pub(crate) fn package(self, workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
        (self.parts().package)(workspace, run)
    }

    /// What can be checked of its sources alone, beyond what cargo checks.
    pub(crate) fn check(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        (self.parts().check)(workspace, report)
    }

    /// Its own tests, less those that every language shares. The example tool and the test server are built.
    pub(crate) fn test(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        (self.parts().test)(workspace, report)
    }
}

type Step = fn(&Workspace, &mut Report) -> anyhow::Result<()>;

/// What differs between the languages; [`Language`] says what each is.
struct Parts {
    name: &'static str,
    /// Programs that it needs beyond those of the language-neutral tests.
    needs: &'static [Need],
    /// Tools of the project's own that it needs beyond those of the language-neutral tests.
    tools: &'static [Tool],
    build_example: fn(&Workspace, Profile, Run) -> anyhow::Result<()>,
    words: fn(&Workspace, Profile) -> Vec<PathBuf>,
    package: fn(&Workspace, Run) -> anyhow::Result<Vec<PathBuf>>,
    check: Step,
    test: Step,
}
