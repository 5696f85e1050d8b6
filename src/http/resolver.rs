//! Names to addresses by the operating system's resolver, which has no other form than to block a thread.

use std::{
    error::Error as StdError,
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread, vec,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use crate::platform::with_signals_blocked;

/// Names that one client looks up at once. Some may be left behind by requests that gave up on them.
const MAX_LOOK_UPS: usize = 64;

/// Each look-up has a thread of its own for as long as it takes, and a clone of what is in here.
#[derive(Debug, Default)]
pub(super) struct SystemResolver(Arc<()>);

/// Why there is no address; more than this the person need not know.
#[derive(Debug)]
pub(super) struct Unresolved;

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name could not be resolved")
    }
}

impl StdError for Unresolved {}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = self.look_up(name);
        Box::pin(async move {
            let addresses = answer.map_err(|_| Unresolved)?.await.map_err(|_| Unresolved)?;
            let addresses: Addrs = Box::new(addresses.map_err(|_| Unresolved)?);
            Ok(addresses)
        })
    }
}

type Answer = io::Result<vec::IntoIter<SocketAddr>>;

impl SystemResolver {
    /// Fails where there are too many threads already.
    fn look_up(&self, name: Name) -> io::Result<oneshot::Receiver<Answer>> {
        if Arc::strong_count(&self.0) > MAX_LOOK_UPS {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (answer, receiver) = oneshot::channel();
        let under_way = Arc::clone(&self.0);
        let look_up = move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            drop(under_way);
            // Nobody may wait for it any more.
            let _ = answer.send(found);
        };
        with_signals_blocked(|| thread::Builder::new().name("cli-auth-dns".into()).spawn(look_up))?;
        Ok(receiver)
    }
}
