//! The C library. `include/cli_auth.h` is generated from the `pub` items of this crate and their doc comments, which
//! are therefore written for C programmers.
//!
//! A handle is a `Box` that the C program holds. The library cannot check that a pointer is NULL or of the declared
//! type, nor that a handle is not used after it was freed; as in every C library, the caller is responsible for both. A
//! handle argument is therefore an `Option` of a reference, which needs no unsafe code. Texts, callbacks and handles
//! that several threads use are passed as pointers. Everything else is checked, and an invalid argument becomes a
//! status. No panic leaves a function. Only `cli_auth_login_poll` calls host code, on the thread that called it.
#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "the names that C users see")]
#![allow(unreachable_pub, reason = "the header is made of what is pub")]
#![allow(missing_debug_implementations, reason = "nobody prints a handle")]

mod claim;
mod client;
mod entry;
mod error;
mod event;
mod identity;
mod login;
mod options;
mod prompt;
mod refresh_options;
mod request;
mod sigpipe;
mod status;
mod step;
mod text;
mod tokens;
mod version;
