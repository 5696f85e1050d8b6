//! What a driver works with.

use std::{io, sync::Arc, time::Duration};

use super::{discovery::Server, transport::Transport};
use crate::{Error, clock::Clock, engine::Engine};

/// One for each client and process.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) engine: Engine,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) server: Arc<Server>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long a request may wait for one of the client's connections.
    pub(crate) patience: Duration,
}

/// The error where the operating system refuses a descriptor, a thread or memory.
pub(crate) fn no_resource(error: io::Error) -> Error {
    Error::internal(format!("the operating system refused a resource: {error}"))
}
