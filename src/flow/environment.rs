//! The environment of a driver.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{discovery::Server, transport::Transport};
use crate::{
    Error,
    clock::Clock,
    engine::Engine,
    process::{Local, forked},
};

/// A transport of this process.
pub(crate) type OwnTransport = Local<Arc<dyn Transport>>;

/// One for each client and process.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) engine: Engine,
    /// Its connections belong to the engine: a forked child must not close them.
    pub(crate) transport: OwnTransport,
    /// Transports without a limit for responses, by the time for establishing a connection. Made when they are first
    /// used.
    pub(crate) open_ended: Mutex<Vec<(Duration, OwnTransport)>>,
    pub(crate) server: Arc<Server>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long a request may wait for one of the client's connections.
    pub(crate) patience: Duration,
    /// The number of leases.
    pub(crate) leases: Mutex<usize>,
}

/// Keeps the connections of a client open between requests. Each login in
/// progress has one, and so has each request that belongs to no login.
///
/// When the last one ends, the client closes its idle connections. In a blocking program nothing drives the engine
/// after that, so a server that closes them later would leave dead sockets behind.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Environment>);

impl Lease {
    pub(crate) fn new(environment: &Arc<Environment>) -> Self {
        let mut leases = environment.leases.lock().unwrap_or_else(PoisonError::into_inner);
        *leases = leases.saturating_add(1);
        Self(Arc::clone(environment))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In a forked child, the connections belong to the parent.
        let Some(transport) = self.0.transport.get() else { return };
        {
            let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
            *leases = leases.saturating_sub(1);
            if *leases == 0 {
                transport.close_idle();
                let open_ended = self.0.open_ended.lock().unwrap_or_else(PoisonError::into_inner);
                open_ended.iter().filter_map(|(_, transport)| transport.get()).for_each(|it| it.close_idle());
            }
        }
        // Also closes the connection of a request that was dropped with the lease's owner.
        self.0.engine.drive_briefly();
    }
}

impl Environment {
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, Error> {
        self.transport
            .get()
            .map(Arc::clone)
            .ok_or_else(|| forked("this client was used: use it again in the child"))
    }
}

/// Returns the error for an operating system that refuses a descriptor, a thread or memory.
pub(crate) fn no_resource(error: io::Error) -> Error {
    Error::internal(format!("the operating system refused a resource: {error}")).with_cause(error)
}
