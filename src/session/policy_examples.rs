//! Records, responses and moments for the tests of the policy.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    protocol::token::{TokenResponse, authkit_example},
    session::{
        judgement::Jitter,
        record::{Owner, Protected, Variant},
    },
};

/// The lifetime of the access tokens.
pub(super) const LIFE: Duration = Duration::from_secs(300);

pub(super) const NO_REPLAY: Server =
    Server { replay_window: None, attempt: Duration::from_secs(15), connect: Duration::from_secs(10) };

pub(super) const AUTHKIT: Server = Server {
    replay_window: Some(Duration::from_secs(30)),
    attempt: Duration::from_secs(6),
    connect: Duration::from_secs(5),
};

pub(super) fn start() -> Moment {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    Moment { wall: hours(400_000), elapsed: hours(10), boot: None }
}

pub(super) fn ask() -> Ask {
    Ask {
        variant: Variant::default(),
        min_validity: Duration::from_secs(15),
        refused: None,
        force: false,
        jitter: Jitter::new(128),
    }
}

/// The response that issues the tokens with this number at this time.
pub(super) fn issued(number: u64, now: Moment) -> TokenResponse {
    let body = format!(
        r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","user":{{"id":"user_1"}}}}"#
    );
    let mut response = authkit_example(&body);
    response.expires_in = Some(LIFE);
    response.expires_at = Some(now.time_of_day() + LIFE);
    response
}

/// The record of a login at this time.
pub(super) fn login(now: Moment) -> Record {
    let owner = Owner { server: "https://h".into(), client_id: "id".into(), profile: "default".into() };
    Record::of_login(owner, "login-1".into(), Protected::File, &issued(0, now), now)
}

pub(super) fn refresh_token_of(record: &Record) -> String {
    record.tokens.refresh_token.as_ref().map_or(String::new(), |token| token.expose().to_owned())
}

pub(super) fn dead() -> Error {
    Error::login_required(ErrorReason::SessionEnded, "dead")
}

pub(super) fn network() -> Error {
    Error::new(ErrorKind::Network, "lost")
}

pub(super) fn full() -> Error {
    Error::store(ErrorReason::NoSpace, "full")
}

/// What a server would send for a refresh of this record.
pub(super) fn answer(record: &Record, ask: &Ask, number: u64, now: Moment) -> Answer {
    let response = issued(number, now);
    let record = Arc::new(record.refreshed(&ask.variant, ask.refused.as_ref(), &response, now));
    Answer::Issued { response: Arc::new(response), record }
}
