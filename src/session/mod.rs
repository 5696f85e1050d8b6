//! Sessions: tokens that are kept between runs of a program, and stay valid.
//!
//! [`policy`] decides what happens and is pure. [`refresh`] and [`change`] carry it out with a [`store`], the lock in
//! it, a [`key`] store and the client's transport.
//!
//! ```text
//!    Session ──▶ call ──▶ refresh ──▶ policy ──▶ judgement ──▶ record ──▶ moment
//!       │          │         │
//!       │          └──▶ core ┴─────▶ store   (the record in a file, in memory, or the program's)
//!       │                └─────────▶ key     (the key of a sealed record)
//!       ├──▶ change   (login, logout)
//!       └──▶ pending  (a login that was put down)
//! ```

mod access_token;
mod builder;
mod call;
mod change;
mod core;
mod event;
mod form;
mod gate;
mod handle;
mod judgement;
mod key;
mod moment;
mod pending;
mod policy;
mod record;
mod refresh;
mod status;
mod store;
mod token_options;

pub use access_token::AccessToken;
pub use builder::{Protection, SessionBuilder};
pub use change::LoggedOut;
pub use event::SessionEvent;
pub use handle::Session;
pub(crate) use pending::Keeper;
pub use status::{SessionState, Status};
pub use store::{Store, StoreLock};
pub use token_options::{CancelToken, TokenOptions};
