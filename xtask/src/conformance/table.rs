//! Renders the page.

use std::fmt::Write;

use super::proofs::Proofs;
use super::requirements::Requirement;

const INTRODUCTION: &str = "\
# Conformance

The requirements that standards and practice place on a client, and the tests that prove them. This page is generated
from the tests by `cargo xtask check --write`; do not edit it. A scenario is a case in `tests/scenarios/cases`, run with
the example tool of every language. A document is named if a requirement is fulfilled by documentation.

";

pub(super) fn render(requirements: &[Requirement], proofs: &Proofs) -> String {
    let mut page = INTRODUCTION.to_owned();
    let proved = requirements.iter().filter(|one| proofs.contains_key(&one.id)).count();
    let open = requirements.iter().filter(|one| one.open.is_some()).count();
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{} requirements: {proved} proved, {open} open.", requirements.len());
    let mut group = "";
    for requirement in requirements {
        if requirement.group != group {
            group = &requirement.group;
            let _ = write!(page, "\n## {group}\n\n| id | requirement | proved by |\n| --- | --- | --- |\n");
        }
        let by = match (proofs.get(&requirement.id), &requirement.open) {
            (Some(tests), _) => tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join("<br>"),
            (None, Some(why)) => format!("open: {}", cell(why)),
            (None, None) => "nothing".to_owned(),
        };
        let _ = writeln!(page, "| {} | {} | {by} |", requirement.id, cell(&requirement.text));
    }
    page
}

/// Escapes text for a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_counts_and_groups() {
        let requirement = |id: &str, group: &str, open: Option<&str>| Requirement {
            id: id.to_owned(),
            group: group.to_owned(),
            text: "say a|b".to_owned(),
            open: open.map(str::to_owned),
        };
        let requirements = [
            requirement("R1-1", "RFC 1", None),
            requirement("R1-2", "RFC 1", Some("later")),
            requirement("P5-01", "Practice", None),
        ];
        let proofs =
            Proofs::from([("R1-1".to_owned(), vec!["scenario x".to_owned(), "src/a.rs: y".to_owned()])]);
        let page = render(&requirements, &proofs);
        assert!(page.contains("3 requirements: 1 proved, 1 open."));
        assert!(page.contains("\n## RFC 1\n") && page.contains("\n## Practice\n"));
        assert!(page.contains("| R1-1 | say a\\|b | `scenario x`<br>`src/a.rs: y` |\n"));
        assert!(page.contains("| R1-2 | say a\\|b | open: later |\n"));
    }
}
