//! Runs the benchmarks. They are a separate workspace so that other commands do not compile them.

use std::path::PathBuf;

use crate::lang::Language;
use crate::process;
use crate::workspace::Workspace;

/// The directory of that workspace.
pub(crate) const MANIFEST: &str = "bench/Cargo.toml";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) languages: Vec<Language>,
    /// Measure other clients too.
    pub(crate) peers: bool,
    /// Another checkout whose example tools are measured for comparison.
    pub(crate) against: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    let mut cargo = workspace.cargo("run");
    cargo.args(["--quiet", "--locked", "--manifest-path", MANIFEST, "--"]);
    cargo.args(options.languages.iter().map(|language| language.name()));
    if options.peers {
        cargo.arg("--peers");
    }
    if let Some(checkout) = &options.against {
        // The path is relative to the caller's directory.
        cargo.arg("--against").arg(std::path::absolute(checkout)?);
    }
    process::run_in_foreground(&mut cargo)
}

#[cfg(test)]
mod tests {
    const OURS: &str = include_str!("../../Cargo.toml");
    const THEIRS: &str = include_str!("../../bench/Cargo.toml");

    /// Returns the tables of lints and profiles.
    fn shared(manifest: &str) -> Vec<&str> {
        let mut shared = false;
        let lines = manifest.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .filter(|line| {
                if line.starts_with('[') {
                    shared = line.starts_with("[workspace.lints.") || line.starts_with("[profile.");
                }
                shared
            })
            .collect()
    }

    /// Cargo cannot inherit lints and profiles from another workspace.
    #[test]
    fn the_benchmarks_use_the_lints_and_profiles_of_the_project() {
        assert!(shared(OURS).len() > 10);
        assert_eq!(shared(OURS), shared(THEIRS));
    }
}
