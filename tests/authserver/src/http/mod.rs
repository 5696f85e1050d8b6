//! HTTP/1.1 on a raw connection. A library would hide what this server is for: the bytes, their order and their timing.

pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod stream;

pub(crate) use connection::Connection;
pub(crate) use request::Request;
pub(crate) use response::{Body, Response};
