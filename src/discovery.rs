//! Asks a server for its metadata: RFC 8414 first, then OpenID Connect Discovery.

use crate::{
    protocol::{
        metadata::{Issuer, Metadata, NoMetadata},
        uri::Loopback,
    },
    transport::{Failure, Request, Transport},
};

/// At most two requests. The first address that has a document decides; what went wrong is told of the first address
/// alone when the second one simply has nothing.
pub(crate) async fn discover(
    issuer: &Issuer,
    loopback: Loopback,
    transport: &dyn Transport,
) -> Result<Metadata, Failure> {
    let [oauth, openid] = issuer.well_known();
    let first = match transport.send(Request { url: oauth.clone(), form: None }).await {
        Ok(reply) => match issuer.read(&reply, &oauth, loopback) {
            Ok(metadata) => return Ok(metadata),
            Err(NoMetadata::Refused(error)) => return Err(Failure::Broken(error)),
            Err(NoMetadata::Elsewhere(error)) => error,
        },
        Err(failure) => return Err(failure),
    };
    let reply = transport.send(Request { url: openid.clone(), form: None }).await?;
    issuer.read(&reply, &openid, loopback).map_err(|none| match none {
        NoMetadata::Refused(error) => Failure::Broken(error),
        NoMetadata::Elsewhere(second) => {
            let plain_absence = second.kind() == crate::ErrorKind::Unsupported;
            Failure::Broken(if plain_absence { first } else { second })
        }
    })
}
