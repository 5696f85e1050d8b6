//! What was granted: sessions, their refresh tokens, and what was revoked. Pure: the time comes from outside.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::Flavor;
use crate::random;

/// One granted login.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) flavor: Flavor,
    pub(crate) organization_id: Option<String>,
    ended: bool,
}

#[derive(Debug)]
struct Refresh {
    session: String,
    /// When it was exchanged, and for which token.
    exchanged: Option<(Instant, String)>,
}

/// All sessions of a server.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    sessions: HashMap<String, Session>,
    refresh_tokens: HashMap<String, Refresh>,
    revoked_access_tokens: HashSet<String>,
}

/// How refresh tokens are treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) rotate: bool,
    /// An exchanged token may be replayed for this long.
    pub(crate) grace: Duration,
}

impl Sessions {
    /// Opens a session; with a refresh token if it may be refreshed.
    pub(crate) fn open(
        &mut self,
        client_id: &str,
        scope: &str,
        flavor: Flavor,
        organization_id: Option<String>,
    ) -> (Session, Option<String>) {
        let session = Session {
            id: random::id("session_"),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            flavor,
            organization_id,
            ended: false,
        };
        let refreshable =
            flavor == Flavor::AuthKit || scope.split(' ').any(|scope| scope == "offline_access");
        let refresh_token = refreshable.then(|| self.refresh_token(&session.id));
        self.sessions.insert(session.id.clone(), session.clone());
        (session, refresh_token)
    }

    fn refresh_token(&mut self, session: &str) -> String {
        let token = random::long();
        let refresh = Refresh { session: session.to_owned(), exchanged: None };
        self.refresh_tokens.insert(token.clone(), refresh);
        token
    }

    /// Exchanges a refresh token; the new one is None where tokens are not rotated. An error is what the client is told.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        rotation: Rotation,
        now: Instant,
    ) -> Result<(Session, Option<String>), &'static str> {
        let refresh = self.refresh_tokens.get(token).ok_or("Invalid refresh token.")?;
        let session = self.sessions.get_mut(&refresh.session).ok_or("Invalid refresh token.")?;
        if session.client_id != client_id {
            return Err("Invalid refresh token.");
        }
        if session.ended {
            return Err("Session has already ended.");
        }
        let session = match &refresh.exchanged {
            Some((at, successor)) if now.saturating_duration_since(*at) < rotation.grace => {
                return Ok((session.clone(), Some(successor.clone())));
            }
            Some(_) => {
                // Two parties hold the token: nobody can tell which is the thief.
                session.ended = true;
                return Err("Refresh token already exchanged.");
            }
            None => session.clone(),
        };
        if !rotation.rotate {
            return Ok((session, None));
        }
        let successor = self.refresh_token(&session.id);
        if let Some(refresh) = self.refresh_tokens.get_mut(token) {
            refresh.exchanged = Some((now, successor.clone()));
        }
        Ok((session, Some(successor)))
    }

    pub(crate) fn move_to(&mut self, session: &str, organization_id: &str) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.organization_id = Some(organization_id.to_owned());
        }
    }

    /// The session that a refresh token belongs to.
    pub(crate) fn of_refresh_token(&self, token: &str) -> Option<&Session> {
        self.sessions.get(&self.refresh_tokens.get(token)?.session)
    }

    /// The session of an access token, if both are still good.
    pub(crate) fn of_access_token(&self, session: &str, token_id: &str) -> Option<&Session> {
        let session = self.sessions.get(session).filter(|session| !session.ended)?;
        (!self.revoked_access_tokens.contains(token_id)).then_some(session)
    }

    pub(crate) fn end(&mut self, session: &str) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.ended = true;
        }
    }

    pub(crate) fn revoke_access_token(&mut self, token_id: &str) {
        self.revoked_access_tokens.insert(token_id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Rotation = Rotation { rotate: true, grace: Duration::ZERO };
    const LENIENT: Rotation = Rotation { rotate: true, grace: Duration::from_secs(30) };

    fn open(sessions: &mut Sessions) -> String {
        sessions.open("c", "", Flavor::AuthKit, None).1.unwrap()
    }

    #[test]
    fn a_replayed_token_ends_the_whole_family() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let first = open(&mut sessions);
        let second = sessions.refresh(&first, "c", STRICT, now).unwrap().1.unwrap();
        assert_ne!(first, second);
        let told = sessions.refresh(&first, "c", STRICT, now).unwrap_err();
        assert_eq!(told, "Refresh token already exchanged.");
        assert_eq!(sessions.refresh(&second, "c", STRICT, now).unwrap_err(), "Session has already ended.");
    }

    #[test]
    fn within_the_grace_a_replay_gives_the_same_token() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let first = open(&mut sessions);
        let second = sessions.refresh(&first, "c", LENIENT, now).unwrap().1;
        assert_eq!(sessions.refresh(&first, "c", LENIENT, now + Duration::from_secs(29)).unwrap().1, second);
        assert!(sessions.refresh(&first, "c", LENIENT, now + Duration::from_secs(30)).is_err());
    }

    #[test]
    fn connect_refreshes_only_what_asked_for_it() {
        let mut sessions = Sessions::default();
        assert!(sessions.open("c", "openid", Flavor::Connect, None).1.is_none());
        assert!(sessions.open("c", "openid offline_access", Flavor::Connect, None).1.is_some());
    }

    #[test]
    fn revoking_reaches_one_token_or_all() {
        let mut sessions = Sessions::default();
        let token = open(&mut sessions);
        let session = sessions.of_refresh_token(&token).unwrap().id.clone();
        sessions.revoke_access_token("t1");
        assert!(sessions.of_access_token(&session, "t1").is_none());
        assert!(sessions.of_access_token(&session, "t2").is_some());
        sessions.end(&session);
        assert!(sessions.of_access_token(&session, "t2").is_none());
        assert!(sessions.refresh(&token, "c", STRICT, Instant::now()).is_err());
        assert!(sessions.refresh(&token, "thief", STRICT, Instant::now()).is_err());
    }
}
