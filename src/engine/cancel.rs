//! The cancel flag of a login, and the list of flags that the engine checks when it is woken.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, Weak,
    atomic::{AtomicBool, Ordering, fence},
};

use tokio::sync::Notify;

use crate::{platform::Wake, process::Local};

/// The cancel flag of one login.
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

    /// Resolves once the flag is set.
    pub(crate) async fn cancelled(&self) {
        while !self.is_set() {
            self.noticed.notified().await;
        }
    }
}

/// The flags of all logins that were stepped on one engine.
#[derive(Debug, Default)]
pub(super) struct Flags(Mutex<Vec<Weak<Cancel>>>);

impl Flags {
    /// Connects a flag to the engine: from now on, setting it wakes the engine.
    pub(super) fn add(&self, cancel: &Arc<Cancel>, wake: &Arc<Wake>) {
        if cancel.wake.set(Local::new(Arc::clone(wake))).is_err() {
            return;
        }
        fence(Ordering::SeqCst);
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Removes finished logins whenever the list would have to grow. Amortised cost: one comparison per login.
        if list.len() == list.capacity() {
            list.retain(|flag| flag.strong_count() > 0);
        }
        list.push(Arc::downgrade(cancel));
    }

    /// Notifies every login whose flag is set, and only those, because thousands may be waiting.
    pub(super) fn notify(&self) {
        for flag in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            if flag.is_set() {
                flag.noticed.notify_one();
            }
        }
    }
}
