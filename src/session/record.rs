//! What is stored of a session: a readable header, and the tokens.
//!
//! The header is enough for [`status`](crate::Session::status), which needs no key. [`form`](super::form) turns a
//! record into the bytes of a file and back. What serde derives for reading would add some forty kilobytes to each
//! library, so the few members are read by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use super::moment::{Moment, StoredMoment, millis};
use crate::{
    ErrorReason, Secret,
    protocol::{json::Object, token::TokenResponse},
};

/// The number of access tokens with parameters of their own that a record keeps, for example one for each organization.
const MAX_VARIANTS: usize = 16;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) tokens: StoredTokens,
}

/// What identifies a session and says how it is, without its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) format: u64,
    /// The id of the login: random, new at each login. The key store's item has it in its name.
    pub(crate) login_id: String,
    /// Counts the changes since the login.
    pub(crate) generation: u64,
    pub(crate) owner: Owner,
    pub(crate) subject: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) token_type: String,
    pub(crate) times: Times,
    pub(crate) has_refresh_token: bool,
    /// Why the session has ended. `None` while it has not.
    pub(crate) ended: Option<Ended>,
    pub(crate) protection: Protected,
}

/// Whose session it is. A record is used only by the client that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Owner {
    pub(crate) server: String,
    pub(crate) client_id: String,
    pub(crate) profile: String,
}

/// How the tokens of a record are protected. Chosen at the login and never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protected {
    /// Sealed with a key in the key store of the operating system.
    Keyring,
    /// By the permissions of the file.
    File,
    /// By the program: kept in memory, or in a store of its own.
    Program,
}

impl Owner {
    pub(super) fn read(object: &Object<'_>) -> Option<Self> {
        let (server, client_id) = (object.text("server")?, object.text("client_id")?);
        Some(Self { server, client_id, profile: object.text("profile")? })
    }
}

impl Protected {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Keyring, Self::File, Self::Program].into_iter().find(|one| one.as_str() == name)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::Program => "program",
        }
    }
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ended {
    /// The server no longer accepts the refresh token.
    Refused,
    /// The same, after the response to a refresh was lost.
    Interrupted,
    /// A refresh returned the tokens of another user.
    OtherUser,
}

impl Ended {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "refused" => Some(Self::Refused),
            "interrupted" => Some(Self::Interrupted),
            "other_user" => Some(Self::OtherUser),
            _ => None,
        }
    }

    pub(crate) fn reason(self) -> ErrorReason {
        match self {
            Self::Refused | Self::OtherUser => ErrorReason::SessionEnded,
            Self::Interrupted => ErrorReason::Interrupted,
        }
    }
}

/// When an access token was issued, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Times {
    /// When its request was sent.
    received: StoredMoment,
    /// For how long it can be used from then on, by this machine's clock. `None` if the server did not say.
    lives_ms: Option<u64>,
    /// Its lifetime in the words of the server.
    lifetime_ms: Option<u64>,
}

impl Times {
    fn read(object: &Object<'_>) -> Option<Self> {
        let received = StoredMoment::read(&object.object("received")?)?;
        let (lives_ms, lifetime_ms) = (object.integer("lives_ms"), object.integer("lifetime_ms"));
        Some(Self { received, lives_ms, lifetime_ms })
    }

    pub(crate) fn new(received: Moment, lives: Option<Duration>, lifetime: Option<Duration>) -> Self {
        Self { received: received.into(), lives_ms: lives.map(millis), lifetime_ms: lifetime.map(millis) }
    }

    /// Returns how long the token can still be used. `None` if that is unknown. Zero if the wall clock was set to a
    /// time before the token was issued, because nothing is known then.
    pub(crate) fn left(self, now: Moment) -> Option<Duration> {
        let lives = Duration::from_millis(self.lives_ms?);
        Some(now.since(self.received.into()).map_or(Duration::ZERO, |age| lives.saturating_sub(age)))
    }

    pub(crate) fn lifetime(self) -> Option<Duration> {
        self.lifetime_ms.or(self.lives_ms).map(Duration::from_millis)
    }

    pub(crate) fn expires_at(self) -> Option<std::time::SystemTime> {
        let received: Moment = self.received.into();
        received.time_of_day().checked_add(Duration::from_millis(self.lives_ms?))
    }
}

/// The secret part of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredTokens {
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) access_token: Secret,
    /// Access tokens that were requested with parameters, by these parameters.
    pub(crate) variants: BTreeMap<Variant, Access>,
    /// The access token that an API refused and for which a refresh was made.
    pub(crate) refused: Option<Secret>,
}

/// The parameters of a refresh in one text, which tells apart the access tokens of one session. Empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Variant(pub(crate) String);

impl Variant {
    pub(crate) fn new(params: &[(String, String)]) -> Self {
        // Inserted one by one: sorting code costs ten kilobytes in the libraries of other languages.
        let mut sorted = BTreeSet::new();
        for (name, value) in params {
            sorted.insert((name.as_str(), value.as_str()));
        }
        Self(form_urlencoded::Serializer::new(String::new()).extend_pairs(sorted).finish())
    }

    fn is_plain(&self) -> bool {
        self.0.is_empty()
    }
}

/// An access token with what its user must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) token: Secret,
    pub(crate) token_type: String,
    pub(crate) times: Times,
}

impl StoredTokens {
    pub(super) fn read(object: &Object<'_>) -> Option<Self> {
        let mut variants = BTreeMap::new();
        for (variant, access) in object.object("variants")?.members() {
            let access = Object::parse(access.as_bytes())?;
            variants.insert(Variant(variant.to_owned()), Access::read(&access)?);
        }
        let secret = |name| Some(object.string(name).ok()?.map(Secret::new));
        Some(Self {
            refresh_token: secret("refresh_token")?,
            access_token: secret("access_token")??,
            variants,
            refused: secret("refused")?,
        })
    }
}

