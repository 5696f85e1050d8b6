//! What the standards say: RFC 8628, RFC 6749, RFC 7009, RFC 8414. Pure: no I/O, no clock, no async.
//!
//! [`machine`] is the flow. Around it stand the parts that it is made of: what an answer means ([`verdict`]), how long
//! to wait ([`pacing`]), and the shapes on the wire.

pub(crate) mod events;
pub(crate) mod form;
pub(crate) mod grant;
pub(crate) mod json;
mod jwt;
pub(crate) mod machine;
pub(crate) mod metadata;
mod pacing;
pub(crate) mod reply;
pub(crate) mod token;
pub(crate) mod uri;
pub(crate) mod verdict;
