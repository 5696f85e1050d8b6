//! Blocks SIGPIPE while this library writes to sockets on a thread of the host.
//!
//! By default, SIGPIPE terminates a C program, and a server that closes a connection must not do that. Handlers and
//! dispositions belong to the host. This module changes only the signal mask of the calling thread, and only during a
//! call.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// SIGPIPE is blocked on this thread while this value exists.
pub(super) struct Blocked {
    before: SigSet,
    /// A SIGPIPE that was already pending belongs to the host.
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

/// Consumes a pending SIGPIPE without waiting for one.
fn take() {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "netbsd"))]
    {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time live through the call, and nothing is asked about the signal.
        unsafe { libc::sigtimedwait(sigpipe().as_ref(), std::ptr::null_mut(), &raw const now) };
    }
    // Never built or run. A write of this thread raised the signal on this thread, so no other thread can consume it.
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd"
    )))]
    let _ = sigpipe().wait();
}
