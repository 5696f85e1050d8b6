//! The environment of a driver.

use std::{io, sync::Arc, time::Duration};

use super::{discovery::Server, transport::Transport};
use crate::{
    Error,
    clock::Clock,
    engine::Engine,
    process::{Local, forked},
};

/// One for each client and process.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) engine: Engine,
    /// Its connections belong to the engine: a forked child must not close them.
    pub(crate) transport: Local<Arc<dyn Transport>>,
    pub(crate) server: Arc<Server>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long a request may wait for one of the client's connections.
    pub(crate) patience: Duration,
}

impl Environment {
    pub(super) fn transport(&self) -> Result<Arc<dyn Transport>, Error> {
        self.transport
            .get()
            .map(Arc::clone)
            .ok_or_else(|| forked("this client was used: use it again in the child"))
    }
}

/// Returns the error for an operating system that refuses a descriptor, a thread or memory.
pub(crate) fn no_resource(error: io::Error) -> Error {
    Error::internal(format!("the operating system refused a resource: {error}"))
}
