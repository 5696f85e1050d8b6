//! Signs users in to command-line tools with the OAuth 2.0 Device Authorization Grant ([RFC 8628]). Supports WorkOS
//! AuthKit, WorkOS Connect and every other conforming server.
//!
//! ```no_run
//! let client = cli_auth::Client::authkit("client_123").product("my-cli/1.0").build()?;
//! let login = client.login();
//! let prompt = login.start()?; // one request
//! eprint!("{}", prompt.text()); // code, address, who asks, a warning; safe for a terminal
//! let tokens = login.poll(|event| eprintln!("{event:?}"))?; // until approved, denied or expired
//! let user = tokens.identity().map_or("an unknown user", |user| user.subject());
//! println!("logged in as {}", cli_auth::sanitize(user));
//! # Ok::<(), cli_auth::Error>(())
//! ```
//!
//! A [`Client`] holds the settings for one authorization server. A [`Login`] is a single login attempt;
//! [`Login::cancel`] ends it from any thread. A [`Secret`] never prints its value. [`ErrorKind`] groups errors by what
//! the caller should do next.
//!
//! A [`Session`] keeps a user logged in: it stores the tokens on this machine and returns an access token that is
//! valid, refreshed without races between threads and processes.
//!
//! Blocking calls run on the calling thread, and callbacks are called only there. Name resolution uses threads of its
//! own; inside a Tokio runtime, a worker thread performs the I/O. The `_async` variants run on any executor.
//!
//! [RFC 8628]: https://www.rfc-editor.org/rfc/rfc8628

#![forbid(unsafe_code)]

#[cfg(not(unix))]
compile_error!("cli-auth runs on Unix for now: Windows needs another way to wake a waiting login");

mod builder;
mod claim;
mod client;
mod clock;
mod config;
mod engine;
mod error;
mod flow;
#[cfg(feature = "__host")]
#[doc(hidden)]
pub mod host;
mod http;
mod identity;
mod login;
mod platform;
mod process;
mod prompt;
mod protocol;
mod sanitize;
mod secret;
mod session;
mod shared;
mod terminal;
mod tokens;

pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{Error, ErrorKind, ErrorReason, Organization};
pub use identity::Identity;
pub use login::{Login, Step};
pub use prompt::Prompt;
pub use protocol::{
    event::{Event, RetryReason},
    pkce::Pkce,
    settings::{ClientAuth, RefreshOptions},
};
pub use sanitize::{SANITIZED_MAX_CHARS, sanitize};
pub use secret::Secret;
pub use session::{
    AccessToken, CancelToken, LoggedOut, Protection, Session, SessionBuilder, SessionEvent, SessionState,
    Status, Store, StoreLock, TokenOptions,
};
pub use terminal::Launch;
pub use tokens::Tokens;

/// Compiles the examples in these documents as documentation tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/servers.md")]
    struct Servers;
    #[doc = include_str!("../docs/sessions.md")]
    struct Sessions;
}
