//! The measured programs of a language, and their budgets.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::samples::Samples;
use super::table::{Budget, Row};

/// A program with its leading arguments.
#[derive(Debug, Clone)]
pub(super) struct Words(Vec<OsString>);

impl Words {
    pub(super) fn new(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        Self(words.into_iter().map(|word| word.as_ref().to_owned()).collect())
    }

    /// Adds an argument.
    pub(super) fn and(mut self, word: impl Into<OsString>) -> Self {
        self.0.push(word.into());
        self
    }

    pub(super) fn first(&self) -> Option<&OsStr> {
        self.0.first().map(OsString::as_os_str)
    }

    pub(super) fn last(&self) -> Option<&OsStr> {
        self.0.last().map(OsString::as_os_str)
    }

    /// Replaces the last argument.
    pub(super) fn with_last(&self, word: impl Into<OsString>) -> Self {
        let mut words = self.clone();
        words.0.pop();
        words.and(word)
    }

    pub(super) fn command(&self) -> Command {
        let mut words = self.0.iter();
        let mut command = Command::new(words.next().map(OsString::as_os_str).unwrap_or_default());
        command.args(words);
        command
    }
}

/// A measured program, or one for comparison.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) words: Words,
    pub(super) sizes: Vec<Size>,
    /// In a language that loads libraries at run time: a program that imports the library and prints the cost.
    pub(super) import: Option<Words>,
}

/// A size on a user's disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) what: &'static str,
    pub(super) unit: &'static str,
    pub(super) value: f64,
    pub(super) budget: Budget,
}

impl Size {
    pub(super) fn mb(what: &'static str, bytes: f64, budget: Budget) -> Self {
        Self { what, unit: "MB", value: bytes / 1e6, budget }
    }

    /// Returns the size of the program in `words`.
    pub(super) fn of_program(what: &'static str, words: &Words, budget: Budget) -> anyhow::Result<Self> {
        Ok(Self::mb(what, bytes(words.first().unwrap_or_default().as_ref())?, budget))
    }
}

/// Returns the size of a file, following links.
pub(super) fn bytes(path: &Path) -> anyhow::Result<f64> {
    let length = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    Ok(f64::from(u32::try_from(length)?))
}

/// Pairs each size of `ours` with the one of the same name.
pub(super) fn sizes(ours: &Party, beside: &Party) -> Vec<Row> {
    let row = |size: &Size| {
        let other = beside.sizes.iter().find(|other| other.what == size.what);
        Row {
            what: size.what.to_owned(),
            unit: size.unit,
            ours: Samples::one(size.value),
            beside: other.map(|other| Samples::one(other.value)).unwrap_or_default(),
            budget: size.budget,
        }
    };
    ours.sizes.iter().map(row).collect()
}

/// The programs and properties of one language.
#[derive(Debug)]
pub(super) struct Subject {
    /// The example tool from `cargo xtask examples`, started without the launcher's shell.
    pub(super) tool: Party,
    /// A minimal login program, if the rest of the example tool costs as much as the library. Takes `URL CA_FILE`.
    pub(super) short: Option<Words>,
    /// Takes `URL CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]`.
    pub(super) floor: Party,
    /// Whether Ctrl-C ends the floor while a request is in flight.
    pub(super) floor_hears: bool,
    /// Takes the arguments of `bench/meter`.
    pub(super) meter: Words,
    /// The ways to cancel a login.
    pub(super) cancels: &'static [Cancel],
    /// The numbers of simultaneous logins to measure.
    pub(super) crowds: &'static [u32],
    pub(super) budgets: Budgets,
    /// A program that prints a line of the file in its argument. `None` if the example tool has no sessions.
    pub(super) reader: Option<PathBuf>,
}

/// One way to cancel a login.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) what: &'static str,
    /// The meter's argument for it.
    pub(super) word: &'static str,
}

/// The way that every language has.
pub(super) const CANCEL: &[Cancel] = &[Cancel { what: "cancel()", word: "cancel" }];

/// The budgets that differ between languages. The others are defined with their measures.
#[derive(Debug)]
pub(super) struct Budgets {
    pub(super) start: Budget,
    pub(super) memory: Budget,
    pub(super) interrupt: Budget,
    pub(super) poll: Budget,
    pub(super) crowd_cpu: Budget,
    pub(super) crowd_memory: Budget,
}

impl Budgets {
    /// The budgets of compiled programs.
    pub(super) const NATIVE: Self = Self {
        start: Budget::Times(1.5),
        memory: Budget::Nothing,
        interrupt: Budget::Median(10.0),
        poll: Budget::Median(150.0),
        // The budgets of the largest crowd apply to any size.
        crowd_cpu: Budget::Median(8.0),
        crowd_memory: Budget::Median(120.0),
    };
}

/// Another client of the same protocol. Takes `URL CA_FILE`, and `crowd URL CA_FILE LOGINS` if it supports crowds.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) party: Party,
    /// The certificate file that it must trust.
    pub(super) ca_file: PathBuf,
    /// The path that its issuer must have.
    pub(super) issuer_path: &'static str,
    /// Whether it polls without a pause if the server sends an interval of 0.
    pub(super) takes_no_interval: bool,
    pub(super) crowds: &'static [u32],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(sizes: &[(&'static str, f64)]) -> Party {
        let sizes = sizes.iter().map(|(what, bytes)| Size::mb(what, *bytes, Budget::Nothing)).collect();
        Party { words: Words::new(["true"]), sizes, import: None }
    }

    #[test]
    fn sizes_are_paired_by_name() {
        let (ours, theirs) = (party(&[("a", 2e6), ("b", 3e6)]), party(&[("b", 1e6), ("c", 5e6)]));
        let rows = sizes(&ours, &theirs);
        let told: Vec<_> =
            rows.iter().map(|row| (row.what.as_str(), row.ours.median(), row.beside.median())).collect();
        assert_eq!(told, [("a", Some(2.0), None), ("b", Some(3.0), Some(1.0))]);
    }
}
