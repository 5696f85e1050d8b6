//! The public API against a real server process: what the example tool has no words for.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

mod asynchronous;
mod cancel;
mod connections;
mod errors;
mod fork;
#[cfg(feature = "__host")]
mod host;
mod refresh;
mod step;
mod support;
