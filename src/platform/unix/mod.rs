//! Linux, macOS and the other Unix systems.

pub(crate) mod browser;
pub(crate) mod clock;
pub(crate) mod signals;
pub(crate) mod wake;
