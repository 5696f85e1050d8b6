//! What follows a token response: the check of its ID token, with the keys of the server.

use std::{mem, sync::Arc};

use super::{
    event::Event,
    flow::{Effect, Flow, Input, Notice, Now, out_of_turn},
    id_token::{self, Expected, Refusal},
    keys::KeySet,
    metadata::{Issuer, Metadata},
    settings::ClientSettings,
    token::TokenResponse,
};
use crate::{Error, ErrorKind, Identity, sanitize, secret::Masker};

type Tokens = Arc<TokenResponse>;

/// A token response whose ID token is being checked.
#[derive(Debug)]
pub(crate) struct Identification {
    client: Arc<ClientSettings>,
    server: Arc<Metadata>,
    response: Box<TokenResponse>,
    origin: Origin,
    state: State,
}

/// What the response is to.
#[derive(Debug)]
pub(super) enum Origin {
    Login,
    /// With the user that the program expects.
    Refresh(Option<String>),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The keys are being fetched, for the second time if they are renewed.
    Fetching { renewed: bool },
    /// The program has the event that the identity is not verified.
    Reported,
}

/// The state after a step, if there is one, and what to do.
pub(super) type Transition = (Option<Identification>, Effect<Tokens>);

impl Identification {
    /// Begins the check.
    pub(super) fn begin(
        client: &Arc<ClientSettings>,
        server: &Arc<Metadata>,
        response: TokenResponse,
        origin: Origin,
    ) -> Transition {
        let this = Self {
            client: Arc::clone(client),
            server: Arc::clone(server),
            response: Box::new(response),
            origin,
            state: State::Fetching { renewed: false },
        };
        if !client.verify_id_token || this.response.id_token.is_none() || server.issuer.is_none() {
            return this.finish();
        }
        this.fetch(false)
    }

    pub(super) fn advance(self, input: Input) -> Transition {
        match (self.state, input) {
            (State::Fetching { renewed }, Input::Keys(Ok(keys))) => match self.verify(&keys) {
                Ok(identity) => self.identified(identity),
                Err(Refusal::UnknownKey) if !renewed => self.fetch(true),
                Err(Refusal::UnknownKey) => self.refuse("the server has no key for its signature"),
                Err(Refusal::Because(what)) => self.refuse(&what),
            },
            (
                State::Fetching { .. },
                Input::Keys(Err(error)) | Input::Lost(_, error) | Input::Failed(error),
            ) => self.report(&error.to_string()),
            (State::Fetching { .. }, Input::NotSent) => {
                self.report("too many requests of this client are under way")
            }
            (State::Fetching { .. }, _) => (Some(self), Effect::Wait { until: None }),
            (State::Reported, _) => self.finish(),
        }
    }

    /// The tokens, if the check is not waited for.
    pub(super) fn into_response(self) -> Tokens {
        Arc::from(self.response)
    }

    fn fetch(self, renewed: bool) -> Transition {
        match self.server.jwks_uri.clone() {
            Some(url) => {
                let this = Self { state: State::Fetching { renewed }, ..self };
                (Some(this), Effect::FetchKeys { url, renew: renewed })
            }
            None => self.report("the server's metadata names no keys (`jwks_uri`)"),
        }
    }

    fn report(self, why: &str) -> Transition {
        let message = sanitize(&format!("the ID token was not verified, so the user is not known: {why}"));
        let event = Event::IdentityUnverified { message };
        (Some(Self { state: State::Reported, ..self }), Effect::Tell(Notice::Event(event)))
    }

    fn verify(&self, keys: &KeySet) -> Result<Identity, Refusal> {
        let Some(token) = &self.response.id_token else { return Err("it is missing".into()) };
        let nonce =
            self.client.params.iter().find(|(name, _)| name == "nonce").map(|(_, value)| value.as_str());
        let expected = Expected {
            issuer: self.server.issuer.as_ref().map_or("", Issuer::as_str),
            client_id: &self.client.client_id,
            nonce,
            is_refresh: matches!(self.origin, Origin::Refresh(_)),
            access_token: &self.response.access_token,
            now: self.response.received,
        };
        // The user's own data may contain a value that the client sends, such as the name of a tenant.
        id_token::verify(token, keys, &expected, &self.response.masker())
    }

    fn masker(&self) -> Masker {
        Masker::new(self.client.secrets_with(self.response.issued()))
    }

    fn identified(mut self, identity: Identity) -> Transition {
        self.response.identity = Some(identity);
        self.finish()
    }

    fn finish(self) -> Transition {
        if let (Some(identity), Origin::Refresh(Some(subject))) = (&self.response.identity, &self.origin)
            && identity.subject() != subject
        {
            let message = "the server's response is for another user: log in again";
            return (None, Effect::Finish(Err(Error::new(ErrorKind::InvalidResponse, message))));
        }
        (None, Effect::Finish(Ok(self.into_response())))
    }

    fn refuse(self, what: &str) -> Transition {
        let message = format!("the server's ID token was refused: {}", self.masker().hide(what));
        (None, Effect::Finish(Err(Error::new(ErrorKind::InvalidResponse, sanitize(&message)))))
    }
}

/// The flow that checks the ID token of a response that is there already.
#[derive(Debug)]
pub(crate) enum IdentifyFlow {
    Ready(Arc<ClientSettings>, Arc<Metadata>, Box<TokenResponse>),
    Checking(Identification),
    Ended,
}

impl IdentifyFlow {
    pub(crate) fn new(client: &Arc<ClientSettings>, server: &Arc<Metadata>, response: TokenResponse) -> Self {
        Self::Ready(Arc::clone(client), Arc::clone(server), Box::new(response))
    }
}

impl Flow for IdentifyFlow {
    type Output = Tokens;

    fn advance(&mut self, input: Input, _now: Now) -> Effect<Tokens> {
        let (next, effect) = match (mem::replace(self, Self::Ended), input) {
            (Self::Ready(client, server, response), Input::Tick) => {
                Identification::begin(&client, &server, *response, Origin::Refresh(None))
            }
            (Self::Checking(identification), input) => identification.advance(input),
            (Self::Ready(..) | Self::Ended, _) => return Effect::Finish(Err(out_of_turn())),
        };
        *self = next.map_or(Self::Ended, Self::Checking);
        effect
    }
}

#[cfg(test)]
#[path = "identification_tests.rs"]
mod tests;
