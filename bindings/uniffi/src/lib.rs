//! The surface from which UniFFI makes the Python, Kotlin and Swift modules that the packages under `bindings/` wrap. It
//! translates and decides nothing.
//!
//! Everything that holds a secret is an object, since the fields of a record are printed by all three languages. Times are
//! seconds as `f64`. Waiting is the host's business: `step` is bounded, and nothing here calls the host, but for the wakers
//! of the async calls. Names avoid what one of the languages keeps for itself (`close`, `message`, `toString`).
// UniFFI's macros export functions by their unmangled names, which counts as unsafe. There is no other unsafe code here.
#![allow(unsafe_code)]

uniffi::setup_scaffolding!("cli_auth_native");

mod cancellation;
mod client;
mod failure;
mod login;
mod prompt;
mod secret;
mod step;

mod tokens;

use cli_auth::host;

/// A text of a server as it may be shown in a terminal: without control and invisible characters, and not endless.
#[uniffi::export]
fn sanitize(text: &str) -> String {
    cli_auth::sanitize(text)
}

/// Waits until nothing is left that could wake the host: the threads of clients that were shut down or let go of. Seconds
/// at the longest. For hosts that exit.
#[uniffi::export]
fn wait_for_threads() {
    host::wait_for_workers();
}
