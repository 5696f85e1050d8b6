//! Runs flows: sends the requests of their effects, waits, and passes notices on.
//!
//! A [`Driver`] does not depend on any particular flow. It builds on small traits: [`Transport`] and
//! [`Clock`](crate::clock::Clock).

mod discovery;
mod driver;
mod environment;
#[cfg(feature = "__host")]
mod in_flight;
mod keys;
mod transport;

pub(crate) use discovery::{Server, Source};
pub(crate) use driver::{Driver, Progress, run};
pub(crate) use environment::{Environment, Lease, no_resource};
#[cfg(feature = "__host")]
pub(crate) use in_flight::InFlight;
pub(crate) use transport::{Extent, Failure, Transport};