impl Access {
    fn read(object: &Object<'_>) -> Option<Self> {
        let (token, token_type) = (Secret::new(object.text("token")?), object.text("token_type")?);
        Some(Self { token, token_type, times: Times::read(&object.object("times")?)? })
    }
}

impl Header {
    /// `None` if a member is missing or of another type.
    pub(crate) fn read(object: &Object<'_>) -> Option<Self> {
        let scopes = object.raw("scopes").map(|_| object.strings("scopes"));
        let ended = object.string("ended").ok()?;
        Some(Self {
            format: object.integer("format")?,
            login_id: object.text("login_id")?,
            generation: object.integer("generation")?,
            owner: Owner::read(&object.object("owner")?)?,
            subject: object.string("subject").ok()?,
            organization: object.string("organization").ok()?,
            scopes: if let Some(scopes) = scopes { Some(scopes?) } else { None },
            token_type: object.text("token_type")?,
            times: Times::read(&object.object("times")?)?,
            has_refresh_token: object.boolean("has_refresh_token")?,
            ended: if let Some(name) = ended { Some(Ended::of_name(&name)?) } else { None },
            protection: Protected::of_name(&object.text("protection")?)?,
        })
    }

    /// Returns whether a record that could not be saved replaces what is stored: it is a later one of the same login,
    /// or another process has meanwhile found its predecessor's refresh token dead.
    pub(crate) fn supersedes(&self, stored: &Self) -> bool {
        let is_later = self.generation > stored.generation;
        let is_alive = self.ended.is_none() && stored.ended.is_some();
        self.login_id == stored.login_id && (is_later || is_alive)
    }

    /// Returns whether this is the next record of the same login.
    pub(crate) fn is_successor_of(&self, other: &Self) -> bool {
        self.owner == other.owner
            && self.login_id == other.login_id
            && Some(self.generation) == other.generation.checked_add(1)
    }
}

impl Record {
    /// Returns the record of a new login.
    pub(crate) fn of_login(
        owner: Owner,
        login_id: String,
        protection: Protected,
        response: &TokenResponse,
        received: Moment,
    ) -> Self {
        Self {
            header: Header {
                format: super::form::FORMAT,
                login_id,
                generation: 1,
                owner,
                subject: response.identity.as_ref().map(|user| user.subject().to_owned()),
                organization: organization_of(response),
                scopes: response.scopes.clone(),
                token_type: response.token_type.clone(),
                times: times_of(response, received),
                has_refresh_token: response.refresh_token.is_some(),
                ended: None,
                protection,
            },
            tokens: StoredTokens {
                refresh_token: response.refresh_token.clone(),
                access_token: response.access_token.clone(),
                variants: BTreeMap::new(),
                refused: None,
            },
        }
    }

    /// Returns the record after a refresh. Tokens for other parameters stay as they are.
    pub(crate) fn refreshed(
        &self,
        variant: &Variant,
        refused: Option<&Secret>,
        response: &TokenResponse,
        received: Moment,
    ) -> Self {
        let mut next = self.successor();
        // RFC 6749 section 6: without a new refresh token, the old one stays valid.
        if let Some(token) = &response.refresh_token {
            next.tokens.refresh_token = Some(token.clone());
        }
        next.tokens.refused = refused.cloned().or(next.tokens.refused);
        let times = times_of(response, received);
        if variant.is_plain() {
            next.header.times = times;
            next.header.token_type.clone_from(&response.token_type);
            next.tokens.access_token = response.access_token.clone();
            if response.scopes.is_some() {
                next.header.scopes.clone_from(&response.scopes);
            }
            if let Some(subject) = response.identity.as_ref().map(|user| user.subject().to_owned()) {
                next.header.subject = Some(subject);
                next.header.organization = organization_of(response).or(next.header.organization);
            }
        } else {
            let access = Access {
                token: response.access_token.clone(),
                token_type: response.token_type.clone(),
                times,
            };
            next.tokens.variants.retain(|_, kept| kept.times.left(received) != Some(Duration::ZERO));
            while next.tokens.variants.len() >= MAX_VARIANTS {
                next.tokens.variants.pop_first();
            }
            next.tokens.variants.insert(variant.clone(), access);
        }
        next
    }

    /// Returns this record with a generation that comes after another one.
    pub(crate) fn after(&self, generation: u64) -> Self {
        let mut next = self.clone();
        next.header.generation = next.header.generation.max(generation.saturating_add(1));
        next
    }

    /// Returns the record of a session that has ended. Its access tokens stay, because they may still be valid.
    pub(crate) fn ended(&self, why: Ended) -> Self {
        let mut next = self.successor();
        next.header.ended = Some(why);
        next.header.has_refresh_token = false;
        next.tokens.refresh_token = None;
        next
    }

    fn successor(&self) -> Self {
        let mut next = self.clone();
        next.header.generation = next.header.generation.saturating_add(1);
        next
    }

    pub(crate) fn access(&self, variant: &Variant) -> Option<Access> {
        if variant.is_plain() {
            return Some(Access {
                token: self.tokens.access_token.clone(),
                token_type: self.header.token_type.clone(),
                times: self.header.times,
            });
        }
        self.tokens.variants.get(variant).cloned()
    }
}

fn organization_of(response: &TokenResponse) -> Option<String> {
    response.identity.as_ref().and_then(|user| user.organization_id()).map(str::to_owned)
}

fn times_of(response: &TokenResponse, received: Moment) -> Times {
    let lives = response.expires_at.map(|end| end.duration_since(received.time_of_day()).unwrap_or_default());
    Times::new(received, lives, response.expires_in)
}
