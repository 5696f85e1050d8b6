//! The protocol: RFC 8628, RFC 6749, RFC 7009, RFC 8414 and OpenID Connect. Pure: no I/O, no clock, no async.
//!
//! Each flow is one file: [`device`], [`refresh`], [`revoke`] and [`userinfo`]. They are state machines as described in
//! [`flow`]. [`verdict`] decides what a response means, with one table for each endpoint. The other modules contain the
//! wire formats.

pub(crate) mod device;
pub(crate) mod event;
pub(crate) mod flow;
pub(crate) mod grant;
mod id_token;
pub(crate) mod identification;
mod identity;
pub(crate) mod json;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod metadata;
mod pacing;
pub(crate) mod pkce;
pub(crate) mod refresh;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod revoke;
pub(crate) mod settings;
pub(crate) mod single;
pub(crate) mod token;
pub(crate) mod uri;
pub(crate) mod userinfo;
pub(crate) mod verdict;
