//! The settings of the transport.

use std::{fmt, sync::Arc, time::Duration};

use super::proxy::ProxyServer;
use crate::Secret;

/// The settings that the transport needs. Created by the client's builder.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) user_agent: String,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) ca_pem: Vec<Pem>,
    pub(crate) proxy: Option<ProxyServer>,
    pub(crate) timeouts: Timeouts,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header values and proxy URLs may contain credentials.
        f.debug_struct("Settings")
            .field("user_agent", &self.user_agent)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The PEM text of certificates. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Pem(Arc<[u8]>);

impl Pem {
    pub(crate) fn new(text: Vec<u8>) -> Self {
        Self(text.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

/// The time limits of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(15),
            total: Duration::from_secs(25),
        }
    }
}
