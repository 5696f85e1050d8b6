//! The public API against a real server process: what the example tool has no words for.

mod asynchronous;
mod cancel;
mod connections;
mod fork;
mod refresh;
mod step;
mod support;
