//! Tests of the public API with a real server, for what the example tools cannot show.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a failure by panicking"
)]

mod asynchronous;
mod cancel;
mod connections;
mod errors;
mod fork;
#[cfg(feature = "__host")]
mod host;
mod identity;
mod proxies;
mod refresh;
mod session;
mod session_store;
mod step;
mod support;
