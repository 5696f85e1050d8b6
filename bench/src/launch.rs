//! Measures the time from the start of the process to the code, and from Ctrl-C to the exit.

use std::iter;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::program::Program;
use super::samples::Samples;
use super::server::number;
use super::subject::{Party, Words, sizes};
use super::table::{Budget, Row};
use super::{Bench, Start, go};

/// Rounds of two pairs each.
const ROUNDS: usize = 15;
/// Time from the code to Ctrl-C, after which both programs sleep.
const SETTLE: Duration = Duration::from_millis(60);
const IMPORT: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Seen {
    code: Samples,
    cpu: Samples,
    memory: Samples,
    interrupt: Samples,
}

impl Seen {
    /// Reading a process's entries in `/proc` delays its exit by milliseconds, so a run measures either those or the
    /// exit.
    fn add(&mut self, mut program: Program, look: Look) -> anyhow::Result<()> {
        self.code.push(program.code()?.as_secs_f64() * 1e3);
        match look {
            Look::Inside => {
                self.cpu.extend(program.cpu_ms());
                self.memory.extend(program.peak_mb());
            }
            Look::AtTheEnd => {
                thread::sleep(SETTLE);
                self.interrupt.push(program.interrupt()?.as_secs_f64() * 1e3);
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Look {
    Inside,
    AtTheEnd,
}

/// Compares with a program that `start` starts, at a server with these `settings`.
pub(super) fn measure(
    bench: &Bench<'_>,
    beside: &Party,
    settings: &Value,
    start: Start<'_>,
) -> anyhow::Result<Vec<Row>> {
    let at = bench.server.open(settings.clone())?;
    let (mut ours, mut theirs, mut bare) = (Seen::default(), Seen::default(), Seen::default());
    // An uncounted round warms the caches.
    Seen::default().add(bench.tool(&at)?, Look::Inside)?;
    Seen::default().add(start(&at)?, Look::Inside)?;
    for look in iter::repeat_n([Look::Inside, Look::AtTheEnd], ROUNDS).flatten() {
        ours.add(bench.tool(&at)?, look)?;
        theirs.add(start(&at)?, look)?;
        if let Some(short) = bench.short(&at) {
            bare.add(short?, look)?;
        }
    }
    let budgets = &bench.subject.budgets;
    let mut rows = vec![
        row("start to code", "ms", ours.code, theirs.code.clone(), budgets.start),
        row("start to code, processor time", "ms", ours.cpu, theirs.cpu, Budget::Nothing),
        row("peak memory at the code", "MB", ours.memory, theirs.memory.clone(), budgets.memory),
        row("Ctrl-C to exit, asleep", "ms", ours.interrupt, theirs.interrupt, budgets.interrupt),
    ];
    if bench.subject.short.is_some() {
        rows.extend([
            row("short program: start to code", "ms", bare.code, theirs.code, budgets.start),
            row("short program: peak memory at the code", "MB", bare.memory, theirs.memory, budgets.memory),
        ]);
    }
    if let (Some(ours), Some(theirs)) = (&bench.subject.tool.import, &beside.import) {
        rows.extend(imports(ours, theirs)?);
    }
    rows.extend(sizes(&bench.subject.tool, beside));
    Ok(rows)
}

fn row(what: &str, unit: &'static str, ours: Samples, beside: Samples, budget: Budget) -> Row {
    Row { what: what.to_owned(), unit, ours, beside, budget }
}

/// Measures the import of the library: its duration and the number of imported modules.
fn imports(ours: &Words, theirs: &Words) -> anyhow::Result<Vec<Row>> {
    let (mut ours_took, mut theirs_took) = (Samples::default(), Samples::default());
    let (mut ours_brought, mut theirs_brought) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        for (words, took, brought) in
            [(ours, &mut ours_took, &mut ours_brought), (theirs, &mut theirs_took, &mut theirs_brought)]
        {
            let said = go(words.command())?.finish(IMPORT)?;
            let found: Value = serde_json::from_str(&said)?;
            took.push(number(&found, "milliseconds").context("the result has no time")?);
            brought.push(number(&found, "modules").context("the result has no modules")?);
        }
    }
    Ok(vec![
        row("import", "ms", ours_took, theirs_took, Budget::Nothing),
        row("modules that the import adds", "", ours_brought, theirs_brought, Budget::Nothing),
    ])
}
