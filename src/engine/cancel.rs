//! The cancel flag of a login, and the list of flags that the engine looks at when it is woken.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, Weak,
    atomic::{AtomicBool, Ordering, fence},
};

use tokio::sync::Notify;

use crate::{platform::Wake, process::Local};

/// One login's flag.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    set: AtomicBool,
    /// Known from the first step on: before that, nothing waits that would have to be woken.
    wake: OnceLock<Local<Arc<Wake>>>,
    noticed: Notify,
}

impl Cancel {
    /// Idempotent, wait-free and async-signal-safe.
    pub(crate) fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        // With its twin in `add`: either this sees the wake, or the login sees the flag.
        fence(Ordering::SeqCst);
        // The descriptor is shared with the parent after a fork: only its own process may use it.
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

/// The flags of all logins that were ever stepped on one engine.
#[derive(Debug, Default)]
pub(super) struct Flags(Mutex<Vec<Weak<Cancel>>>);

impl Flags {
    /// Makes a flag wake the engine from now on.
    pub(super) fn add(&self, cancel: &Arc<Cancel>, wake: &Arc<Wake>) {
        if cancel.wake.set(Local::new(Arc::clone(wake))).is_err() {
            return;
        }
        fence(Ordering::SeqCst);
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Forgets finished logins whenever the list would have to grow: amortised, one comparison a login.
        if list.len() == list.capacity() {
            list.retain(|flag| flag.strong_count() > 0);
        }
        list.push(Arc::downgrade(cancel));
    }

    /// Tells every login whose flag is set. Only those are woken: thousands may be waiting.
    pub(super) fn notify(&self) {
        for flag in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            if flag.is_set() {
                flag.noticed.notify_one();
            }
        }
    }
}
