//! The token response (RFC 6749 section 5.1).

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::{
    grant::seconds,
    id_token::TimeOfDay,
    identity,
    json::{IllTyped, Object},
    jwt,
    reply::{Reply, Sent},
    settings::Dialect,
};
use crate::{ErrorKind, Identity, Secret, secret::Masker};

/// A valid token response.
#[derive(Clone, Debug)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) token_type: String,
    pub(crate) scopes: Option<Vec<String>>,
    /// The access token's lifetime when it was issued. `None` if the response does not say.
    pub(crate) expires_in: Option<Duration>,
    pub(crate) expires_at: Option<SystemTime>,
    /// AuthKit's user, or the verified ID token.
    pub(crate) identity: Option<Identity>,
    /// When the request was sent, on this machine's clocks.
    pub(crate) sent: Sent,
    /// When the response was sent.
    pub(crate) received: TimeOfDay,
    /// Every other member, as raw JSON. Secret, because it may contain anything (AuthKit: an identity provider's
    /// tokens).
    pub(crate) other: BTreeMap<String, Secret>,
}

impl TokenResponse {
    /// Returns the tokens.
    pub(super) fn issued(&self) -> impl Iterator<Item = &Secret> {
        let tokens = [Some(&self.access_token), self.refresh_token.as_ref(), self.id_token.as_ref()];
        tokens.into_iter().flatten()
    }

    /// Returns a masker for the tokens.
    pub(super) fn masker(&self) -> Masker {
        Masker::new(self.issued().map(Secret::expose))
    }

    /// Completes the scopes with what was requested: a missing scope is the requested one (RFC 6749 section 5.1).
    /// GitHub separates scopes by commas, and a single scope may contain one.
    pub(crate) fn with_requested(mut self, requested: &[String]) -> Self {
        self.scopes = match self.scopes.as_deref() {
            None if !requested.is_empty() => Some(requested.to_vec()),
            Some([one]) if requested.len() > 1 && one.contains(',') => {
                Some(one.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
            }
            _ => self.scopes,
        };
        self
    }
}

/// The maximum lifetime, 100 years. Some servers send a large number for "never".
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// The maximum difference between a server's `Date` and the `iat` of a token that it has just issued.
const MOST_APART: Duration = Duration::from_secs(60);

/// The resolution of `Date`.
const DATE_RESOLUTION: Duration = Duration::from_secs(1);

/// The maximum length of a token type that is shown.
const MAX_TYPE_BYTES: usize = 40;

/// The members that are fields of [`TokenResponse`].
const NAMED: [&str; 6] = ["access_token", "refresh_token", "id_token", "token_type", "scope", "expires_in"];

/// Reads the JSON object of a successful response. The error is a kind and a sentence, which may quote the server.
pub(crate) fn read(
    object: &Object<'_>,
    reply: &Reply,
    dialect: Dialect,
    sent: &[&str],
) -> Result<TokenResponse, (ErrorKind, String)> {
    let invalid = |what: String| {
        (ErrorKind::InvalidResponse, format!("the server's token response is invalid: {what}"))
    };
    let text = |name: &str| {
        object.string(name).map_err(|IllTyped(name)| invalid(format!("`{name}` is of the wrong type")))
    };
    let token = |name: &str| match text(name)? {
        // RFC 6749 appendix A: printable ASCII. A line break in a token could inject a header into the program's
        // requests.
        Some(token) if !token.bytes().all(|b| b.is_ascii_graphic()) => {
            Err(invalid(format!("`{name}` holds characters that no token may have")))
        }
        Some(token) if !token.is_empty() => Ok(Some(Secret::new(token))),
        _ => Ok(None),
    };

    let access_token = token("access_token")?.ok_or_else(|| invalid("`access_token` is missing".into()))?;
    let token_type = match text("token_type")?.filter(|t| !t.is_empty()) {
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => kind,
        Some(kind) => {
            // A longer text is not a type, and may be a misplaced token.
            let shown = if kind.len() <= MAX_TYPE_BYTES { &kind } else { "…" };
            let message = format!("the server issued a token of a type that this client cannot use: {shown}");
            return Err((ErrorKind::Unsupported, message));
        }
        None if dialect == Dialect::AuthKit => "Bearer".into(),
        None => return Err(invalid("`token_type` is missing".into())),
    };
    let scopes = match (object.strings("scope"), text("scope")) {
        // Some servers send a JSON array.
        (Some(list), _) => Some(list),
        (None, scope) => {
            scope?.map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>())
        }
    };
    // A malformed lifetime counts as unknown. It is a hint, and the login was granted.
    let (expires_in, expires_at) = match object.number("expires_in") {
        Ok(Some(lifetime)) => {
            let lifetime = seconds(lifetime, LONGEST_LIFETIME);
            // Counted from when the request was sent, so that it is never too late.
            (Some(lifetime), reply.sent.time_of_day.checked_add(lifetime))
        }
        Ok(None) => jwt_expiry(&access_token, reply),
        Err(_) => (None, None),
    };
    let (refresh_token, id_token) = (token("refresh_token")?, token("id_token")?);
    // The parts of this response that may be shown are masked, in case the server puts a secret there.
    let tokens = [Some(&access_token), refresh_token.as_ref(), id_token.as_ref()];
    let tokens = || tokens.into_iter().flatten().map(Secret::expose);
    let masker = Masker::new(sent.iter().copied().chain(tokens()));
    // The user's own data may contain a value that the client sends, such as the name of a tenant.
    let tokens_only = Masker::new(tokens());
    let hide = |text: String| masker.hide(&text);
    Ok(TokenResponse {
        scopes: scopes.filter(|list| !list.is_empty()).map(|list| list.into_iter().map(hide).collect()),
        identity: object.object("user").filter(|_| dialect == Dialect::AuthKit).and_then(|user| {
            identity::of_user(&user, object.text("organization_id").as_deref(), &tokens_only)
        }),
        sent: reply.sent,
        received: TimeOfDay {
            time: reply.date.unwrap_or(reply.sent.time_of_day),
            is_servers: reply.date.is_some(),
        },
        other: object.secrets().into_iter().filter(|(name, _)| !NAMED.contains(&name.as_str())).collect(),
        token_type,
        expires_in,
        expires_at,
        access_token,
        refresh_token,
        id_token,
    })
}

