//! A session bus that accepts connections and never responds.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[derive(Debug)]
pub(crate) struct MuteBus {
    accepted: Arc<AtomicUsize>,
}

impl MuteBus {
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        // The connections stay open until the program ends.
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                open.push(stream);
            }
        });
        Ok(Self { accepted })
    }

    /// Returns the number of connections.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}
