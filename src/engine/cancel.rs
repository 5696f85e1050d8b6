//! The cancel flag of a login, and the list of flags that the engine checks when it is woken.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering, fence},
    },
};

use tokio::sync::Notify;

use crate::{platform::Wake, process::Local};

/// The cancel flag of one login, or of the calls of a session.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    set: AtomicBool,
    /// Set by the first step. Before that, nothing waits that would have to be woken.
    wake: OnceLock<Local<Arc<Wake>>>,
    noticed: Notify,
}

impl Cancel {
    /// Sets the flag. Idempotent, wait-free and async-signal-safe.
    pub(crate) fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        // Pairs with the fence in `add`: either this call sees the wake, or the login sees the flag.
        fence(Ordering::SeqCst);
        // After a fork the descriptor is shared with the parent: only the process that created it may use it.
        if let Some(wake) = self.wake.get().and_then(Local::get) {
            wake.wake();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Resolves once the flag is set. Any number of calls may wait.
    pub(crate) async fn cancelled(&self) {
        loop {
            let mut noticed = pin!(self.noticed.notified());
            // From here on a notice is not missed, so the flag is checked after this.
            noticed.as_mut().enable();
            if self.is_set() {
                return;
            }
            noticed.await;
        }
    }
}

/// The flags of all logins that were stepped on one engine.
#[derive(Debug, Default)]
pub(super) struct Flags(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    flags: Vec<Weak<Cancel>>,
    /// The length at which the flags of finished logins are removed.
    sweep_at: usize,
}

/// The list is not swept while it is shorter.
const LEAST_SWEEP: usize = 16;

impl Flags {
    /// Connects a flag to the engine: from now on, setting it wakes the engine.
    pub(super) fn add(&self, cancel: &Arc<Cancel>, wake: &Arc<Wake>) {
        if cancel.wake.set(Local::new(Arc::clone(wake))).is_err() {
            return;
        }
        fence(Ordering::SeqCst);
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The next sweep is after as many logins as this one left. Amortised cost: two comparisons per login.
        if list.flags.len() >= list.sweep_at {
            list.flags.retain(|flag| flag.strong_count() > 0);
            list.sweep_at = list.flags.len().saturating_mul(2).max(LEAST_SWEEP);
        }
        list.flags.push(Arc::downgrade(cancel));
    }

    /// Notifies whoever waits for a flag that is set, and nobody else, because thousands may be waiting.
    pub(super) fn notify(&self) {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let set: Vec<_> =
            list.flags.iter().filter_map(Weak::upgrade).filter(|cancel| cancel.is_set()).collect();
        drop(list);
        // Without the lock: this may call a waker of the host, which may do anything.
        set.iter().for_each(|cancel| cancel.noticed.notify_waiters());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        sync::atomic::AtomicUsize,
        task::{Context, Waker},
    };

    use super::*;
    use crate::platform;

    fn wake() -> Arc<Wake> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _inside = runtime.enter();
        Arc::new(platform::wake_pair().unwrap().0)
    }

    #[test]
    fn host_wakers_are_called_without_holding_the_lock() {
        /// A waker that locks the same list, as a host's waker may.
        struct Adds(Arc<Flags>, Arc<Wake>, AtomicUsize);

        impl std::task::Wake for Adds {
            fn wake(self: Arc<Self>) {
                self.0.add(&Arc::default(), &self.1);
                self.2.fetch_add(1, Ordering::SeqCst);
            }
        }

        let (flags, wake, cancel) = (Arc::new(Flags::default()), wake(), Arc::new(Cancel::default()));
        flags.add(&cancel, &wake);
        let host = Arc::new(Adds(Arc::clone(&flags), wake, AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&host));
        let mut cancelled = pin!(cancel.cancelled());
        assert!(cancelled.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        cancel.set();
        flags.notify();
        assert_eq!(host.2.load(Ordering::SeqCst), 1);
        assert!(cancelled.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    }

    #[test]
    fn every_call_that_waits_for_one_flag_is_woken() {
        let (flags, wake, cancel) = (Flags::default(), wake(), Arc::new(Cancel::default()));
        flags.add(&cancel, &wake);
        let mut calls: Vec<_> = (0..3).map(|_| Box::pin(cancel.cancelled())).collect();
        let mut context = Context::from_waker(Waker::noop());
        assert!(calls.iter_mut().all(|call| call.as_mut().poll(&mut context).is_pending()));
        cancel.set();
        flags.notify();
        assert!(calls.iter_mut().all(|call| call.as_mut().poll(&mut context).is_ready()));
    }

    #[test]
    fn finished_logins_are_removed_in_occasional_sweeps() {
        let (flags, wake) = (Flags::default(), wake());
        let alive: Vec<_> = (0..1000).map(|_| Arc::new(Cancel::default())).collect();
        alive.iter().for_each(|cancel| flags.add(cancel, &wake));
        let mut sweeps = 0;
        for _ in 0..10_000 {
            let before = flags.0.lock().unwrap().flags.len();
            flags.add(&Arc::default(), &wake);
            let after = flags.0.lock().unwrap().flags.len();
            assert!(after <= 2 * alive.len() + LEAST_SWEEP);
            sweeps += usize::from(after <= before);
        }
        assert!((5..20).contains(&sweeps), "{sweeps}");
    }
}
