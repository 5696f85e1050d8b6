//! Linux, macOS and the other Unix systems.

pub(crate) mod browser;
pub(crate) mod clock;
pub(crate) mod files;
#[cfg(feature = "__host")]
pub(crate) mod readable;
pub(crate) mod signals;
pub(crate) mod wake;

/// Whether the system's trust store is a file of certificates that OpenSSL also reads.
pub(crate) const TRUSTS_A_BUNDLE: bool = cfg!(not(target_vendor = "apple"));