/// Returns lifetime and expiry from the access token's own claims, if it is a JWT. The claims use the server's clock,
/// and this machine's clock may be wrong. The expiry is therefore converted to this machine's time, and is early rather
/// than late.
fn jwt_expiry(token: &Secret, reply: &Reply) -> (Option<Duration>, Option<SystemTime>) {
    let at = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    let Some((exp, iat)) = jwt::expiry(token.expose()) else { return (None, None) };
    let (Some(exp), iat) = (at(exp), iat.and_then(at)) else { return (None, None) };
    let local = reply.sent.time_of_day;
    let life = iat.map(|iat| exp.duration_since(iat).unwrap_or_default());
    // If the token was not issued just now, or not by the clock of `Date`, its lifetime decides.
    let date = reply.date.filter(|date| iat.is_none_or(|iat| apart(*date, iat) <= MOST_APART));
    let expires_at = match (date, life) {
        (Some(date), _) => moved(exp, date, local).and_then(|end| end.checked_sub(DATE_RESOLUTION)),
        (None, Some(life)) => local.checked_add(life),
        (None, None) => Some(exp),
    };
    (life.or_else(|| expires_at?.duration_since(local).ok()), expires_at)
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|negative| negative.duration())
}

/// Converts a time to the clock that reads `to` when the time's own clock reads `from`.
fn moved(time: SystemTime, from: SystemTime, to: SystemTime) -> Option<SystemTime> {
    match to.duration_since(from) {
        Ok(ahead) => time.checked_add(ahead),
        Err(behind) => time.checked_sub(behind.duration()),
    }
}

