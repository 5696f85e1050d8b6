//! A refresh (RFC 6749 section 6).

use std::{mem, sync::Arc};

use super::{
    flow::{Effect, Flow, Input, Now, out_of_turn},
    identification::{Identification, Origin, Transition},
    metadata::Metadata,
    reply::Reply,
    request::Request,
    settings::{ClientSettings, RefreshOptions},
    single::{Single, SingleRequest},
    token::TokenResponse,
    verdict,
};
use crate::{Error, Secret};

type Tokens = Arc<TokenResponse>;

/// The flow that exchanges a refresh token for new tokens, and then checks their ID token.
#[derive(Debug)]
pub(crate) struct RefreshFlow {
    client: Arc<ClientSettings>,
    subject: Option<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The server is known after discovery.
    Requesting(SingleRequest<Refresh>, Option<Arc<Metadata>>),
    Identifying(Identification),
    Ended,
}

/// Returns the flow that exchanges a refresh token for new tokens.
pub(crate) fn flow(
    client: Arc<ClientSettings>,
    refresh_token: Secret,
    options: RefreshOptions,
) -> RefreshFlow {
    let subject = options.subject.clone();
    let request = SingleRequest::new(Arc::clone(&client), Refresh { refresh_token, options });
    RefreshFlow { client, subject, state: State::Requesting(request, None) }
}

impl Flow for RefreshFlow {
    type Output = Tokens;

    fn advance(&mut self, input: Input, now: Now) -> Effect<Tokens> {
        match mem::replace(&mut self.state, State::Ended) {
            State::Requesting(mut request, server) => {
                let server = match &input {
                    Input::Discovered(server) => Some(Arc::clone(server)),
                    _ => server,
                };
                match (request.advance(input, now).into_result(), server) {
                    (Ok(response), Some(server)) => {
                        let origin = Origin::Refresh(self.subject.take());
                        self.identifying(Identification::begin(&self.client, &server, response, origin))
                    }
                    (Ok(response), None) => Effect::Finish(Ok(Arc::new(response))),
                    (Err(effect), server) => {
                        self.state = State::Requesting(request, server);
                        effect
                    }
                }
            }
            State::Identifying(identification) => self.identifying(identification.advance(input)),
            State::Ended => Effect::Finish(Err(out_of_turn())),
        }
    }

    fn interrupt(&mut self) -> Option<Tokens> {
        match mem::replace(&mut self.state, State::Ended) {
            State::Identifying(identification) => Some(identification.into_response()),
            _ => None,
        }
    }
}

impl RefreshFlow {
    fn identifying(&mut self, (identification, effect): Transition) -> Effect<Tokens> {
        self.state = identification.map_or(State::Ended, State::Identifying);
        effect
    }
}

#[derive(Debug)]
pub(crate) struct Refresh {
    refresh_token: Secret,
    options: RefreshOptions,
}

impl Single for Refresh {
    type Output = TokenResponse;

    fn request(&self, client: &ClientSettings, server: &Metadata) -> Result<Request, Error> {
        Ok(Request::refresh(client, server, &self.refresh_token, &self.options))
    }

    fn verdict(&self, reply: &Reply, client: &ClientSettings) -> Result<TokenResponse, Error> {
        let secrets = client.secrets_with(Some(&self.refresh_token));
        let mut response = verdict::refresh::read(reply, client.dialect, &secrets)?;
        // RFC 6749 section 6: if the response has no new refresh token, the old one stays valid.
        response.refresh_token.get_or_insert_with(|| self.refresh_token.clone());
        let requested = if self.options.scopes.is_empty() { &client.scopes } else { &self.options.scopes };
        Ok(response.with_requested(requested))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Refreshes at a server without the device flow.
    fn refreshed(body: &str) -> Arc<TokenResponse> {
        let client = ClientSettings { scopes: vec!["asked".into()], ..ClientSettings::public("id") };
        let server = Metadata { device_authorization_endpoint: None, ..Metadata::example() };
        let mut flow = flow(Arc::new(client), Secret::new("old"), RefreshOptions::new());
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
