//! A userinfo request (OpenID Connect Core section 5.3).

use std::{mem, sync::Arc};

use url::Url;

use super::{
    flow::{Effect, Flow, Input, Now, not_sent, out_of_turn},
    metadata::{Issuer, Metadata, NoMetadata},
    request::Request,
    settings::ClientSettings,
    verdict,
};
use crate::{Error, ErrorKind, Identity, Secret};

/// The flow that asks who the user of an access token is.
#[derive(Debug)]
pub(crate) struct UserinfoFlow {
    client: Arc<ClientSettings>,
    access_token: Secret,
    /// The user that the program expects.
    subject: Option<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    Ready,
    Discovering,
    /// The metadata lacks the endpoint. The document of OpenID Connect, at this URL, may have it.
    Reading(Box<Issuer>, Url),
    Sent,
    Ended,
}

type Transition = (State, Effect<Identity>);

impl UserinfoFlow {
    pub(crate) fn new(client: Arc<ClientSettings>, access_token: Secret, subject: Option<String>) -> Self {
        Self { client, access_token, subject, state: State::Ready }
    }

    fn next(&self, state: State, input: Input) -> Transition {
        match (state, input) {
            (State::Ready, Input::Tick) => (State::Discovering, Effect::Discover),
            (State::Discovering, Input::Discovered(server)) => {
                match (&server.userinfo_endpoint, &server.issuer) {
                    (None, Some(issuer)) => {
                        let [_, url] = issuer.well_known();
                        let effect =
                            Effect::Send { request: Request::document(url.clone()), not_after: None };
                        (State::Reading(Box::new(issuer.clone()), url), effect)
                    }
                    _ => self.ask(&server),
                }
            }
            (State::Reading(issuer, url), Input::Reply(reply)) => {
                match issuer.read(&reply, &url, self.client.loopback) {
                    Ok(server) => self.ask(&server),
                    Err(NoMetadata::Elsewhere(error)) if error.kind() != ErrorKind::Network => {
                        finish(Err(no_endpoint()))
                    }
                    Err(NoMetadata::Elsewhere(error) | NoMetadata::Refused(error)) => finish(Err(error)),
                }
            }
            (State::Sent, Input::Reply(reply)) => {
                let secrets = self.client.secrets_with(Some(&self.access_token));
                let token = self.access_token.expose();
                finish(verdict::userinfo::read(&reply, self.subject.as_deref(), token, &secrets))
            }
            (state @ (State::Discovering | State::Reading(..) | State::Sent), Input::Tick) => {
                (state, Effect::Wait { until: None })
            }
            (State::Discovering | State::Reading(..) | State::Sent, Input::NotSent) => {
                finish(Err(not_sent()))
            }
            (_, Input::Lost(_, error) | Input::Failed(error)) => finish(Err(error)),
            (_, Input::Discovered(_) | Input::Keys(_) | Input::Reply(_) | Input::NotSent | Input::Tick) => {
                finish(Err(out_of_turn()))
            }
        }
    }

    fn ask(&self, server: &Metadata) -> Transition {
        match Request::userinfo(server, &self.access_token) {
            Some(request) => (State::Sent, Effect::Send { request, not_after: None }),
            None => finish(Err(no_endpoint())),
        }
    }
}

impl Flow for UserinfoFlow {
    type Output = Identity;

    fn advance(&mut self, input: Input, _: Now) -> Effect<Identity> {
        let state = mem::replace(&mut self.state, State::Ended);
        let (state, effect) = self.next(state, input);
        self.state = state;
        effect
    }
}

fn finish(outcome: Result<Identity, Error>) -> Transition {
    (State::Ended, Effect::Finish(outcome))
}

fn no_endpoint() -> Error {
    let message = "the server has no userinfo endpoint, or the client does not know its issuer";
    Error::new(ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::reply::Reply;

    const USER: &str = r#"{"sub":"u1"}"#;

    /// Returns the URLs that were requested, and the outcome.
    fn asked(server: Metadata, replies: &[(u16, &str)]) -> (Vec<String>, Result<String, ErrorKind>) {
        let mut flow = UserinfoFlow::new(Arc::new(ClientSettings::public("id")), Secret::new("acc-1"), None);
        flow.advance(Input::Tick, Now::default());
        let mut effect = flow.advance(Input::Discovered(Arc::new(server)), Now::default());
        let (mut urls, mut replies) = (Vec::new(), replies.iter());
        loop {
            match effect {
                Effect::Send { request, .. } => {
                    let with_token = request
                        .authorization
                        .as_ref()
                        .is_some_and(|header| *header.as_str() == *"Bearer acc-1");
                    assert_eq!(with_token, request.url.path().ends_with("userinfo"));
                    urls.push(request.url.to_string());
                    let (status, body) = replies.next().unwrap();
                    assert!(matches!(
                        flow.advance(Input::Tick, Now::default()),
                        Effect::Wait { until: None }
                    ));
                    effect = flow.advance(Input::Reply(Reply::json(*status, body)), Now::default());
                }
                Effect::Finish(outcome) => {
                    let outcome = outcome.map(|user| user.subject().to_owned());
                    return (urls, outcome.map_err(|error| error.kind()));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_endpoint_of_the_metadata_is_asked() {
        let (urls, outcome) = asked(Metadata::example(), &[(200, USER)]);
        assert_eq!((urls, outcome), (vec!["https://h/userinfo".to_owned()], Ok("u1".to_owned())));
    }

    #[test]
    fn the_document_of_openid_connect_may_name_the_endpoint() {
        let lacking = || Metadata { userinfo_endpoint: None, ..Metadata::example() };
        let openid = "https://h/.well-known/openid-configuration".to_owned();
        let good = r#"{"issuer":"https://h","token_endpoint":"https://h/t","userinfo_endpoint":"https://h/x/userinfo"}"#;
        let (urls, outcome) = asked(lacking(), &[(200, good), (200, USER)]);
        assert_eq!(urls, [openid.clone(), "https://h/x/userinfo".into()]);
        assert_eq!(outcome, Ok("u1".to_owned()));
        let without = r#"{"issuer":"https://h","token_endpoint":"https://h/t"}"#;
        for (status, body, kind) in [
            (404, "", ErrorKind::Unsupported),
            (200, without, ErrorKind::Unsupported),
            (503, "", ErrorKind::Network),
            (200, r#"{"issuer":"https://other"}"#, ErrorKind::InvalidResponse),
        ] {
            assert_eq!(asked(lacking(), &[(status, body)]), (vec![openid.clone()], Err(kind)), "{body}");
        }
        let unknown = Metadata { issuer: None, userinfo_endpoint: None, ..Metadata::example() };
        assert_eq!(asked(unknown, &[]), (Vec::new(), Err(ErrorKind::Unsupported)));
    }
}
