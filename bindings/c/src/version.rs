//! The version of the library and of its interface.

use std::ffi::{CStr, c_char};

/// The version of the C interface. It is also the version number of the shared library (`libcli_auth.so.0`). It
/// increases when something is removed or changed. Additions do not change it.
pub const CLI_AUTH_ABI_VERSION: u32 = 0;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Returns the version of the library that is loaded, such as `0.1.0`. `CLI_AUTH_VERSION` is the version that the
/// program was compiled with.
///
/// @return The version. It stays valid as long as the program runs.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_version() -> *const c_char {
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// Returns the version of the C interface of the library that is loaded. A program that loads the library with `dlopen`
/// must check that it equals `CLI_AUTH_ABI_VERSION`.
///
/// @return The version of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_abi_version() -> u32 {
    CLI_AUTH_ABI_VERSION
}
