//! Forms are taken only from the browser that was given them: the hidden field has to fit the cookie.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;

use crate::http::Request;
use crate::random;

const COOKIE: &str = "authserver_session";
/// Cookies do not know ports: a plain page could not replace the Secure cookie of a TLS page of the same name.
const SECURE_COOKIE: &str = "__Host-authserver_session";
static KEY: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>()));

/// A browser's session. The server remembers nothing: the field is the cookie's MAC.
#[derive(Debug)]
pub(super) struct Session {
    name: &'static str,
    id: String,
    is_new: bool,
}

impl Session {
    /// The session of a request; a new one if it has none.
    pub(super) fn of(request: &Request, secure: bool) -> Session {
        let cookie = if secure { SECURE_COOKIE } else { COOKIE };
        let headers = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let mut pairs =
            headers.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let id = pairs
            .find(|(name, value)| *name == cookie && value.len() == 64)
            .map(|(_, value)| value.to_owned());
        match id {
            Some(id) => Session { name: cookie, id, is_new: false },
            None => Session { name: cookie, id: random::long(), is_new: true },
        }
    }

    /// The value of the hidden field.
    pub(super) fn token(&self) -> String {
        BASE64.encode(hmac::sign(&KEY, self.id.as_bytes()))
    }

    /// Whether a form was made for this session.
    pub(super) fn made(&self, token: Option<&str>) -> bool {
        let mac = token.and_then(|token| BASE64.decode(token).ok()).unwrap_or_default();
        !self.is_new && hmac::verify(&KEY, self.id.as_bytes(), &mac).is_ok()
    }

    /// The `Set-Cookie` of a new session.
    pub(super) fn cookie(&self) -> Option<String> {
        let secure = if self.name == SECURE_COOKIE { "; Secure" } else { "" };
        let (name, id) = (self.name, &self.id);
        self.is_new.then(|| format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}"))
    }
}
