//! Runs flows: sends what their effects say, waits, and tells.
//!
//! A [`Driver`] knows no flow. What it stands on are small traits: [`Transport`], and [`Clock`](crate::clock::Clock).

mod discovery;
mod driver;
mod environment;
#[cfg(feature = "__host")]
mod in_flight;
mod transport;

pub(crate) use discovery::{Server, Source};
pub(crate) use driver::{Driver, Progress};
pub(crate) use environment::{Environment, no_resource};
#[cfg(feature = "__host")]
pub(crate) use in_flight::InFlight;
pub(crate) use transport::{Failure, Transport};
