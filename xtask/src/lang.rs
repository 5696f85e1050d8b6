//! The supported languages, one file each. All differences between them are behind this module.

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

/// All languages in the order in which they are built and tested.
pub(crate) const ALL: &[Language] =
    &[FIRST, Language::Python, Language::C, Language::Go, Language::Kotlin, Language::Swift];
/// The default for commands that take a single language.
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

    /// Returns a requirement that this machine still lacks after set-up.
    pub(crate) fn missing(self) -> Option<String> {
        let lacking = self.needs().iter().find(|need| !setup::is_there(need.program));
        lacking.map(|need| format!("needs {}", need.program))
    }

    /// Builds the example tool with the package that users install.
    pub(crate) fn build_example(
        self,
        workspace: &Workspace,
        profile: Profile,
        run: Run,
    ) -> anyhow::Result<()> {
        (self.parts().build_example)(workspace, profile, run)
    }

    /// Returns whether `cargo build --workspace` builds its example tool.
    pub(crate) fn is_in_workspace(self) -> bool {
        self == Self::Rust
    }

    /// Builds the example tool and the test server, for development.
    pub(crate) fn build_demo(self, workspace: &Workspace, run: Run) -> anyhow::Result<()> {
        let mut cargo = workspace.cargo("build");
        cargo.args(["--locked", "--package", "authserver"]);
        if self.is_in_workspace() {
            // One call for both: two calls would compile shared dependencies twice, with different features.
            return run(rust::add_example(cargo, Profile::Debug));
        }
        run(cargo)?;
        self.build_example(workspace, Profile::Release, run)
    }

    /// Returns the command line that starts the built example tool.
    pub(crate) fn words(self, workspace: &Workspace, profile: Profile) -> Vec<PathBuf> {
        (self.parts().words)(workspace, profile)
    }

    /// Returns how many example tools run in parallel during tests, if that is fewer than by default.
    pub(crate) fn tools_at_once(self) -> Option<u32> {
        // A JVM occupies a processor for a tenth of a second at its start.
        (self == Self::Kotlin).then_some(8)
    }

    /// Returns whether the example tool can store logins.
    pub(crate) fn has_sessions(self) -> bool {
        self == Self::Rust
    }

    /// Builds the packages that users install, and returns their paths in `target/dist`.
    pub(crate) fn package(self, workspace: &Workspace, run: Run) -> anyhow::Result<Vec<PathBuf>> {
        (self.parts().package)(workspace, run)
    }

    /// Runs the checks that need only its sources and that cargo does not cover.
    pub(crate) fn check(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        (self.parts().check)(workspace, report)
    }

    /// Runs its own tests, without those that all languages share. The example tool and the test server must be built.
    pub(crate) fn test(self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        (self.parts().test)(workspace, report)
    }
}

type Step = fn(&Workspace, &mut Report) -> anyhow::Result<()>;

/// What each language implements; [`Language`] documents the methods.
struct Parts {
    name: &'static str,
    /// Programs that the language needs beyond those of the language-neutral tests.
    needs: &'static [Need],
    /// Tools under `target/tools` that the language needs beyond those of the language-neutral tests.
    tools: &'static [Tool],
    build_example: fn(&Workspace, Profile, Run) -> anyhow::Result<()>,
    words: fn(&Workspace, Profile) -> Vec<PathBuf>,
    package: fn(&Workspace, Run) -> anyhow::Result<Vec<PathBuf>>,
    check: Step,
    test: Step,
}
