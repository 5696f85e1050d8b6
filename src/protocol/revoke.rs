//! A revocation (RFC 7009).

use std::sync::Arc;

use super::{
    request::Request,
    settings::ClientSettings,
    single::{Kind, SingleRequest},
    verdict,
};
use crate::{Error, ErrorKind, Secret};

/// Returns the flow that revokes a token.
pub(crate) fn flow(client: Arc<ClientSettings>, token: Secret) -> SingleRequest<()> {
    let kind = Kind {
        request: |client, server, token| {
            Request::revocation(client, server, token).ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    "the server has no revocation endpoint: the token ends with its lifetime",
                )
            })
        },
        verdict: |reply, client, token| verdict::revoke::read(reply, &client.secrets_with(Some(token))),
    };
    SingleRequest::new(client, token, kind)
}
