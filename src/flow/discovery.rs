//! A server's metadata: RFC 8414 first, then OpenID Connect Discovery.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    keys::KeyCache,
    transport::{Failure, Transport},
};
use crate::{
    Error, ErrorKind,
    clock::Clock,
    engine::drive_pool,
    process::lock,
    protocol::{
        metadata::{Issuer, Metadata, NoMetadata},
        request::Request,
        uri::Loopback,
    },
};

/// The time after which the metadata is requested again.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The source of the endpoints.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Known(Arc<Metadata>),
    Discover(Issuer),
}

/// The server of a client: its endpoints, once they are known.
#[derive(Debug)]
pub(crate) struct Server {
    /// `None` if the endpoints never change.
    issuer: Option<Issuer>,
    loopback: Loopback,
    /// The metadata, and the time when it was requested.
    metadata: Mutex<Option<(Arc<Metadata>, Duration)>>,
    pub(super) keys: KeyCache,
}

impl Server {
    pub(crate) fn new(source: Source, loopback: Loopback) -> Self {
        let (issuer, metadata) = match source {
            Source::Known(metadata) => (None, Some((metadata, Duration::ZERO))),
            Source::Discover(issuer) => (Some(issuer), None),
        };
        Self { issuer, loopback, metadata: Mutex::new(metadata), keys: KeyCache::default() }
    }

    /// Returns the metadata if no request is needed for it.
    pub(crate) fn known(&self, clock: &dyn Clock) -> Result<Option<Arc<Metadata>>, Error> {
        let metadata = lock(&self.metadata)?;
        let is_fresh = |fetched_at: Duration| clock.now().elapsed.saturating_sub(fetched_at) < MAX_AGE;
        Ok(metadata
            .as_ref()
            .filter(|(_, fetched_at)| self.issuer.is_none() || is_fresh(*fetched_at))
            .map(|(metadata, _)| Arc::clone(metadata)))
    }

    /// Fetches the metadata and stores it.
    pub(crate) async fn discover(
        &self,
        transport: &dyn Transport,
        clock: &dyn Clock,
    ) -> Result<Arc<Metadata>, Failure> {
        let asked_at = clock.now().elapsed;
        let Some(issuer) = &self.issuer else {
            return Err(Failure::Permanent(Error::internal("a server without an issuer was asked for one")));
        };
        let metadata = Arc::new(fetch(issuer, self.loopback, transport).await?);
        if metadata.lacks_device_endpoint() {
            // The server may be repaired before the document is old.
            return Ok(metadata);
        }
        *lock(&self.metadata).map_err(Failure::Permanent)? = Some((Arc::clone(&metadata), asked_at));
        Ok(metadata)
    }
}

/// Fetches the metadata with at most two requests. The first URL that has a document decides; only the endpoint of the
/// device flow is also looked for at the second URL, if the first document has it not although it lists the flow. If
/// there is no document, the error is that of the first URL.
async fn fetch(issuer: &Issuer, loopback: Loopback, transport: &dyn Transport) -> Result<Metadata, Failure> {
    let [oauth, openid] = issuer.well_known();
    let reply = transport.send(Request::document(oauth.clone())).await?;
    let first = match issuer.read(&reply, &oauth, loopback) {
        Ok(metadata) if metadata.lacks_device_endpoint() => Ok(metadata),
        Ok(metadata) => return Ok(metadata),
        Err(NoMetadata::Refused(error)) => return Err(Failure::Permanent(error)),
        Err(NoMetadata::Elsewhere(error)) => Err(error),
    };
    drive_pool().await;
    let reply = transport.send(Request::document(openid.clone())).await?;
    let second = issuer.read(&reply, &openid, loopback);
    let (first, second) = match (first, second) {
        (Ok(_), Err(NoMetadata::Elsewhere(error))) if error.kind() == ErrorKind::Network => {
            return Err(Failure::Permanent(error));
        }
        (Ok(metadata), second) => {
            // What the first document has is enough to refresh and to revoke.
            let device_authorization_endpoint =
                second.ok().and_then(|second| second.device_authorization_endpoint);
            return Ok(Metadata { device_authorization_endpoint, ..metadata });
        }
        (Err(error), second) => (error, second),
    };
    second.map_err(|none| match none {
        NoMetadata::Refused(error) => Failure::Permanent(error),
        NoMetadata::Elsewhere(second) => {
            let plain_absence = second.kind() == ErrorKind::Unsupported;
            Failure::Permanent(if plain_absence { first } else { second })
        }
    })
}
