//! What is measured: the programs that a language brings, and what they may cost.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::samples::Samples;
use super::table::{Budget, Row};

/// A program with the words that it is always given.
#[derive(Debug, Clone)]
pub(super) struct Words(Vec<OsString>);

impl Words {
    pub(super) fn new(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        Self(words.into_iter().map(|word| word.as_ref().to_owned()).collect())
    }

    /// With one word more.
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

    /// With another word in place of the last one.
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

/// One that is measured, or beside which is measured.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) words: Words,
    pub(super) sizes: Vec<Size>,
    /// In a language that loads libraries at run time: imports what it stands on, and tells what that took.
    pub(super) import: Option<Words>,
}

/// What lies on the disk of somebody who uses it.
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

    /// That of the program which `words` start.
    pub(super) fn of_program(what: &'static str, words: &Words, budget: Budget) -> anyhow::Result<Self> {
        Ok(Self::mb(what, bytes(words.first().unwrap_or_default().as_ref())?, budget))
    }
}

/// The size of a file, or of the one that a link stands for.
pub(super) fn bytes(path: &Path) -> anyhow::Result<f64> {
    let length = fs::metadata(path).with_context(|| format!("no {}", path.display()))?.len();
    Ok(f64::from(u32::try_from(length)?))
}

/// Each size of `ours` beside the one of the same name.
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

/// What one language brings.
#[derive(Debug)]
pub(super) struct Subject {
    /// The example tool, as `cargo xtask examples` leaves it, started without the launcher's shell.
    pub(super) tool: Party,
    /// Where what a tool has around it costs as much as the library: a login in ten lines. Takes `URL CA_FILE`.
    pub(super) short: Option<Words>,
    /// Takes `URL CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]`.
    pub(super) floor: Party,
    /// Whether Ctrl-C ends the floor while a request is under way.
    pub(super) floor_hears: bool,
    /// Takes the words of `bench/meter`.
    pub(super) meter: Words,
    /// The ways in which a program ends its login.
    pub(super) cancels: &'static [Cancel],
    /// How many logins at once are worth a try.
    pub(super) crowds: &'static [u32],
    pub(super) budgets: Budgets,
}

/// One of the ways in which a program ends its login.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) what: &'static str,
    /// Its word for the meter.
    pub(super) word: &'static str,
}

/// What every language has.
pub(super) const CANCEL: &[Cancel] = &[Cancel { what: "cancel()", word: "cancel" }];

/// What differs between languages. The rest is the same for all and stands where it is measured.
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
    /// Of programs that are compiled.
    pub(super) const NATIVE: Self = Self {
        start: Budget::Times(1.5),
        memory: Budget::Nothing,
        interrupt: Budget::Median(10.0),
        poll: Budget::Median(150.0),
        // Those of the largest crowd, for any.
        crowd_cpu: Budget::Median(8.0),
        crowd_memory: Budget::Median(120.0),
    };
}

/// Another client of the same protocol. It takes `URL CA_FILE`, and `crowd URL CA_FILE LOGINS` if it has crowds.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) party: Party,
    /// Whom it is to trust.
    pub(super) ca_file: PathBuf,
    /// The path that its issuer has to have.
    pub(super) issuer_path: &'static str,
    /// Whether it polls without a pause where the server names an interval of 0.
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
    fn a_size_stands_beside_the_one_of_its_name() {
        let (ours, theirs) = (party(&[("a", 2e6), ("b", 3e6)]), party(&[("b", 1e6), ("c", 5e6)]));
        let rows = sizes(&ours, &theirs);
        let told: Vec<_> =
            rows.iter().map(|row| (row.what.as_str(), row.ours.median(), row.beside.median())).collect();
        assert_eq!(told, [("a", Some(2.0), None), ("b", Some(3.0), Some(1.0))]);
    }
}
