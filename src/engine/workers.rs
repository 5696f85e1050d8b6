//! How many workers this process has. They wake the host, which must not be entered any more when it is gone: so a host
//! waits at its exit until there is none, those of clients that it let go of among them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::process::Process;

/// Longest wait. A worker that was told to end is at most waking futures of the host, which takes moments.
const LIMIT: Duration = Duration::from_secs(2);

/// The process in the upper half, the number of its workers in the lower. A forked child has none of its parent's.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A worker, from before it is started to its very end.
pub(super) struct Alive(Process);

impl Alive {
    pub(super) fn new() -> Self {
        let process = Process::current();
        change(process, |count| count.saturating_add(1));
        Self(process)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if self.0.is_current() {
            change(self.0, |count| count.saturating_sub(1));
        }
    }
}

/// Waits until this process has no worker.
pub(crate) fn wait_for_all() {
    let began = Instant::now();
    while count_of(COUNT.load(Ordering::SeqCst), Process::current()) > 0 && began.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(1));
    }
}

fn change(process: Process, step: impl Fn(u32) -> u32) {
    let next = |both| Some((u64::from(process.id()) << 32) | u64::from(step(count_of(both, process))));
    let _ = COUNT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
}

fn count_of(both: u64, process: Process) -> u32 {
    if both >> 32 != u64::from(process.id()) {
        return 0;
    }
    u32::try_from(both & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
