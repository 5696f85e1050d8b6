//! Ctrl-C and SIGTERM.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals as Iterator,
    low_level::emulate_default_handler,
};

/// The signal that came first.
#[derive(Default)]
pub(crate) struct Signals(Arc<AtomicI32>);

impl Signals {
    /// The first signal cancels what is under way, which then ends by itself. A second one ends the program on the
    /// spot.
    pub(crate) fn on_first(&self, grace: Duration, cancel: impl Fn() + Send + 'static) {
        let Ok(mut signals) = Iterator::new([SIGINT, SIGTERM]) else { return };
        let caught = Arc::clone(&self.0);
        thread::spawn(move || {
            for signal in signals.forever() {
                if caught.swap(signal, Ordering::SeqCst) != 0 {
                    let _ = emulate_default_handler(signal);
                }
                cancel();
                leave_after(grace, 128 + signal);
            }
        });
    }

    /// Returns the exit status of a program that was cancelled.
    pub(crate) fn exit_status(&self) -> u8 {
        if self.0.load(Ordering::SeqCst) == SIGTERM { 143 } else { 130 }
    }
}

/// Ends the program even where nobody reads what it wants to say, and a full pipe holds it.
pub(crate) fn leave_after(limit: Duration, status: i32) {
    thread::spawn(move || {
        thread::sleep(limit);
        std::process::exit(status)
    });
}
