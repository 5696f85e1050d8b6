//! Ctrl-C and other ending signals: noted here, acted upon before the next program is started, so that none is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The last ending signal that came; 0 before there was one.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From here on an ending signal is noted and does not end the process.
pub(super) fn watch() -> anyhow::Result<()> {
    let came = CAME.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register_usize(signal, Arc::clone(came), usize::try_from(signal)?)?;
    }
    Ok(())
}

/// The exit status of a process that an ending signal ended, if one came.
pub(super) fn status() -> Option<u8> {
    let number = CAME.get()?.load(Ordering::SeqCst);
    u8::try_from(number).ok().filter(|number| *number != 0).map(|number| number.saturating_add(128))
}
