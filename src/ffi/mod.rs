//! The core as other languages see it. What is in here translates and decides nothing; it is the only place for `unsafe`.

#[cfg(feature = "capi")]
mod c;
mod time;
#[cfg(feature = "uniffi")]
mod uniffi;
