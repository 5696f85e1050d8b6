//! What was granted: sessions, their refresh tokens, and what was revoked. Pure: the time comes from outside.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;

use super::Flavor;
use crate::kept::{Expires, Kept};
use crate::random;

/// A refresh token that is not used for so long expires, with its session.
pub(crate) const REFRESH_IDLE: Duration = Duration::from_secs(30 * 24 * 3600);
/// An ended session is remembered for so long, so that its client learns that it has ended.
const ENDED: Duration = Duration::from_secs(3600);
/// A session lives a little longer than its access tokens, whose times are whole seconds.
const LEEWAY: Duration = Duration::from_secs(60);
pub(crate) const MOST_SESSIONS: usize = 20_000;
/// So many access tokens of a session can be revoked; one more ends the session.
const MOST_REVOKED: usize = 100;
/// So many exchanged refresh tokens can be replayed within the grace; an older one counts as reused.
const MOST_REPLAYABLE: usize = 100;

/// One granted login.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) flavor: Flavor,
    pub(crate) organization_id: Option<String>,
}

/// A session and what became of its tokens.
#[derive(Debug)]
struct Life {
    session: Session,
    expires: Instant,
    ended: bool,
    /// How many refresh tokens of this session have been exchanged: the number of the one that is good.
    exchanged: u32,
    /// When the last of them were exchanged, the latest first.
    exchanges: VecDeque<Instant>,
    /// Revoked access tokens, and when they have expired anyway.
    revoked: Vec<(String, Instant)>,
}

impl Expires for Life {
    fn expires(&self) -> Instant {
        self.expires
    }
}

impl Life {
    fn end(&mut self, now: Instant) {
        self.ended = true;
        self.expires = self.expires.min(now + ENDED);
    }
}

/// All sessions of a server.
#[derive(Debug)]
pub(crate) struct Sessions {
    sessions: Kept<Life>,
    access_token_lifetime: Duration,
    key: hmac::Key,
}

/// How refresh tokens are treated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) rotate: bool,
    /// An exchanged token may be replayed for this long.
    pub(crate) grace: Duration,
}

const INVALID: &str = "Invalid refresh token.";
const PREFIX: &str = "session_";

