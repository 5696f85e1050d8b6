//! Which library this is.

use std::ffi::{CStr, c_char};

/// The version of the interface, which is also the number of the shared library (`libcli_auth.so.0`). It grows when something
/// was removed or changed; additions leave it as it is.
pub const CLI_AUTH_ABI_VERSION: u32 = 0;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of the library that runs, such as `0.1.0`. `CLI_AUTH_VERSION` is the one that the program was compiled with.
///
/// @return A text that lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_version() -> *const c_char {
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// The interface of the library that runs. A program that loads it by `dlopen` checks that this is `CLI_AUTH_ABI_VERSION`.
///
/// @return The number.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_abi_version() -> u32 {
    CLI_AUTH_ABI_VERSION
}
