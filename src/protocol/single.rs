//! A flow of one request, which is never repeated: discovery if needed, the request, then the verdict on the response.

use std::{fmt, sync::Arc};

use super::{
    flow::{Effect, Flow, Input, Now, not_sent, out_of_turn},
    metadata::Metadata,
    reply::Reply,
    request::Request,
    settings::ClientSettings,
};
use crate::Error;

/// What differs between two such flows.
pub(crate) trait Single: Send + fmt::Debug {
    type Output;

    /// Returns the request, or the reason why it cannot be sent to this server.
    fn request(&self, client: &ClientSettings, server: &Metadata) -> Result<Request, Error>;

    fn verdict(&self, reply: &Reply, client: &ClientSettings) -> Result<Self::Output, Error>;
}

/// The flow of one request.
#[derive(Debug)]
pub(crate) struct SingleRequest<S> {
    client: Arc<ClientSettings>,
    single: S,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Ready,
    Discovering,
    Sent,
    Ended,
}

impl<S> SingleRequest<S> {
    pub(super) fn new(client: Arc<ClientSettings>, single: S) -> Self {
        Self { client, single, state: State::Ready }
    }
}

impl<S: Single> Flow for SingleRequest<S> {
    type Output = S::Output;

    fn advance(&mut self, input: Input, _: Now) -> Effect<S::Output> {
        let (state, effect) = match (self.state, input) {
            (State::Ready, Input::Tick) => (State::Discovering, Effect::Discover),
            (State::Discovering, Input::Discovered(server)) => {
                match self.single.request(&self.client, &server) {
                    Ok(request) => (State::Sent, Effect::Send { request, not_after: None }),
                    Err(error) => finish(Err(error)),
                }
            }
            (State::Sent, Input::Reply(reply)) => finish(self.single.verdict(&reply, &self.client)),
            (state @ (State::Discovering | State::Sent), Input::Tick) => {
                (state, Effect::Wait { until: None })
            }
            (State::Discovering | State::Sent, Input::NotSent) => finish(Err(not_sent())),
            (_, Input::Lost(_, error) | Input::Failed(error)) => finish(Err(error)),
            (_, Input::Discovered(_) | Input::Keys(_) | Input::Reply(_) | Input::NotSent | Input::Tick) => {
                finish(Err(out_of_turn()))
            }
        };
        self.state = state;
        effect
    }
}

fn finish<T>(outcome: Result<T, Error>) -> (State, Effect<T>) {
    (State::Ended, Effect::Finish(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, RetryReason, Secret, protocol::revoke};

    fn discovered() -> Input {
        Input::Discovered(Arc::new(Metadata::example()))
    }

    fn end_of(inputs: impl IntoIterator<Item = Input>) -> Result<(), ErrorKind> {
        let mut flow = revoke::flow(Arc::new(ClientSettings::public("id")), Secret::new("ref-1"));
        let mut last = None;
        for input in inputs {
            last = Some(flow.advance(input, Now::default()));
        }
        match last {
            Some(Effect::Finish(outcome)) => outcome.map(drop).map_err(|error| error.kind()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_single_request_after_discovery_decides_the_outcome() {
        let lost = || Input::Lost(RetryReason::Timeout, Error::new(ErrorKind::Network, "lost"));
        let success = || Input::Reply(Reply::json(200, ""));
        assert_eq!(end_of([Input::Tick, Input::Tick, discovered(), Input::Tick, success()]), Ok(()));
        assert_eq!(end_of([Input::Tick, lost()]), Err(ErrorKind::Network));
        assert_eq!(end_of([Input::Tick, discovered(), lost()]), Err(ErrorKind::Network));
        assert_eq!(end_of([Input::Tick, discovered(), Input::NotSent]), Err(ErrorKind::Network));
    }

    #[test]
    fn an_unexpected_input_is_an_internal_error() {
        for input in [discovered(), Input::NotSent, Input::Reply(Reply::json(200, ""))] {
            assert_eq!(end_of([input]), Err(ErrorKind::Internal));
        }
        let after_the_end = [Input::Tick, discovered(), Input::NotSent, Input::Tick];
        assert_eq!(end_of(after_the_end), Err(ErrorKind::Internal));
    }
}
