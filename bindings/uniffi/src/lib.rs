//! The interface from which UniFFI generates the Python, Kotlin and Swift modules that the packages under `bindings/`
//! wrap. It only translates and makes no decisions.
//!
//! Every type that contains a secret is an object, because all three languages print the fields of a record. Times are
//! seconds as `f64`. The host waits by itself: `step` is bounded, and nothing here calls the host except the wakers of
//! the async calls. Names avoid those that one of the languages reserves (`close`, `message`, `toString`).
// UniFFI's macros export functions under unmangled names, which the lint treats as unsafe. There is no other unsafe
// code here.
#![allow(unsafe_code)]

uniffi::setup_scaffolding!("cli_auth_native");

mod cancellation;
mod client;
mod failure;
mod identity;
mod login;
mod prompt;
mod secret;
mod step;

mod tokens;

use cli_auth::host;

/// Returns text received from a server in a form that is safe to print on a terminal. Control and invisible characters
/// are replaced, and text over 400 characters is truncated.
#[uniffi::export]
fn sanitize(text: &str) -> String {
    cli_auth::sanitize(text)
}

/// Waits until the threads of clients that were shut down or dropped have ended, so that nothing can wake the host any
/// more. Takes a few seconds at most. For hosts that are exiting.
#[uniffi::export]
fn wait_for_threads() {
    host::wait_for_workers();
}
