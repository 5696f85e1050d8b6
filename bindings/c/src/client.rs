//! Who asks whom.

use std::{ffi::c_char, ptr::NonNull};

use super::{
    entry::{self, Out, into_handle, required},
    error::cli_auth_error,
    options::cli_auth_client_options,
    request::cli_auth_request,
    sigpipe,
    status::cli_auth_status,
    text::read,
    tokens::cli_auth_tokens,
};
use cli_auth::{Client, Secret};

/// A client of one authorization server. All threads may use it at once.
///
/// In a forked child it works on, with connections of the child's own. Free it with `cli_auth_client_free`; logins and
/// requests that were made from it live on.
pub struct cli_auth_client(Client);

/// The client behind a pointer that several threads may use at once.
///
/// # Safety
///
/// `client` is NULL, or came from `cli_auth_client_new` and was not freed.
pub(super) unsafe fn shared<'a>(
    client: Option<NonNull<cli_auth_client>>,
) -> Result<&'a Client, entry::Refusal> {
    // SAFETY: the caller's promise; nothing ever takes it mutably.
    required("client", client).map(|client| unsafe { &client.as_ref().0 })
}

/// Makes a client. Every setting is checked, nothing is sent.
///
/// @param options Its settings. They stay the caller's.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return A client, owned by the caller, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_new(
    options: Option<&cli_auth_client_options>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_client {
    entry::handle(error, || Ok(cli_auth_client(required("options", options)?.build()?)))
}

/// Trades a refresh token for new tokens (RFC 6749 section 6): one request, after discovery where that is needed, never repeated
/// by itself. Blocks until there is a response; each request has the client's timeouts. `cli_auth_client_begin_refresh` can be ended.
///
/// Many servers, WorkOS among them, retire the token that was sent: store the new one before anything else. Never refresh one
/// token from two processes at once.
///
/// @param client The client.
/// @param refresh_token The token.
/// @param[out] tokens The new tokens, written only on success; owned by the caller.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_REJECTED`: the token is dead, log in again. `CLI_AUTH_NETWORK`: keep it and try again; it may have been
/// used if the response was lost. `CLI_AUTH_ACTION_REQUIRED`: log in again, in the browser.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_refresh(
    client: Option<NonNull<cli_auth_client>>,
    refresh_token: *const c_char,
    tokens: Out<'_, *mut cli_auth_tokens>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULLs, a client that lives, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("refresh_token", refresh_token)) };
    entry::status(error, || {
        let (client, token, tokens) = (client?, Secret::new(token?), required("tokens", tokens)?);
        let _quiet = sigpipe::Blocked::new();
        tokens.write(into_handle(cli_auth_tokens::new(client.refresh(&token)?)));
        Ok(())
    })
}

/// Ends a token's life (RFC 7009): one request, after discovery where that is needed. Blocks as `cli_auth_client_refresh` does.
///
/// Revoke the refresh token: servers then drop its access tokens too. A token that the server does not know counts as revoked.
///
/// @param client The client.
/// @param token The token.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_UNSUPPORTED`: the server has no revocation endpoint (WorkOS has none), or cannot revoke this kind of token.
/// `CLI_AUTH_NETWORK`: the token still lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_revoke(
    client: Option<NonNull<cli_auth_client>>,
    token: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULLs, a client that lives, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("token", token)) };
    entry::status(error, || {
        let (client, token) = (client?, Secret::new(token?));
        let _quiet = sigpipe::Blocked::new();
        Ok(client.revoke(&token)?)
    })
}

/// Begins what `cli_auth_client_refresh` does, without waiting: `cli_auth_request_step` drives it, and so does any other call
/// that waits for this client's server.
///
/// @param client The client.
/// @param refresh_token The token.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return A request, owned by the caller, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_begin_refresh(
    client: Option<NonNull<cli_auth_client>>,
    refresh_token: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_request {
    // SAFETY: the caller gives NULLs, a client that lives, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("refresh_token", refresh_token)) };
    entry::handle(error, || Ok(cli_auth_request::Refresh(client?.begin_refresh(&Secret::new(token?))?)))
}

/// Begins what `cli_auth_client_revoke` does, as `cli_auth_client_begin_refresh`.
///
/// @param client The client.
/// @param token The token.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return A request, owned by the caller, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_begin_revoke(
    client: Option<NonNull<cli_auth_client>>,
    token: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_request {
    // SAFETY: the caller gives NULLs, a client that lives, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("token", token)) };
    entry::handle(error, || Ok(cli_auth_request::Revocation(client?.begin_revoke(&Secret::new(token?))?)))
}

/// Frees a client. Not while another thread is inside a call with it.
///
/// @param client The client, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_free(client: Option<Box<cli_auth_client>>) {
    entry::free(client);
}
