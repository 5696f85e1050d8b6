//! Keeps SIGPIPE away from the host while this library writes to sockets on its thread.
//!
//! Programs in C die of it unless they say otherwise, and a server that closes a connection must not kill them. Handlers
//! and dispositions are the host's: only this thread's mask changes, and only for the time of a call.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// SIGPIPE is blocked on this thread as long as this lives.
pub(super) struct Blocked {
    before: SigSet,
    /// A SIGPIPE that waited before is the host's.
    was_pending: bool,
}

impl Blocked {
    pub(super) fn new() -> Self {
        let was_pending = is_pending();
        let before = sigpipe().thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap_or_else(|_| SigSet::empty());
        Self { before, was_pending }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if !self.was_pending && is_pending() {
            take();
        }
        if !self.before.contains(Signal::SIGPIPE) {
            let _ = sigpipe().thread_unblock();
        }
    }
}

fn sigpipe() -> SigSet {
    SigSet::from(Signal::SIGPIPE)
}

fn is_pending() -> bool {
    let mut pending = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigpending` only writes the set, and `sigismember` only reads the one that it wrote.
    unsafe {
        libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1
    }
}

/// Takes a SIGPIPE that waits, without waiting for one.
fn take() {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
    {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time live through the call, and nothing is asked about the signal.
        unsafe { libc::sigtimedwait(sigpipe().as_ref(), std::ptr::null_mut(), &raw const now) };
    }
    // Never built or run. It was raised on this thread by a write of this thread, so nobody else takes it in between.
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd"
    )))]
    let _ = sigpipe().wait();
}
