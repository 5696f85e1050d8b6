//! The C library. `include/cli_auth.h` is made of what is `pub` in here, comments included, so they speak to a C
//! programmer.
//!
//! A handle is a `Box` that C holds. What cannot be checked is what every C library leaves to its caller: that a pointer is
//! NULL or what its type says, and that nothing is used after it was freed. So a handle comes in as an `Option` of a
//! reference, which needs no unsafe code; texts, callbacks and handles that several threads use come in as pointers.
//! Everything else is checked: a wrong argument becomes a status. No panic leaves a function, and nothing here
//! calls the host but `cli_auth_login_poll`, on the thread that called it.
#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "the names that C users see")]
#![allow(unreachable_pub, reason = "the header is made of what is pub")]
#![allow(missing_debug_implementations, reason = "nobody prints a handle")]

mod claim;
mod client;
mod entry;
mod error;
mod event;
mod login;
mod options;
mod prompt;
mod request;
mod sigpipe;
mod status;
mod step;
mod text;
mod tokens;
mod version;