/// Returns an AuthKit response, for other modules' unit tests.
#[cfg(test)]
pub(crate) fn authkit_example(body: &str) -> TokenResponse {
    let reply = Reply::json(200, body);
    read(&reply.object().unwrap(), &reply, Dialect::AuthKit, &[]).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Reads the response to a request that was sent at 1,000 s.
    fn read(body: &str, dialect: Dialect) -> Result<TokenResponse, (ErrorKind, String)> {
        let mut reply = Reply::json(200, body);
        reply.sent.time_of_day = at(1_000);
        super::read(&reply.object().unwrap(), &reply, dialect, &[])
    }

    fn standard(body: &str) -> Result<TokenResponse, (ErrorKind, String)> {
        read(body, Dialect::Standard)
    }

    // proves: R6749-5.1-03, R6749-5.1-05, R6749-5.1-06, R6749-5.1-08, R6749-5.1-04, R9207-P-01
    #[test]
    fn all_members_are_kept_and_unknown_ones_stay_raw() {
        let answer = standard(
            r#"{"access_token":"a","token_type":"bEaReR","refresh_token":"r","id_token":"i.i.i","scope":"b a","expires_in":"3600",
               "user":{"id":"user_1"},"organization_id":"org_1","iss":"x","n":1e999,"l":[1]}"#,
        )
        .unwrap();
        assert_eq!(answer.access_token.expose(), "a");
        assert_eq!(answer.refresh_token.unwrap().expose(), "r");
        assert_eq!(answer.id_token.unwrap().expose(), "i.i.i");
        assert_eq!(answer.token_type, "bEaReR");
        assert_eq!(answer.scopes.unwrap(), ["b", "a"]);
        assert_eq!(
            (answer.expires_in, answer.expires_at),
            (Some(Duration::from_secs(3600)), Some(at(4_600)))
        );
        assert!(answer.identity.is_none());
        assert_eq!(answer.other.keys().collect::<Vec<_>>(), ["iss", "l", "n", "organization_id", "user"]);
        assert_eq!(answer.other["n"].expose(), "1e999");

        let least = standard(
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":null,"id_token":"","scope":""}"#,
        )
        .unwrap();
        assert!(least.refresh_token.is_none() && least.id_token.is_none() && least.scopes.is_none());
        assert_eq!((least.expires_in, least.expires_at), (None, None));
        assert!(least.other.is_empty());
    }

    // proves: R6749-5.1-01, R6749-5.1-02, R6749-7.1-01, P5-16
    #[test]
    fn missing_or_unsupported_members_are_rejected() {
        for (body, kind, words) in [
            (r#"{"token_type":"Bearer"}"#, ErrorKind::InvalidResponse, "`access_token` is missing"),
            (
                r#"{"access_token":"","token_type":"Bearer"}"#,
                ErrorKind::InvalidResponse,
                "`access_token` is missing",
            ),
            (r#"{"access_token":5,"token_type":"Bearer"}"#, ErrorKind::InvalidResponse, "wrong type"),
            (r#"{"access_token":"a"}"#, ErrorKind::InvalidResponse, "`token_type` is missing"),
            (r#"{"access_token":"a","token_type":"mac"}"#, ErrorKind::Unsupported, ": mac"),
            (r#"{"access_token":"a","token_type":"DPoP"}"#, ErrorKind::Unsupported, "DPoP"),
            (
                r#"{"access_token":"a","token_type":"x234567890123456789012345678901234567890"}"#,
                ErrorKind::Unsupported,
                ": x234567890123456789012345678901234567890",
            ),
            (
                r#"{"access_token":"a","token_type":"x2345678901234567890123456789012345678901"}"#,
                ErrorKind::Unsupported,
                ": …",
            ),
            (
                r#"{"access_token":"a","token_type":"Bearer","refresh_token":5}"#,
                ErrorKind::InvalidResponse,
                "`refresh_token`",
            ),
            (
                r#"{"access_token":"a","token_type":"Bearer","scope":5}"#,
                ErrorKind::InvalidResponse,
                "`scope`",
            ),
        ] {
            let (got, message) = standard(body).unwrap_err();
            assert_eq!(got, kind, "{body}");
            assert!(message.contains(words), "{message}");
        }
    }

    // proves: R6749-A-01, R6749-5.1-09
    #[test]
    fn tokens_must_be_printable_ascii_of_any_length() {
        for bad in ["a\\r\\nX: y", "a b", "a\\u0000", "ä", "a\\u007f"] {
            for name in ["access_token", "refresh_token", "id_token"] {
                let body = format!(r#"{{"access_token":"a","token_type":"Bearer","{name}":"{bad}"}}"#);
                let body =
                    if name == "access_token" { body.replace(r#""access_token":"a","#, "") } else { body };
                assert_eq!(standard(&body).unwrap_err().0, ErrorKind::InvalidResponse, "{body}");
            }
        }
        let long = "x".repeat(64 * 1024);
        let answer = standard(&format!(r#"{{"access_token":"{long}","token_type":"Bearer"}}"#)).unwrap();
        assert_eq!(answer.access_token.expose(), long);
    }

    #[test]
    fn authkit_may_omit_token_type_and_lifetime() {
        let answer = read(r#"{"access_token":"opaque"}"#, Dialect::AuthKit).unwrap();
        assert_eq!(answer.token_type, "Bearer");
        assert_eq!((answer.expires_in, answer.expires_at), (None, None));
        assert_eq!(
            read(r#"{"access_token":"a","token_type":"mac"}"#, Dialect::AuthKit).unwrap_err().0,
            ErrorKind::Unsupported
        );
    }

    #[test]
    fn jwt_expiry_is_in_local_time_and_never_late() {
        // Issued at 1,000,000 s by the server's clock and valid for 300 s.
        let with_iat = r#"{"access_token":"e30.eyJleHAiOjEwMDAzMDAsImlhdCI6MTAwMDAwMH0.c2ln"}"#;
        let without_iat = r#"{"access_token":"e30.eyJleHAiOjEwMDAzMDB9.c2ln"}"#;
        // `sent` is the time of day at which the request was sent, and `date` is the response's `Date`.
        let expiry = |body: &str, sent: u64, date: Option<u64>| {
            let mut reply = Reply::json(200, body);
            reply.sent.time_of_day = at(sent);
            reply.date = date.map(at);
            let response = super::read(&reply.object().unwrap(), &reply, Dialect::AuthKit, &[]).unwrap();
            (response.expires_in.unwrap().as_secs(), response.expires_at.unwrap())
        };
        for sent in [1_000_000, 1_000_360, 999_640] {
            assert_eq!(expiry(with_iat, sent, Some(1_000_000)), (300, at(sent + 299)), "{sent}");
            assert_eq!(expiry(with_iat, sent, Some(1_000_060)), (300, at(sent + 239)), "{sent}");
            // `Date` differs from `iat` by more than 60 s, so the two do not come from one clock.
            assert_eq!(expiry(with_iat, sent, Some(1_000_061)), (300, at(sent + 300)), "{sent}");
            assert_eq!(expiry(with_iat, sent, Some(999_939)), (300, at(sent + 300)), "{sent}");
            assert_eq!(expiry(with_iat, sent, None), (300, at(sent + 300)), "{sent}");
            assert_eq!(expiry(without_iat, sent, Some(1_000_000)), (299, at(sent + 299)), "{sent}");
        }
        assert_eq!(expiry(without_iat, 1_000_100, None), (200, at(1_000_300)));
    }

    // proves: STORE-13
    #[test]
    fn scopes_and_ids_never_contain_a_token() {
        let body = r#"{"access_token":"acc-1","refresh_token":"ref-1","token_type":"Bearer","scope":"x ref-1",
            "user":{"id":"u-acc-1","email":"acc-1@h","first_name":"ref-1"},"organization_id":"acc-1"}"#;
        let answer = authkit_example(body);
        assert_eq!(answer.scopes.unwrap(), ["x", "****"]);
        let user = answer.identity.unwrap();
        assert_eq!((user.subject(), user.organization_id()), ("u-****", Some("****")));
        assert_eq!((user.email(), user.claim("email")), (Some("****@h"), Some("\"****@h\"")));
        assert_eq!(user.name(), Some("****"));
    }

    #[test]
    fn scopes_separated_by_commas_are_split_if_several_were_requested() {
        let granted = |scope: &str, requested: &[&str]| {
            let body = format!(r#"{{"access_token":"a","token_type":"Bearer","scope":"{scope}"}}"#);
            let requested: Vec<String> = requested.iter().map(|&scope| scope.to_owned()).collect();
            standard(&body).unwrap().with_requested(&requested).scopes.unwrap()
        };
        assert_eq!(granted("repo,gist", &["repo", "gist", "user"]), ["repo", "gist"]);
        assert_eq!(granted("repo,gist", &["repo,gist"]), ["repo,gist"]);
        assert_eq!(granted("a,b c", &["a,b", "c"]), ["a,b", "c"]);
    }

    #[test]
    fn harmless_deviations_are_tolerated() {
        let odd =
            standard(r#"{"access_token":"a","token_type":"Bearer","expires_in":true,"scope":["x","y"]}"#)
                .unwrap();
        assert_eq!(odd.expires_in, None);
        assert_eq!(odd.scopes.unwrap(), ["x", "y"]);
        let zero = standard(r#"{"access_token":"a","token_type":"Bearer","expires_in":-5}"#).unwrap();
        assert_eq!(zero.expires_in, Some(Duration::ZERO));
    }
}