impl Sessions {
    pub(crate) fn new(access_token_lifetime: Duration) -> Sessions {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>());
        Sessions { sessions: Kept::new(MOST_SESSIONS), access_token_lifetime, key }
    }

    /// Opens a session; with a refresh token if it may be refreshed.
    pub(crate) fn open(
        &mut self,
        client_id: &str,
        scope: &str,
        flavor: Flavor,
        organization_id: Option<String>,
        now: Instant,
    ) -> (Session, Option<String>) {
        let session = Session {
            id: random::id(PREFIX),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            flavor,
            organization_id,
        };
        let refreshable =
            flavor == Flavor::AuthKit || scope.split(' ').any(|scope| scope == "offline_access");
        let access = self.access_token_lifetime + LEEWAY;
        let life = Life {
            session: session.clone(),
            expires: now + if refreshable { access.max(REFRESH_IDLE) } else { access },
            ended: false,
            exchanged: 0,
            exchanges: VecDeque::new(),
            revoked: Vec::new(),
        };
        self.sessions.insert(session.id.clone(), life, now);
        let refresh_token = refreshable.then(|| self.refresh_token(&session.id, 0));
        (session, refresh_token)
    }

    /// A refresh token holds its session, its number and a MAC of both. So an old one is recognised without a list.
    fn refresh_token(&self, session: &str, number: u32) -> String {
        let mut token = session.trim_start_matches(PREFIX).as_bytes().to_vec();
        token.extend_from_slice(&number.to_be_bytes());
        let mac = hmac::sign(&self.key, &token);
        token.extend(mac.as_ref().iter().take(18));
        BASE64.encode(token)
    }

    /// The session and the number of a refresh token of this server.
    fn read(&self, token: &str) -> Option<(String, u32)> {
        let bytes = BASE64.decode(token).ok()?;
        let (id, rest) = bytes.split_at_checked(26)?;
        let number = u32::from_be_bytes(*rest.first_chunk()?);
        let session = format!("{PREFIX}{}", std::str::from_utf8(id).ok()?);
        (self.refresh_token(&session, number) == token).then_some((session, number))
    }

    /// Exchanges a refresh token; the new one is None where tokens are not rotated. An error is what the client is
    /// told.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        rotation: Rotation,
        now: Instant,
    ) -> Result<(Session, Option<String>), &'static str> {
        let (id, number) = self.read(token).ok_or(INVALID)?;
        let access = self.access_token_lifetime + LEEWAY;
        let life = self.sessions.get_mut(&id).filter(|life| life.expires > now).ok_or(INVALID)?;
        if life.session.client_id != client_id {
            return Err(INVALID);
        }
        if life.ended {
            return Err("Session has already ended.");
        }
        let in_grace = |at: &Instant| now.saturating_duration_since(*at) < rotation.grace;
        if number < life.exchanged {
            let later = usize::try_from(life.exchanged - number - 1).unwrap_or(usize::MAX);
            if !life.exchanges.get(later).is_some_and(in_grace) {
                // Two parties hold the token: nobody can tell which is the thief.
                life.end(now);
                return Err("Refresh token already exchanged.");
            }
        } else {
            life.expires = now + access.max(REFRESH_IDLE);
            if !rotation.rotate {
                return Ok((life.session.clone(), None));
            }
            life.exchanged += 1;
            life.exchanges.push_front(now);
            life.exchanges.truncate(MOST_REPLAYABLE);
            while life.exchanges.back().is_some_and(|at| !in_grace(at)) {
                life.exchanges.pop_back();
            }
        }
        let session = life.session.clone();
        let successor = self.refresh_token(&session.id, number + 1);
        Ok((session, Some(successor)))
    }

    pub(crate) fn move_to(&mut self, session: &str, organization_id: &str) {
        if let Some(life) = self.sessions.get_mut(session) {
            life.session.organization_id = Some(organization_id.to_owned());
        }
    }

    /// The session that a refresh token belongs to.
    pub(crate) fn of_refresh_token(&self, token: &str) -> Option<&Session> {
        self.sessions.get(&self.read(token)?.0).map(|life| &life.session)
    }

    /// The session of an access token, if both are still good.
    pub(crate) fn of_access_token(&self, session: &str, token_id: &str) -> Option<&Session> {
        let life = self.sessions.get(session).filter(|life| !life.ended)?;
        (!life.revoked.iter().any(|(revoked, _)| revoked == token_id)).then_some(&life.session)
    }

    pub(crate) fn end(&mut self, session: &str, now: Instant) {
        if let Some(life) = self.sessions.get_mut(session) {
            life.end(now);
        }
    }

    pub(crate) fn revoke_access_token(&mut self, session: &str, token_id: &str, now: Instant) {
        let expires = now + self.access_token_lifetime + LEEWAY;
        let Some(life) = self.sessions.get_mut(session) else {
            return;
        };
        life.revoked.retain(|(_, expires)| *expires > now);
        if life.revoked.len() >= MOST_REVOKED {
            life.end(now);
        } else if !life.revoked.iter().any(|(revoked, _)| revoked == token_id) {
            life.revoked.push((token_id.to_owned(), expires));
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.sessions.values().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Rotation = Rotation { rotate: true, grace: Duration::ZERO };
    const LENIENT: Rotation = Rotation { rotate: true, grace: Duration::from_secs(30) };
    const SECOND: Duration = Duration::from_secs(1);
    const USED: &str = "Refresh token already exchanged.";

    fn sessions() -> (Sessions, Instant) {
        (Sessions::new(300 * SECOND), Instant::now())
    }

    fn open(sessions: &mut Sessions, now: Instant) -> String {
        sessions.open("c", "", Flavor::AuthKit, None, now).1.unwrap()
    }

    #[test]
    fn a_replayed_token_ends_the_whole_family() {
        let (mut sessions, now) = sessions();
        let first = open(&mut sessions, now);
        let second = sessions.refresh(&first, "c", STRICT, now).unwrap().1.unwrap();
        assert_ne!(first, second);
        assert_eq!(sessions.refresh(&first, "c", STRICT, now).unwrap_err(), USED);
        assert_eq!(sessions.refresh(&second, "c", STRICT, now).unwrap_err(), "Session has already ended.");
    }

    #[test]
    fn within_the_grace_a_replay_gives_the_same_token() {
        let (mut sessions, now) = sessions();
        let first = open(&mut sessions, now);
        let second = sessions.refresh(&first, "c", LENIENT, now).unwrap().1.unwrap();
        let third = sessions.refresh(&second, "c", LENIENT, now + 20 * SECOND).unwrap().1.unwrap();
        let mut replay =
            |token, at: u32| sessions.refresh(token, "c", LENIENT, now + at * SECOND).map(|(_, next)| next);
        assert_eq!(replay(&first, 29), Ok(Some(second.clone())));
        assert_eq!(replay(&second, 49), Ok(Some(third)));
        assert_eq!(replay(&first, 50), Err(USED));
    }

    #[test]
    fn a_token_of_another_server_or_a_changed_one_is_invalid() {
        let (mut sessions, now) = sessions();
        let (good, foreign) = (open(&mut sessions, now), open(&mut Sessions::new(SECOND), now));
        let (start, end) = good.split_at(60);
        let changed = format!("{start}{}", if end == "AAAA" { "BBBB" } else { "AAAA" });
        for token in [foreign.as_str(), &changed, start, "", "x"] {
            assert_eq!(sessions.refresh(token, "c", STRICT, now).unwrap_err(), INVALID, "{token}");
        }
        assert!(sessions.refresh(&good, "c", STRICT, now).is_ok());
    }

    #[test]
    fn connect_refreshes_only_what_asked_for_it() {
        let (mut sessions, now) = sessions();
        assert!(sessions.open("c", "openid", Flavor::Connect, None, now).1.is_none());
        assert!(sessions.open("c", "openid offline_access", Flavor::Connect, None, now).1.is_some());
    }

    #[test]
    fn revoking_reaches_one_token_or_all() {
        let (mut sessions, now) = sessions();
        let token = open(&mut sessions, now);
        let session = sessions.of_refresh_token(&token).unwrap().id.clone();
        sessions.revoke_access_token(&session, "t1", now);
        assert!(sessions.of_access_token(&session, "t1").is_none());
        assert!(sessions.of_access_token(&session, "t2").is_some());
        sessions.end(&session, now);
        assert!(sessions.of_access_token(&session, "t2").is_none());
        let mut refresh = |client, at| sessions.refresh(&token, client, STRICT, at).unwrap_err();
        assert_eq!(refresh("c", now + ENDED - SECOND), "Session has already ended.");
        assert_eq!((refresh("c", now + ENDED), refresh("thief", now)), (INVALID, INVALID));
    }

    #[test]
    fn a_refresh_token_expires_when_it_is_not_used() {
        let (mut sessions, mut now) = sessions();
        let mut token = open(&mut sessions, now);
        for _ in 0..10 {
            now += REFRESH_IDLE - SECOND;
            token = sessions.refresh(&token, "c", STRICT, now).unwrap().1.unwrap();
        }
        assert_eq!(sessions.refresh(&token, "c", STRICT, now + REFRESH_IDLE).unwrap_err(), INVALID);
    }

    #[test]
    fn thousands_of_exchanges_leave_nothing_and_the_first_token_is_still_recognised() {
        let (mut sessions, start) = sessions();
        let first = open(&mut sessions, start);
        let session = sessions.of_refresh_token(&first).unwrap().id.clone();
        let (mut token, mut now) = (first.clone(), start);
        for _ in 0..10_000 {
            now += 10 * SECOND;
            token = sessions.refresh(&token, "c", LENIENT, now).unwrap().1.unwrap();
            sessions.revoke_access_token(&session, &token, now);
            let life = sessions.sessions.get(&session).unwrap();
            assert!(life.exchanges.len() <= 3 && life.revoked.len() <= 36, "{life:?}");
        }
        assert_eq!(sessions.refresh(&first, "c", LENIENT, now).unwrap_err(), USED);
        assert_eq!(sessions.refresh(&token, "c", LENIENT, now).unwrap_err(), "Session has already ended.");
    }

    #[test]
    fn a_full_server_forgets_the_sessions_that_expire_first() {
        let (mut sessions, start) = sessions();
        let first = open(&mut sessions, start);
        let (mut used, mut last) = (open(&mut sessions, start), String::new());
        for number in 1..=50_000 {
            let now = start + number * SECOND;
            last = open(&mut sessions, now);
            assert!(sessions.count() <= MOST_SESSIONS);
            if number % 5000 == 0 {
                used = sessions.refresh(&used, "c", STRICT, now).unwrap().1.unwrap();
            }
        }
        let mut refresh = |token| sessions.refresh(token, "c", STRICT, start + 50_000 * SECOND);
        assert_eq!(refresh(&first).unwrap_err(), INVALID);
        assert!(refresh(&used).is_ok() && refresh(&last).is_ok());
    }

    #[test]
    fn more_revoked_tokens_than_are_remembered_end_the_session() {
        let (mut sessions, now) = sessions();
        let token = open(&mut sessions, now);
        let session = sessions.of_refresh_token(&token).unwrap().id.clone();
        for number in 0..MOST_REVOKED {
            sessions.revoke_access_token(&session, &number.to_string(), now);
        }
        assert!(sessions.of_access_token(&session, "another").is_some());
        sessions.revoke_access_token(&session, "one more", now);
        assert!(sessions.of_access_token(&session, "another").is_none());
        assert!(sessions.of_access_token(&session, "one more").is_none());
    }
}
