//! Runs flows: sends what their effects say, waits, and tells.
//!
//! A [`Driver`] knows no flow, and what it stands on are small traits: [`Transport`] here, [`Clock`] beside.

mod discovery;
mod driver;
#[cfg(feature = "__host")]
mod in_flight;
mod transport;

use std::{io, sync::Arc, time::Duration};

pub(crate) use discovery::{Server, Source};
pub(crate) use driver::{Driver, Progress};
#[cfg(feature = "__host")]
pub(crate) use in_flight::InFlight;
pub(crate) use transport::{Failure, Transport};

use crate::{Error, clock::Clock, engine::Engine};

/// What a driver works with: one for each client and process.
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
