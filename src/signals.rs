//! The signals of the host, which a library leaves alone.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// Runs `make`, which may start a thread. That thread is born deaf: no handler of the host ever runs on it, and a host that
/// dies of SIGPIPE does not die of a connection that a server closed on us. A thread that blocked signals by itself would
/// be too late by a moment.
///
/// What tells of a crash stays: blocked, it would kill without a word.
pub(crate) fn starting_deaf_threads<T>(make: impl FnOnce() -> T) -> T {
    let mut all = SigSet::all();
    for crash in [Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGSEGV, Signal::SIGTRAP] {
        all.remove(crash);
    }
    // Also if `make` panics, for want of threads.
    let _restored = all.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok().map(Restored);
    make()
}

/// The mask that this thread has again when this goes.
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
    fn a_thread_is_deaf_from_its_birth_and_the_host_hears_as_before() {
        let before = SigSet::thread_get_mask().unwrap();
        let mask = starting_deaf_threads(|| thread::spawn(|| SigSet::thread_get_mask().unwrap()));
        let mask = mask.join().unwrap();
        for signal in [Signal::SIGINT, Signal::SIGPIPE, Signal::SIGUSR1, Signal::SIGURG] {
            assert!(mask.contains(signal), "{signal}");
        }
        assert!(!mask.contains(Signal::SIGSEGV));
        assert!(std::panic::catch_unwind(|| starting_deaf_threads(|| panic!("no more threads"))).is_err());
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
