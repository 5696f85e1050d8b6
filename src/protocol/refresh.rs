//! A refresh (RFC 6749 section 6).

use std::sync::Arc;

use super::{
    request::Request,
    settings::ClientSettings,
    single::{Kind, SingleRequest},
    token::TokenResponse,
    verdict,
};
use crate::Secret;

/// Returns the flow that exchanges a refresh token for new tokens.
pub(crate) fn flow(client: Arc<ClientSettings>, refresh_token: Secret) -> SingleRequest<Arc<TokenResponse>> {
    let kind = Kind {
        request: |client, server, token| Ok(Request::refresh(client, server, token)),
        verdict: |reply, client, token| {
            let mut response =
                verdict::refresh::read(reply, client.dialect, &client.secrets_with(Some(token)))?;
            // RFC 6749 section 6: if the response has no new refresh token, the old one stays valid.
            response.refresh_token.get_or_insert_with(|| token.clone());
            Ok(Arc::new(response.with_requested(&client.scopes)))
        },
    };
    SingleRequest::new(client, refresh_token, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        flow::{Effect, Flow, Input, Now},
        metadata::Metadata,
        reply::Reply,
    };

    /// Refreshes at a server without the device flow.
    fn refreshed(body: &str) -> Arc<TokenResponse> {
        let client = ClientSettings { scopes: vec!["asked".into()], ..ClientSettings::public("id") };
        let server = Metadata { device_authorization_endpoint: None, ..Metadata::example() };
        let mut flow = flow(Arc::new(client), Secret::new("old"));
        flow.advance(Input::Tick, Now::default());
        flow.advance(Input::Discovered(Arc::new(server)), Now::default());
        match flow.advance(Input::Reply(Reply::json(200, body)), Now::default()) {
            Effect::Finish(Ok(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    fn refresh_token_after(body: &str) -> String {
        refreshed(body).refresh_token.as_ref().unwrap().expose().to_owned()
    }

    // proves: R6749-6-04, R6749-6-05, P5-17
    #[test]
    fn the_old_refresh_token_is_kept_unless_replaced() {
        assert_eq!(refresh_token_after(r#"{"access_token":"a","token_type":"Bearer"}"#), "old");
        let rotated = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"new"}"#;
        assert_eq!(refresh_token_after(rotated), "new");
    }

    // proves: R6749-5.1-07
    #[test]
    fn a_missing_scope_means_the_requested_scope() {
        let plain = refreshed(r#"{"access_token":"a","token_type":"Bearer"}"#);
        assert_eq!(plain.scopes.as_ref().unwrap(), &["asked"]);
        let narrowed = refreshed(r#"{"access_token":"a","token_type":"Bearer","scope":"less"}"#);
        assert_eq!(narrowed.scopes.as_ref().unwrap(), &["less"]);
    }
}
