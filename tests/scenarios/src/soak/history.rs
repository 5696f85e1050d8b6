//! What the server saw of a session, and whether a client could have kept it. Pure.
//!
//! No client can keep a session if a refresh token was spent and its successor has not been saved: because the process
//! was killed between the two, or because the response was lost and the server has no grace for the same token.

use std::collections::BTreeMap;

/// One refresh request. Times are seconds on the server's clock.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) token: String,
    /// The number of the process. `None` if the request does not say.
    pub(crate) by: Option<usize>,
    pub(crate) arrived: f64,
    /// When the response was sent, or the client had left. `None` if the server never noticed.
    pub(crate) ended: Option<f64>,
    pub(crate) answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The token was exchanged for its successor.
    Rotated,
    /// The token was exchanged, and the script lost the response.
    Lost,
    /// Temporary trouble: the token stays good.
    Later,
    /// The server no longer accepts the token.
    Dead,
    /// The same, and the script lost the response.
    DeadUnheard,
    Other,
}

impl Answer {
    /// Whether the server has refused the token.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Dead | Self::DeadUnheard)
    }
}

/// The life of a process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Life {
    pub(crate) started: f64,
    pub(crate) ended: f64,
    pub(crate) killed: Option<f64>,
    /// When it was stopped, and when it went on.
    pub(crate) stops: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// How long the server accepts a token again, in seconds.
    pub(crate) grace: f64,
    /// In the order of arrival.
    pub(crate) sent: Vec<Sent>,
    pub(crate) lives: BTreeMap<usize, Life>,
    /// When the first logout or second login began.
    pub(crate) changed: Option<f64>,
}

/// Why a session is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The process was killed after the token was spent and before it could save the successor.
    Killed,
    /// The response was lost, and the server has no grace.
    ResponseLost,
    /// A client could have kept it. What was wrong.
    Avoidable(String),
}

/// The error of a conversion between the clocks.
const CLOCKS: f64 = 0.03;

/// How long a process may take from the response to the saved record, on a busy machine, without the time in which it
/// was stopped.
const SAVING: f64 = 1.5;

impl History {
    /// Returns each refresh that should not have been sent.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.overlaps();
        for (index, later) in self.sent.iter().enumerate() {
            let earlier = self.before(index).filter(|sent| sent.token == later.token).last();
            if let Some(earlier) = earlier
                && let Some(fault) = self.repeated(earlier, later)
            {
                faults.push(fault);
            }
            if later.answer == Answer::Other {
                faults.push(format!("{}: unexpected response", shown(later)));
            }
        }
        faults
    }

    /// Returns the requests of different processes that overlap: only the holder of the lock may send.
    fn overlaps(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (index, later) in self.sent.iter().enumerate() {
            for earlier in self.before(index).filter(|earlier| earlier.by != later.by) {
                let end = self.end_of(earlier);
                if later.arrived + CLOCKS < end {
                    let (earlier, later) = (shown(earlier), shown(later));
                    faults.push(format!("two refreshes at once: {earlier}, until {end:.3}, and {later}"));
                }
            }
        }
        faults
    }

    /// Returns what is wrong with sending the same token again.
    fn repeated(&self, earlier: &Sent, later: &Sent) -> Option<String> {
        let why = match earlier.answer {
            Answer::Later | Answer::Lost | Answer::DeadUnheard => return None,
            Answer::Rotated if self.was_killed_before_save(earlier) => return None,
            Answer::Dead if self.killed(earlier).is_some() => return None,
            Answer::Rotated => "after its successor was received",
            Answer::Dead => "although the server had refused it",
            Answer::Other => "after an unexpected response",
        };
        Some(format!("a token was sent again {why}: {}, then {}", shown(earlier), shown(later)))
    }

    /// Explains why the session is lost.
    pub(crate) fn loss(&self) -> Loss {
        let Some(last) = self.sent.iter().rfind(|sent| sent.answer.is_refusal()) else {
            return Loss::Avoidable("the server has refused no token".to_owned());
        };
        let of_token = |sent: &Sent| sent.token == last.token;
        let refused = self.sent.iter().position(|sent| of_token(sent) && sent.answer.is_refusal());
        let refused = refused.unwrap_or_default();
        let spent = self
            .before(refused)
            .enumerate()
            .find(|(_, sent)| of_token(sent) && matches!(sent.answer, Answer::Rotated | Answer::Lost));
        let Some((index, spent)) = spent else {
            let message = format!("the server refused a token that was not spent: {}", shown(last));
            return Loss::Avoidable(message);
        };
        let again = self.sent.get(refused).unwrap_or(last);
        let both = format!("{}, then {}", shown(spent), shown(again));
        // A token that was first seen in between came from a saved record.
        let is_new = |sent: &Sent| !of_token(sent) && !self.before(index).any(|old| old.token == sent.token);
        if self.changed.is_none() && self.before(refused).skip(index + 1).any(is_new) {
            return Loss::Avoidable(format!("a spent token was sent after its successor was used: {both}"));
        }
        if again.arrived - spent.arrived < self.grace - CLOCKS {
            return Loss::Avoidable(format!("a token was refused within the grace: {both}"));
        }
        match spent.answer {
            Answer::Lost => Loss::ResponseLost,
            _ if self.was_killed_before_save(spent) => Loss::Killed,
            _ => Loss::Avoidable(format!("a successor that was received was not saved: {both}")),
        }
    }

    fn before(&self, index: usize) -> impl Iterator<Item = &Sent> {
        self.sent.iter().take(index)
    }

    fn life(&self, sent: &Sent) -> Option<&Life> {
        self.lives.get(&sent.by?)
    }

    /// Returns when the sender was killed, if that was after the request.
    fn killed(&self, sent: &Sent) -> Option<f64> {
        self.life(sent)?.killed.filter(|killed| *killed + CLOCKS >= sent.arrived)
    }

    fn was_killed_before_save(&self, sent: &Sent) -> bool {
        let (Some(killed), Some(life)) = (self.killed(sent), self.life(sent)) else { return false };
        let Some(replied) = sent.ended else { return true };
        let stopped = |(from, to): &(f64, f64)| (to.min(killed) - from.max(replied)).max(0.0);
        killed <= replied + SAVING + life.stops.iter().map(stopped).sum::<f64>()
    }

    /// Returns when the client can have had no more to do with a request.
    fn end_of(&self, sent: &Sent) -> f64 {
        let process = self.life(sent).map_or(f64::INFINITY, |life| life.killed.unwrap_or(life.ended));
        sent.ended.unwrap_or(f64::INFINITY).min(process)
    }
}

/// Describes a request without its token.
fn shown(sent: &Sent) -> String {
    let by = sent.by.map_or_else(|| "an unknown process".to_owned(), |by| format!("process {by}"));
    format!("{by} at {:.3} ({:?})", sent.arrived, sent.answer)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
