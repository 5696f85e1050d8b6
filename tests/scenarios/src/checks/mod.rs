//! Compares the observations with the expectations of a case and with the rules for every case.

pub(crate) mod contract;
mod events;
mod outcome;
mod output;
mod pacing;
mod wire;

use std::fmt::{self, Display};

use crate::case::Case;
use crate::play::Seen;

/// One deviation from an expectation or a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    what: String,
    expected: String,
    seen: String,
}

impl Fault {
    pub(crate) fn new(what: impl Display, expected: impl Display, seen: impl Display) -> Self {
        Self { what: what.to_string(), expected: expected.to_string(), seen: seen.to_string() }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, saw {}", self.what, self.expected, self.seen)
    }
}

/// Returns every fault of one run.
pub(crate) fn faults(case: &Case, seen: &Seen) -> Vec<Fault> {
    let mut faults = outcome::check(case, seen);
    faults.extend(events::check(case, seen));
    faults.extend(pacing::check(case, seen));
    faults.extend(wire::check(case, seen));
    faults.extend(output::check(case, seen));
    faults
}

#[cfg(test)]
mod made_up;
