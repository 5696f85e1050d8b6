//! What differs between operating systems: clocks, the wake of a waiting step, signals, and how a page is opened.
//!
//! Each system has a directory with the same names in it. A system that is added gets one more, and nothing else changes.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::{
    TRUSTS_A_BUNDLE, browser,
    clock::{Clocks, clocks},
    signals::with_signals_blocked,
    wake::{Wake, wake_pair},
};
