//! Builds what users install, in `target/dist`.

use std::fs;

use crate::examples::in_foreground;
use crate::lang::Language;
use crate::workspace::Workspace;

/// Builds the packages of each language.
pub(crate) fn run(workspace: &Workspace, languages: &[Language]) -> anyhow::Result<u8> {
    fs::create_dir_all(workspace.dist())?;
    let mut files = Vec::new();
    for language in languages {
        files.extend(language.package(workspace, in_foreground)?);
    }
    for file in files {
        println!("{}", workspace.short(&file));
    }
    Ok(0)
}
