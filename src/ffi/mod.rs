//! The core as other languages see it. What is in here translates and decides nothing; it is the only place for `unsafe`.

#[cfg(feature = "uniffi")]
mod uniffi;
