//! `docs/conformance.md`: which test proves which requirement. Generated from the tests, so that it cannot claim more.

mod proofs;
mod requirements;
mod table;

use std::fs;

use anyhow::Context;

use crate::report::Outcome;
use crate::workspace::Workspace;

const FILE: &str = "docs/conformance.md";

/// Writes the table, and reports faults in its sources on standard error.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let (text, faults) = make(workspace)?;
    for fault in faults {
        eprintln!("{fault}");
    }
    let path = workspace.root.join(FILE);
    fs::create_dir_all(path.parent().context("the file has no parent directory")?)?;
    fs::write(&path, text)?;
    println!("wrote {FILE}");
    Ok(())
}

/// Checks that the committed table is current, and that every requirement is proved or open.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let (text, mut faults) = make(workspace)?;
    let committed = fs::read_to_string(workspace.root.join(FILE)).unwrap_or_default();
    if committed != text {
        faults.push(format!("{FILE} is not current; run `cargo xtask check --write`"));
    }
    Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("\n")) })
}

fn make(workspace: &Workspace) -> anyhow::Result<(String, Vec<String>)> {
    let requirements = requirements::read(&workspace.root)?;
    let (proofs, mut faults) = proofs::collect(&workspace.root)?;
    let text = table::render(&requirements, &proofs);
    faults.extend(requirements::faults(&requirements, &proofs));
    Ok((text, faults))
}
