//! Records termination signals. They are checked before each start of a program, so that no process is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The last termination signal received; 0 if there was none.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on, a termination signal is recorded and does not end the process.
pub(super) fn watch() -> anyhow::Result<()> {
    let came = CAME.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register_usize(signal, Arc::clone(came), usize::try_from(signal)?)?;
    }
    Ok(())
}

/// Returns the exit status for the termination signal that was received, if any.
pub(super) fn status() -> Option<u8> {
    let number = CAME.get()?.load(Ordering::SeqCst);
    u8::try_from(number).ok().filter(|number| *number != 0).map(|number| number.saturating_add(128))
}
