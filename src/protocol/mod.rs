//! What the standards say: RFC 8628, RFC 6749, RFC 7009, RFC 8414. Pure: no I/O, no clock, no async.
//!
//! Each flow is a file: [`device`], [`refresh`] and [`revoke`], state machines of the form that [`flow`] describes. What a
//! response means is decided in [`verdict`], one table an endpoint. Around them stand the shapes on the wire.

pub(crate) mod device;
pub(crate) mod event;
pub(crate) mod flow;
pub(crate) mod grant;
mod json;
mod jwt;
pub(crate) mod metadata;
mod pacing;
pub(crate) mod refresh;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod revoke;
pub(crate) mod settings;
pub(crate) mod single;
pub(crate) mod token;
pub(crate) mod uri;
mod verdict;
