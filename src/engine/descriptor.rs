//! The descriptor of a login, for a host that waits in an event loop of its own.

use std::{
    io,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{Ordering, fence},
    },
    task::{self, Waker},
};

use crate::{platform::Readable, process::Local};

/// A descriptor that is readable while a step would have something to do. It is opened when the host asks for it.
#[derive(Debug, Default)]
pub(crate) struct Descriptor(OnceLock<Local<Opened>>);

#[derive(Debug)]
struct Opened {
    readable: Arc<Readable>,
    /// Makes it readable. Requests hold it: it keeps no descriptor open.
    waker: Waker,
}

struct Sets(Weak<Readable>);

impl task::Wake for Sets {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(readable) = self.0.upgrade() {
            readable.set();
        }
    }
}

impl Descriptor {
    /// Returns its number, always the same. The first call opens it, readable: a host begins with a step.
    pub(crate) fn number(&self) -> io::Result<i32> {
        if self.0.get().is_none() {
            let readable = Arc::new(Readable::new()?);
            let waker = Waker::from(Arc::new(Sets(Arc::downgrade(&readable))));
            // Another call may have been faster. Its descriptor counts.
            if self.0.set(Local::new(Opened { readable, waker })).is_ok() {
                // Pairs with the fence in `Cancel::set`: either the cancel sees it, or the first step sees the flag.
                fence(Ordering::SeqCst);
                self.set();
            }
        }
        let opened = self.opened().ok_or_else(|| io::Error::other("the process was forked"))?;
        Ok(opened.readable.descriptor())
    }

    /// Makes it readable, if it is open. Async-signal-safe, never blocks.
    pub(crate) fn set(&self) {
        if let Some(opened) = self.opened() {
            opened.readable.set();
        }
    }

    /// Makes it unreadable, if it is open, and returns what makes it readable. Must be called before a step looks for
    /// something to do: what happens afterwards makes it readable again.
    pub(crate) fn clear(&self) -> Option<Waker> {
        self.opened().map(|opened| {
            opened.readable.clear();
            opened.waker.clone()
        })
    }

    fn opened(&self) -> Option<&Opened> {
        self.0.get().and_then(Local::get)
    }
}
