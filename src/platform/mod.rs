//! The code that differs between operating systems: clocks, the wake of a waiting step, the descriptor of an event
//! loop, signals, files and their locks, and opening a page.
//!
//! Each system has a directory that exports the same names. To support another system, add a directory. CONTRIBUTING.md
//! lists what else depends on the system.

#[cfg(unix)]
mod unix;

#[cfg(all(unix, feature = "__host"))]
pub(crate) use unix::readable::Readable;
#[cfg(unix)]
pub(crate) use unix::{
    TRUSTS_A_BUNDLE, browser,
    clock::{Clocks, boot_id, clocks},
    files,
    signals::with_signals_blocked,
    wake::{Wake, wake_pair},
};
