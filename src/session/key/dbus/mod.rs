//! As much of D-Bus as the key store needs: one connection, and method calls on it, one after the other.
//!
//! A client of our own, because every wait must end: a bus that accepts connections and then says nothing is met in
//! containers and over SSH. There is one deadline for everything, no thread, and a limit on every input.

mod address;
mod connection;
mod wire;

use std::fmt;

use zeroize::Zeroizing;

pub(super) use self::{
    address::{Address, session_bus},
    connection::Connection,
    wire::{Call, Reader, Writer},
};

/// Why a call has no reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// No bus accepts a connection, with the reason.
    Unreachable(String),
    /// The bus does not accept this user.
    Refused,
    TimedOut,
    /// The bus ended the connection.
    Closed,
    /// The other end does not follow the specification.
    Invalid,
    /// The reply is an error of this name.
    Remote(String),
}

/// A successful reply to a call.
pub(super) struct Reply(Zeroizing<Vec<u8>>);

impl Reply {
    /// Returns the body if it has these types.
    pub(super) fn body(&self, signature: &str) -> Result<Reader<'_>, Error> {
        let message = wire::parse(&self.0).ok_or(Error::Invalid)?;
        if message.signature == signature { Ok(message.body) } else { Err(Error::Invalid) }
    }
}

impl fmt::Debug for Reply {
    /// Without the body: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reply").field(&format_args!("{} bytes", self.0.len())).finish()
    }
}
