//! A revocation (RFC 7009).

use std::sync::Arc;

use super::{
    metadata::Metadata,
    reply::Reply,
    request::Request,
    settings::ClientSettings,
    single::{Single, SingleRequest},
    verdict,
};
use crate::{Error, ErrorKind, Secret};

#[derive(Debug)]
pub(crate) struct Revocation {
    token: Secret,
}

/// Returns the flow that revokes a token.
pub(crate) fn flow(client: Arc<ClientSettings>, token: Secret) -> SingleRequest<Revocation> {
    SingleRequest::new(client, Revocation { token })
}

impl Single for Revocation {
    type Output = ();

    fn request(&self, client: &ClientSettings, server: &Metadata) -> Result<Request, Error> {
        let message = "the server has no revocation endpoint: the token ends with its lifetime";
        Request::revocation(client, server, &self.token)
            .ok_or_else(|| Error::new(ErrorKind::Unsupported, message))
    }

    fn verdict(&self, reply: &Reply, client: &ClientSettings) -> Result<(), Error> {
        verdict::revoke::read(reply, &client.secrets_with(Some(&self.token)))
    }
}
