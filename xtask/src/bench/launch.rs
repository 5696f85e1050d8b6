//! From the start of the process to the code, and straight out again.

use std::fs;
use std::iter;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::Bench;
use super::program::Program;
use super::samples::Samples;
use super::server::Virtual;
use super::table::{Budget, Row};

/// Of two pairs each.
const ROUNDS: usize = 15;
/// From the code to Ctrl-C: both sleep by then.
const SETTLE: Duration = Duration::from_millis(60);

#[derive(Debug, Default)]
struct Seen {
    code: Samples,
    cpu: Samples,
    memory: Samples,
    interrupt: Samples,
}

impl Seen {
    /// A process whose entries in `/proc` were read takes milliseconds longer to end: either those or the end is looked at.
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

/// Beside a program that `start` starts and that is the file `path`.
pub(super) fn measure(
    bench: &Bench<'_>,
    path: &Path,
    start: impl Fn(&Virtual<'_>) -> anyhow::Result<Program>,
) -> anyhow::Result<Vec<Row>> {
    let at = bench.server.open(json!({}))?;
    let (mut ours, mut beside) = (Seen::default(), Seen::default());
    // One round that is not counted warms the caches.
    Seen::default().add(bench.tool(&at)?, Look::Inside)?;
    Seen::default().add(start(&at)?, Look::Inside)?;
    for look in iter::repeat_n([Look::Inside, Look::AtTheEnd], ROUNDS).flatten() {
        ours.add(bench.tool(&at)?, look)?;
        beside.add(start(&at)?, look)?;
    }
    let size = |path: &Path| -> anyhow::Result<Samples> {
        Ok(Samples::one(f64::from(u32::try_from(fs::metadata(path)?.len())?) / 1e6))
    };
    let row =
        |what: &str, unit, ours, beside, budget| Row { what: what.to_owned(), unit, ours, beside, budget };
    Ok(vec![
        row("start to code", "ms", ours.code, beside.code, Budget::Times(1.5)),
        row("start to code, processor time", "ms", ours.cpu, beside.cpu, Budget::Nothing),
        row("peak memory at the code", "MB", ours.memory, beside.memory, Budget::Nothing),
        row("Ctrl-C to exit, asleep", "ms", ours.interrupt, beside.interrupt, Budget::Median(10.0)),
        row("release binary", "MB", size(&bench.example)?, size(path)?, Budget::Nothing),
    ])
}
