//! The tokens that a login or a refresh returns.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    ptr,
    sync::OnceLock,
};

use super::{
    entry::{self, Out, write_some},
    identity::cli_auth_identity,
    text::{self, Exposed, List, copy, lend},
};
use cli_auth::{Tokens, host::seconds_since_epoch};

/// The tokens that the server issued (RFC 6749 section 5.1).
///
/// The access token is for its API. This library does not look into it.
///
/// The caller owns them and frees them with `cli_auth_tokens_free`, which overwrites the secrets that were exposed.
/// They do not change, and several threads may read them at once. What their functions return is borrowed from them.
/// All their functions accept NULL.
pub struct cli_auth_tokens {
    tokens: Tokens,
    token_type: CString,
    scopes: Option<List>,
    identity: Option<cli_auth_identity>,
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
            identity: tokens.identity().cloned().map(cli_auth_identity::new),
            other_names: List::new(tokens.other_names()),
            access_token: OnceLock::new(),
            refresh_token: OnceLock::new(),
            id_token: OnceLock::new(),
            others: tokens.other_names().map(|name| (name.to_owned(), OnceLock::new())).collect(),
            tokens,
        }
    }

    fn expose_other(&self, name: &str) -> *const c_char {
        let slot = self.others.get(name);
        slot.map_or(ptr::null(), |slot| Exposed::lend_some(slot, self.tokens.other(name)))
    }
}

/// Returns the access token in clear text. Send it as `Authorization: Bearer ...` over TLS, and only to the API that it
/// was issued for.
///
/// @param tokens The tokens. May be NULL.
/// @return The secret, borrowed from the tokens; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_access_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| Exposed::lend_some(&it.access_token, Some(it.tokens.access_token())))
}

/// Returns the refresh token in clear text, for `cli_auth_client_refresh`. If a refresh brought no new refresh token,
/// this is the old one.
///
/// @param tokens The tokens. May be NULL.
/// @return The secret, borrowed from the tokens; NULL if the server sent none, and for NULL. Many servers send one only
/// for the scope `offline_access`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_refresh_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| Exposed::lend_some(&it.refresh_token, it.tokens.refresh_token()))
}

/// Returns the OpenID Connect ID token in clear text, as it was received. It was verified if `cli_auth_tokens_identity`
/// returns an identity and the server is not WorkOS AuthKit.
///
/// @param tokens The tokens. May be NULL.
/// @return The secret, borrowed from the tokens; NULL if the server sent none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expose_id_token(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    tokens.map_or(ptr::null(), |it| Exposed::lend_some(&it.id_token, it.tokens.id_token()))
}

/// Returns whether there is a refresh token.
///
/// @param tokens The tokens. May be NULL.
/// @return Whether there is one; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_has_refresh_token(tokens: Option<&cli_auth_tokens>) -> bool {
    tokens.is_some_and(|it| it.tokens.refresh_token().is_some())
}

/// Returns whether there is an ID token.
///
/// @param tokens The tokens. May be NULL.
/// @return Whether there is one; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_has_id_token(tokens: Option<&cli_auth_tokens>) -> bool {
    tokens.is_some_and(|it| it.tokens.id_token().is_some())
}

/// Returns the token type as the server spelled it. It is `Bearer` in upper or lower case.
///
/// @param tokens The tokens. May be NULL.
/// @return The token type, borrowed from the tokens; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_token_type(tokens: Option<&cli_auth_tokens>) -> *const c_char {
    lend(tokens.map(|it| &it.token_type))
}

/// Returns the granted scopes, in the server's order. If the server named none, these are the scopes that
/// were requested (RFC 6749 section 5.1).
///
/// @param tokens The tokens. May be NULL.
/// @return An array that ends with NULL, borrowed from the tokens; NULL if neither the server nor the client named a
/// scope, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_scopes(tokens: Option<&cli_auth_tokens>) -> *const *const c_char {
    tokens.and_then(|it| it.scopes.as_ref()).map_or(ptr::null(), List::lend)
}

/// Reads the lifetime of the access token, counted from its issue.
///
/// @param tokens The tokens. May be NULL.
/// @param[out] seconds The lifetime in seconds. Written only if it is known. May be NULL.
/// @return Whether it is known; false for NULL. Treat an unknown lifetime neither as expired nor as valid forever.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expires_in(
    tokens: Option<&cli_auth_tokens>,
    seconds: Out<'_, f64>,
) -> bool {
    write_some(seconds, tokens.and_then(|it| it.tokens.expires_in()).map(|lifetime| lifetime.as_secs_f64()))
}

/// Reads when the access token expires. The time follows this machine's clock, or the token's own `exp` if the server
/// named no lifetime. The lifetime is counted from before the request was sent, so the duration of the request does not
/// make this time too late.
///
/// @param tokens The tokens. May be NULL.
/// @param[out] unix_seconds The time in seconds since 1970-01-01 00:00 UTC. Written only if it is known. May be NULL.
/// @return Whether it is known; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_expires_at(
    tokens: Option<&cli_auth_tokens>,
    unix_seconds: Out<'_, f64>,
) -> bool {
    write_some(unix_seconds, tokens.and_then(|it| it.tokens.expires_at()).map(seconds_since_epoch))
}

/// Returns the user who logged in.
///
/// With WorkOS AuthKit, this is the user of the response. With a client by issuer and with WorkOS Connect, it is the
/// verified ID token, which servers issue for the scope `openid`. With explicit endpoints, nothing is known about the
/// keys.
///
/// @param tokens The tokens. May be NULL.
/// @return The identity, borrowed from the tokens; NULL if the server did not say, if its ID token was not verified
/// (`CLI_AUTH_EVENT_IDENTITY_UNVERIFIED` says why), and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_identity(tokens: Option<&cli_auth_tokens>) -> *const cli_auth_identity {
    tokens.and_then(|it| it.identity.as_ref()).map_or(ptr::null(), ptr::from_ref)
}

/// Returns the names of all other members of the server's response, sorted. They are raw.
///
/// @param tokens The tokens. May be NULL.
/// @return An array that ends with NULL, borrowed from the tokens; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_other_names(tokens: Option<&cli_auth_tokens>) -> *const *const c_char {
    tokens.map_or(ptr::null(), |it| it.other_names.lend())
}

/// Returns any other member of the response, as raw JSON. It is treated as a secret, because it may be one (AuthKit
/// sends tokens of an identity provider).
///
/// @param tokens The tokens. May be NULL.
/// @param name The name of the member. If it is NULL or not UTF-8, the result is NULL.
/// @return The JSON text, borrowed from the tokens; NULL if the response has no such member, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_tokens_expose_other(
    tokens: Option<&cli_auth_tokens>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let name = unsafe { text::read("name", name) };
    match (tokens, name) {
        (Some(tokens), Ok(name)) => tokens.expose_other(name),
        _ => ptr::null(),
    }
}

/// Frees tokens and overwrites the secrets that were exposed.
///
/// @param tokens The tokens. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_tokens_free(tokens: Option<Box<cli_auth_tokens>>) {
    entry::free(tokens);
}
