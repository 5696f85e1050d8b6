//! The check of an ID token: OpenID Connect Core section 3.1.3.7, with the advice of RFC 8725.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

use super::{
    identity,
    json::{IllTyped, Object},
    jwt::Compact,
    keys::{Algorithm, KeySet, Unverified},
};
use crate::{Identity, Secret, secret::Masker};

/// How far a time in a token may be off. The clocks of one service may differ by this much.
const LEEWAY: f64 = 60.0;

/// The maximum length of a subject (OpenID Connect Core section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// What to do about a signature that cannot be verified.
const WAY_OUT: &str = "choose RS256 or ES256 for this client at the server, or turn off verify_id_token";

/// The end of the year 9999: the last time that is shown.
const LAST_SHOWN: f64 = 253_402_300_799.0;

/// What the claims of an ID token must be.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// The nonce in the device authorization request, if the program set one.
    pub(super) nonce: Option<&'a str>,
    /// A token from a refresh may lack the nonce (OpenID Connect Core section 12.2).
    pub(super) is_refresh: bool,
    /// The access token that came with it.
    pub(super) access_token: &'a Secret,
    pub(super) now: TimeOfDay,
}

/// The time of day of a response: by the server's clock, or else by this machine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeOfDay {
    pub(crate) time: SystemTime,
    pub(crate) is_servers: bool,
}

/// Why a token was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The key is not in the set. A newer set may have it.
    UnknownKey,
    /// What is wrong with the token, which may quote it.
    Because(String),
}

impl From<&str> for Refusal {
    fn from(what: &str) -> Self {
        Self::Because(what.into())
    }
}

/// Verifies a token, and returns who it is about. The texts of the identity are masked by `masker`.
pub(super) fn verify(
    token: &Secret,
    keys: &KeySet,
    expected: &Expected<'_>,
    masker: &Masker,
) -> Result<Identity, Refusal> {
    let token = Compact::parse(token.expose())?;
    let algorithm = verify_signature(&token, keys)?;
    let claims = Object::parse(&token.claims).ok_or("its claims are not one JSON object")?;
    let claims = Claims(claims);
    let subject = claims.check(expected, algorithm.hash)?;
    Ok(identity::of_claims(&subject, &claims.0, masker))
}

/// Checks the header and verifies the signature. Keys that the token itself names or contains are never used.
fn verify_signature(token: &Compact<'_>, keys: &KeySet) -> Result<Algorithm, Refusal> {
    let header = Object::parse(&token.header).ok_or("its header is not one JSON object")?;
    let text = |name: &str| {
        header.string(name).map_err(|_| Refusal::Because(format!("`{name}` is of the wrong type")))
    };
    let name = text("alg")?.ok_or("`alg` is missing")?;
    if header.members().any(|(name, _)| name == "crit") {
        return Err("its `crit` names an extension that this library does not know".into());
    }
    if text("typ")?.is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT")) {
        return Err("its `typ` is not that of an ID token".into());
    }
    let algorithm = Algorithm::of(&name).ok_or_else(|| {
        Refusal::Because(match name.as_str() {
            name if name.eq_ignore_ascii_case("none") => "it is not signed (its `alg` is none)".into(),
            "HS256" | "HS384" | "HS512" => format!(
                "its `alg` is {name}, for which the server would have to share a secret with this program: {WAY_OUT}"
            ),
            _ => format!("its `alg` is {name}, which this library does not know: {WAY_OUT}"),
        })
    })?;
    match keys.verify(algorithm, text("kid")?.as_deref(), token.signed, &token.signature) {
        Ok(()) => Ok(algorithm),
        Err(Unverified::UnknownKey) => Err(Refusal::UnknownKey),
        Err(Unverified::BadSignature) => Err("its signature is wrong".into()),
    }
}

/// The claims of a token whose signature was verified.
struct Claims<'a>(Object<'a>);

