//! Sessions: tokens that are kept between runs of a program, and stay valid.
//!
//! [`policy`] decides what happens and is pure. [`refresh`] and [`change`] carry it out with a [`store`], the lock in
//! it, a [`key`] store and the client's transport.
//!
//! ```text
//!    Session ──▶ core ──▶ refresh ──▶ policy ──▶ judgement ──▶ record ──▶ moment
//!       │          │         │
//!       │          ├─────────┴─────▶ store   (the record in a file, in memory, or the program's)
//!       │          └───────────────▶ key     (the key of a sealed record)
//!       ├──▶ change   (login, logout)
//!       └──▶ pending  (a login that was put down)
//! ```

mod change;
mod core;
mod event;
mod form;
mod gate;
mod handle;
mod judgement;
mod key;
mod moment;
mod options;
mod pending;
mod policy;
mod record;
mod refresh;
mod status;
mod store;

pub use change::LoggedOut;
pub use event::SessionEvent;
pub use handle::{AccessToken, Session};
pub use options::{CancelToken, Protection, SessionBuilder, TokenOptions};
pub(crate) use pending::Keeper;
pub use status::{SessionState, Status};
pub use store::{Store, StoreLock};
