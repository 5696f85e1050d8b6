//! Swift: the example tool beside a program in Swift over a static library, measured from inside by a program in Swift. All three have
//! Swift's own libraries in them.

use super::floor;
use super::subject::{Budgets, Cancel, Party, Size, Subject, Words, bytes};
use super::table::Budget;
use crate::examples::in_foreground;
use crate::lang::{self, Language};
use crate::workspace::{Profile, Workspace};

const FLOOR: &str = "xtask/floor/swift";
const METER: &str = "xtask/meter/swift";

const CANCELS: &[Cancel] =
    &[Cancel { what: "cancel()", word: "cancel" }, Cancel { what: "the task's cancellation", word: "task" }];

pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    Language::Swift.build_example(workspace, Profile::Release, in_foreground)?;
    let archive = floor::libraries(workspace)?.archive;
    let floor = lang::swift_program(workspace, FLOOR, "floor", Some(&archive), in_foreground)?;
    let meter = lang::swift_program(workspace, METER, "meter", None, in_foreground)?;
    Ok(Subject {
        tool: party(Language::Swift.words(workspace, Profile::Release))?,
        short: None,
        floor: party(floor)?,
        floor_hears: true,
        meter: Words::new(meter),
        cancels: CANCELS,
        crowds: &[1_000, 10_000],
        budgets: Budgets::NATIVE,
    })
}

/// A program, after the words that start it.
fn party(words: Vec<std::path::PathBuf>) -> anyhow::Result<Party> {
    let size = words.last().map_or(Ok(0.0), |program| bytes(program))?;
    Ok(Party {
        sizes: vec![Size::mb("program, stripped", size, Budget::Nothing)],
        words: Words::new(words),
        import: None,
    })
}
