//! Ctrl-C and friends: noted here, acted upon by whoever waits, so that no child is left behind.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The last ending signal that came; 0 before there was one.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From here on an ending signal is noted and does not end the process.
pub(crate) fn watch() -> anyhow::Result<()> {
    let came = CAME.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let number = usize::try_from(signal)?;
        signal_hook::flag::register_usize(signal, Arc::clone(came), number).context("no signal handler")?;
    }
    Ok(())
}

/// The ending signal that came, if one did.
pub(crate) fn received() -> Option<i32> {
    let number = CAME.get()?.load(Ordering::SeqCst);
    i32::try_from(number).ok().filter(|number| *number != 0)
}

/// The exit status of a process that such a signal ended.
pub(crate) fn status() -> Option<u8> {
    received().map(status_of)
}

/// The exit status that tells of `signal`, as shells have it.
pub(crate) fn status_of(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |number| number.saturating_add(128))
}
