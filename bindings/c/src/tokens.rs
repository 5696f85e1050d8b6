//! What a login or a refresh brings.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    ptr,
    sync::OnceLock,
};

use super::{
    entry::{self, Out, write_some},
    text::{self, Exposed, List, copy, lend},
};
use cli_auth::{Secret, Tokens, host::seconds_since_epoch};

/// The tokens that the server gave out (RFC 6749 section 5.1).
///
/// Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all.
///
/// They belong to whoever received them: free them with `cli_auth_tokens_free`, which overwrites the secrets that were
/// exposed. They do not change, and all threads may read them. What their functions return lives as long as they. All of
/// them take NULL.
pub struct cli_auth_tokens {
    tokens: Tokens,
    token_type: CString,
    scopes: Option<List>,
    user_id: Option<CString>,
    organization_id: Option<CString>,
    other_names: List,
    access_token: OnceLock<Exposed>,
    refresh_token: OnceLock<Exposed>,
    id_token: OnceLock<Exposed>,
    others: BTreeMap<String, OnceLock<Exposed>>,
}

impl cli_auth_tokens {
    pub(super) fn new(tokens: Tokens) -> Self {
        Self {
            token_type: copy(tokens.token_type()),
            scopes: tokens.scopes().map(|scopes| List::new(scopes.iter().map(String::as_str))),
            user_id: tokens.user_id().map(copy),
            organization_id: tokens.organization_id().map(copy),
            other_names: List::new(tokens.other_names()),
            access_token: OnceLock::new(),
            refresh_token: OnceLock::new(),
            id_token: OnceLock::new(),
            others: tokens.other_names().map(|name| (name.to_owned(), OnceLock::new())).collect(),
            tokens,
        }
    }

    fn expose_other(&self, name: &str) -> *const c_char {
        self.others.get(name).map_or(ptr::null(), |slot| expose(slot, self.tokens.other(name)))
    }
}

/// The copy for C is made when it is first asked for.
fn expose(slot: &OnceLock<Exposed>, secret: Option<&Secret>) -> *const c_char {
    entry::value(ptr::null(), || {
        secret.map_or(ptr::null(), |secret| slot.get_or_init(|| Exposed::new(secret)).lend())
    })
}

/// The token for the API in clear text, to be sent as `Authorization: Bearer ...` over TLS, and only to the API that it is
/// for.
///
/// @param tokens The tokens.
/// @return The secret; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_access_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| expose(&it.access_token, Some(it.tokens.access_token())))
}

/// The token for `cli_auth_client_refresh` in clear text. After a refresh without a new one, the old one.
///
/// @param tokens The tokens.
/// @return The secret, or NULL where the server gave none: many give one only for the scope `offline_access`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_refresh_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| expose(&it.refresh_token, it.tokens.refresh_token()))
}

/// The OpenID Connect ID token in clear text, **unverified**: read no identity from it before you checked it (signature, `iss`,
/// `aud`, `exp`; OpenID Connect Core section 3.1.3.7).
///
/// @param tokens The tokens.
/// @return The secret, or NULL where the server gave none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_id_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| expose(&it.id_token, it.tokens.id_token()))
}

/// Whether there is a refresh token.
///
/// @param tokens The tokens.
/// @return Whether; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_has_refresh_token(tokens: Option<&cli_auth_tokens>) -> bool {
    tokens.is_some_and(|it| it.tokens.refresh_token().is_some())
}

/// Whether there is an ID token.
///
/// @param tokens The tokens.
/// @return Whether; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_has_id_token(tokens: Option<&cli_auth_tokens>) -> bool {
    tokens.is_some_and(|it| it.tokens.id_token().is_some())
}

/// The token type as the server spelled it: some spelling of `Bearer`.
///
/// @param tokens The tokens.
/// @return The type; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_token_type(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    lend(tokens.map(|it| &it.token_type))
}

/// What was granted, in the server's order. Where the server names nothing, these are the scopes that were asked for (RFC 6749
/// section 5.1).
///
/// @param tokens The tokens.
/// @return An array that ends with NULL, or NULL where neither the server nor the client named a scope.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_scopes(tokens: Option<&cli_auth_tokens>) -> *const *const c_char {
    tokens.and_then(|it| it.scopes.as_ref()).map_or(ptr::null(), List::lend)
}

/// The access token's lifetime when it was given out.
///
/// @param tokens The tokens.
/// @param[out] seconds The lifetime, written only where it is known.
/// @return Whether it is known. Unknown is neither zero nor for ever.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expires_in(
    tokens: Option<&cli_auth_tokens>,
    seconds: Out<'_, f64>,
) -> bool {
    write_some(seconds, tokens.and_then(|it| it.tokens.expires_in()).map(|lifetime| lifetime.as_secs_f64()))
}

/// When the access token ends, by this machine's clock or, where the server named no lifetime, by the token's own `exp`.
/// Counted from before the request left, so it is never too late by the time that the response took.
///
/// @param tokens The tokens.
/// @param[out] unix_seconds Seconds since 1970-01-01 00:00 UTC, written only where it is known.
/// @return Whether it is known.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expires_at(
    tokens: Option<&cli_auth_tokens>,
    unix_seconds: Out<'_, f64>,
) -> bool {
    write_some(unix_seconds, tokens.and_then(|it| it.tokens.expires_at()).map(seconds_since_epoch))
}

/// WorkOS AuthKit: the id of the user, such as `user_01H...`, raw.
///
/// @param tokens The tokens.
/// @return The id, or NULL with other servers: their ID token tells who it is, once verified.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_user_id(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    lend(tokens.and_then(|it| it.user_id.as_ref()))
}

/// WorkOS AuthKit: the id of the organization that the user logged in to, raw.
///
/// @param tokens The tokens.
/// @return The id, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_organization_id(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    lend(tokens.and_then(|it| it.organization_id.as_ref()))
}

/// The names of all other members of the server's response, sorted, raw.
///
/// @param tokens The tokens.
/// @return An array that ends with NULL; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_other_names(tokens: Option<&cli_auth_tokens>) -> *const *const c_char {
    tokens.map_or(ptr::null(), |it| it.other_names.lend())
}

/// Any other member of the response, as raw JSON. A secret, since it may be one (AuthKit: tokens of an identity provider).
///
/// @param tokens The tokens.
/// @param name The member's name.
/// @return The JSON text, or NULL where the response has no such member.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_tokens_expose_other(
    tokens: Option<&cli_auth_tokens>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller gives NULL or a text that ends with NUL.
    let name = unsafe { text::read("name", name) };
    match (tokens, name) {
        (Some(tokens), Ok(name)) => tokens.expose_other(name),
        _ => ptr::null(),
    }
}

/// Frees tokens, and overwrites what of them was exposed.
///
/// @param tokens The tokens, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_free(tokens: Option<Box<cli_auth_tokens>>) {
    entry::free(tokens);
}