impl Claims<'_> {
    /// Checks every claim, and returns the subject.
    fn check(&self, expected: &Expected<'_>, hash: &'static digest::Algorithm) -> Result<String, Refusal> {
        let issuer = self.required("iss")?;
        if issuer != expected.issuer {
            return Err(Refusal::Because(format!(
                "its issuer is \"{issuer}\" and not \"{}\"",
                expected.issuer
            )));
        }
        self.check_audience(expected.client_id)?;
        self.check_times(expected.now)?;
        match (expected.nonce, self.text("nonce")?) {
            (Some(sent), Some(found)) if sent == found => {}
            (Some(_), None) if expected.is_refresh => {}
            (Some(_), _) => return Err("its `nonce` is not the one that was sent".into()),
            (None, _) => {}
        }
        if let Some(found) = self.text("at_hash")? {
            // The left half of the hash.
            let whole = digest::digest(hash, expected.access_token.expose().as_bytes());
            let half = whole.as_ref().get(..whole.as_ref().len() / 2).unwrap_or_default();
            if URL_SAFE_NO_PAD.encode(half) != found {
                return Err("its `at_hash` is not that of the access token".into());
            }
        }
        let subject = self.required("sub")?;
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || !subject.is_ascii() {
            return Err("`sub` is not 1 to 255 ASCII characters".into());
        }
        Ok(subject)
    }

    /// The token must be for this client. A token for several audiences must name this client as the party that may use
    /// it (`azp`), as servers do that list the client's project or its APIs.
    fn check_audience(&self, client_id: &str) -> Result<(), Refusal> {
        let audiences = match (self.0.strings("aud"), self.text("aud")) {
            (Some(several), _) => several,
            (None, one) => vec![one?.ok_or("`aud` is missing")?],
        };
        if !audiences.iter().any(|audience| audience == client_id) {
            let named = audiences.join("\", \"");
            return Err(Refusal::Because(format!("its audience is \"{named}\" and not \"{client_id}\"")));
        }
        match self.text("azp")? {
            Some(party) if party != client_id => Err(Refusal::Because(format!(
                "it was issued to \"{party}\" (`azp`) and not to \"{client_id}\""
            ))),
            None if audiences.len() > 1 => {
                let named = audiences.join("\", \"");
                Err(Refusal::Because(format!("it is for several audiences (\"{named}\") and has no `azp`")))
            }
            _ => Ok(()),
        }
    }

    fn check_times(&self, now: TimeOfDay) -> Result<(), Refusal> {
        let time = now.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let refuse = |what: &str, at: f64| {
            let (at, now_shown) = (shown(at), shown(time));
            let whose = if now.is_servers { "the server's clock says" } else { "this machine's clock says" };
            Err(Refusal::Because(format!("{what} at {at}, and {whose} {now_shown}: check the clocks")))
        };
        let required = |name: &str| self.time(name)?.ok_or_else(|| missing(name));
        let (expires, issued) = (required("exp")?, required("iat")?);
        if time >= expires + LEEWAY {
            return refuse("it expired (`exp`)", expires);
        }
        if issued > time + LEEWAY {
            return refuse("it was issued (`iat`)", issued);
        }
        match self.time("nbf")? {
            Some(begins) if begins > time + LEEWAY => refuse("it becomes valid (`nbf`)", begins),
            _ => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.0
            .string(name)
            .map_err(|IllTyped(name)| Refusal::Because(format!("`{name}` is of the wrong type")))
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    fn time(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let wrong = |IllTyped(name)| Refusal::Because(format!("`{name}` is of the wrong type"));
        self.0.plain_number(name).map_err(wrong)
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::Because(format!("`{name}` is missing"))
}

/// Returns a time for a message. A time that no calendar has is cut to the nearest one.
fn shown(seconds: f64) -> String {
    let since = Duration::try_from_secs_f64(seconds.clamp(0.0, LAST_SHOWN)).unwrap_or_default();
    UNIX_EPOCH.checked_add(since).map_or_else(String::new, httpdate::fmt_http_date)
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
