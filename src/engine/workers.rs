//! Counts the workers of this process. Workers wake the host, which must not be entered after it has ended. At its
//! exit, a host therefore waits until there are no workers, including those of clients that it has already released.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::process::Process;

/// The maximum wait. A worker that was asked to end may still be waking futures of the host, which is brief. The limit
/// only keeps an exit from hanging.
const LIMIT: Duration = Duration::from_secs(10);

/// The process id in the upper half, the number of its workers in the
/// lower half. A forked child has none of its parent's workers.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Counts a worker, from before it is started until it ends.
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

/// Waits until this process has no workers.
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
