//! Records termination signals. Waiting code checks for them, so that no child process is left behind.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The last termination signal received; 0 if there was none.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on, a termination signal is recorded and does not end the process.
pub(crate) fn watch() -> anyhow::Result<()> {
    let came = CAME.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let number = usize::try_from(signal)?;
        signal_hook::flag::register_usize(signal, Arc::clone(came), number)
            .context("cannot install a signal handler")?;
    }
    Ok(())
}

/// Returns the termination signal that was received, if any.
pub(crate) fn received() -> Option<i32> {
    let number = CAME.get()?.load(Ordering::SeqCst);
    i32::try_from(number).ok().filter(|number| *number != 0)
}

/// The exit status of a process that a termination signal ended.
pub(crate) fn status() -> Option<u8> {
    received().map(status_of)
}

/// Returns the exit status for `signal` as a shell reports it.
pub(crate) fn status_of(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |number| number.saturating_add(128))
}
