//! Whether an access token is fresh, due or unknown, by the clock of this machine.

use std::time::Duration;

use super::{
    moment::Moment,
    record::{Access, Record, Variant},
};
use crate::{Error, ErrorReason, Secret};

/// The default of [`TokenOptions::min_validity`](crate::TokenOptions::min_validity).
pub(crate) const MIN_VALIDITY: Duration = Duration::from_secs(15);

/// A token is refreshed early in the last fifth of its lifetime.
const EARLY_PART: u32 = 5;

/// The longest time before its end in which a token is refreshed early.
const LONGEST_EARLY: Duration = Duration::from_secs(300);

/// The largest deviation of a process from the moment at which an early refresh is due, in per cent: not all processes
/// of a machine refresh at the same moment.
const JITTER_PER_CENT: u32 = 25;

/// What a caller wants.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) variant: Variant,
    pub(crate) min_validity: Duration,
    /// An access token that an API has refused.
    pub(crate) refused: Option<Secret>,
    /// Refresh in any case.
    pub(crate) force: bool,
    pub(crate) jitter: Jitter,
}

/// The deviation of this process, in per cent of the early time: 75 to 125.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jitter(u32);

impl Jitter {
    pub(crate) fn new(random: u8) -> Self {
        let range = JITTER_PER_CENT.saturating_mul(2);
        let least = 100_u32.saturating_sub(JITTER_PER_CENT);
        Self(least.saturating_add(u32::from(random).saturating_mul(range) / u32::from(u8::MAX)))
    }

    fn of(self, time: Duration) -> Duration {
        (time / 100).saturating_mul(self.0)
    }
}

/// What is due.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// Nothing: the token is good.
    Fresh,
    /// The token is good, and a refresh now spares the next caller the wait.
    Early,
    /// There is no token to give without a refresh.
    Urgent,
    /// There is no token to give, and none can be had.
    Over(Error),
}

impl PartialEq for Judgement {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Ask {
    /// Returns the access token of a record if it satisfies the caller. A token of unknown lifetime does until it is
    /// refused.
    pub(crate) fn usable(&self, record: &Record, now: Moment) -> Option<Access> {
        record.access(&self.variant).filter(|access| self.is_valid(access, now) && !self.is_refused(access))
    }

    /// Returns whether a token that another call returned is what this one asks for. A new one is, even if its life is
    /// shorter.
    pub(crate) fn accepts(&self, access: &Access, is_new: bool, now: Moment) -> bool {
        !self.force && !self.is_refused(access) && (is_new || self.is_valid(access, now))
    }

    fn is_valid(&self, access: &Access, now: Moment) -> bool {
        access.times.left(now).is_none_or(|left| left >= self.min_validity && !left.is_zero())
    }

    fn is_refused(&self, access: &Access) -> bool {
        self.refused.as_ref() == Some(&access.token)
    }
}

/// Decides what is due.
pub(crate) fn judge(record: &Record, ask: &Ask, now: Moment) -> Judgement {
    let usable = ask.usable(record, now);
    if !record.header.has_refresh_token {
        return match usable {
            Some(_) if !ask.force => Judgement::Fresh,
            _ => Judgement::Over(over(record)),
        };
    }
    match usable {
        _ if ask.force => Judgement::Urgent,
        Some(access) if is_early(&access, ask.jitter, now) => Judgement::Early,
        Some(_) => Judgement::Fresh,
        None if is_refused_again(record, ask) => Judgement::Over(refused_again()),
        None => Judgement::Urgent,
    }
}

fn is_early(access: &Access, jitter: Jitter, now: Moment) -> bool {
    let (Some(left), Some(life)) = (access.times.left(now), access.times.lifetime()) else { return false };
    left < jitter.of((life / EARLY_PART).min(LONGEST_EARLY))
}

/// Whether a refresh was made for this refused token already, and the server issued the same one again.
fn is_refused_again(record: &Record, ask: &Ask) -> bool {
    ask.refused.is_some()
        && record.tokens.refused == ask.refused
        && record.access(&ask.variant).map(|access| access.token) == ask.refused
}

pub(crate) fn refused_again() -> Error {
    let message = "the API refuses the token that the server issues: check the audience and the scopes";
    Error::new(crate::ErrorKind::Rejected, message)
}

/// Returns why a session without a refresh token gives nothing.
fn over(record: &Record) -> Error {
    match record.header.ended {
        Some(why) => Error::login_required(why.reason(), "the session has ended: log in again"),
        None => {
            let message =
                "the access token has expired, and the server issued no refresh token: log in again";
            Error::login_required(ErrorReason::TokenExpired, message)
        }
    }
}
