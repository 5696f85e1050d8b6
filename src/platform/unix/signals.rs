//! The signals of the host, which this library does not handle.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// Runs `make`, which may start a thread, with signals blocked. The thread inherits the mask: no handler of the host
/// runs on it, and a host that dies of SIGPIPE does not die of a connection that a server closed. A thread that blocked
/// the signals itself would do so slightly too late.
///
/// Signals that report a crash are not blocked: blocked, they would kill the process without any message.
pub(crate) fn with_signals_blocked<T>(make: impl FnOnce() -> T) -> T {
    let mut all = SigSet::all();
    for crash in [Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGSEGV, Signal::SIGTRAP] {
        all.remove(crash);
    }
    // Restores the mask even if `make` panics because no thread can be started.
    let _restored = all.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok().map(Restored);
    make()
}

/// Restores this signal mask for the thread on drop.
struct Restored(SigSet);

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = self.0.thread_set_mask();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn new_threads_block_signals_and_the_callers_mask_is_restored() {
        let before = SigSet::thread_get_mask().unwrap();
        let mask = with_signals_blocked(|| thread::spawn(|| SigSet::thread_get_mask().unwrap()));
        let mask = mask.join().unwrap();
        for signal in [Signal::SIGINT, Signal::SIGPIPE, Signal::SIGUSR1, Signal::SIGURG] {
            assert!(mask.contains(signal), "{signal}");
        }
        assert!(!mask.contains(Signal::SIGSEGV));
        assert!(std::panic::catch_unwind(|| with_signals_blocked(|| panic!("no more threads"))).is_err());
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
