//! Clients.

use std::{ffi::c_char, ptr::NonNull, sync::OnceLock};

use super::{
    entry::{self, Out, into_handle, required},
    error::cli_auth_error,
    identity::cli_auth_identity,
    options::cli_auth_client_options,
    refresh_options::cli_auth_refresh_options,
    request::cli_auth_request,
    sigpipe,
    status::cli_auth_status,
    text::{read, read_optional},
    tokens::cli_auth_tokens,
};
use cli_auth::{Client, Secret};

/// A client of one authorization server. Several threads may use it at once.
///
/// In a forked child it continues to work, with connections of the child's own. Free it with `cli_auth_client_free`.
/// Logins and requests that were created from it stay usable.
pub struct cli_auth_client(Client);

/// Returns the client behind a pointer that several threads may use at once.
///
/// # Safety
///
/// `client` is NULL, or was returned by `cli_auth_client_new` and has not been freed.
pub(super) unsafe fn shared<'a>(
    client: Option<NonNull<cli_auth_client>>,
) -> Result<&'a Client, entry::Refusal> {
    // SAFETY: the caller's promise; nothing ever borrows it mutably.
    required("client", client).map(|client| unsafe { &client.as_ref().0 })
}

/// Creates a client. Checks every setting and sends nothing.
///
/// @param options The settings. Must not be NULL. The caller keeps ownership.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return A client, owned by the caller; free it with `cli_auth_client_free`. NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_new(
    options: Option<&cli_auth_client_options>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_client {
    entry::handle(error, || Ok(cli_auth_client(required("options", options)?.build()?)))
}

/// Exchanges a refresh token for new tokens (RFC 6749 section 6). Sends one request, after discovery where that is
/// needed, and never repeats it. If the response has an ID token, it is verified, for which the keys of the server may
/// have to be fetched.
///
/// Blocks until there is a response. The client's timeouts apply to each request. To be able to end the request, use
/// `cli_auth_client_begin_refresh` instead. May be called from any thread.
///
/// Many servers, including WorkOS, invalidate the refresh token that was sent. Store the new one before you do anything
/// else. Never refresh the same token from two processes at once.
///
/// @param client The client. Must not be NULL.
/// @param refresh_token The refresh token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
/// @param options What else to ask for. May be NULL. The caller keeps ownership.
/// @param[out] tokens The new tokens. Written only on success; owned by the caller. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next. After `CLI_AUTH_LOGIN_REQUIRED` the token is no longer valid: log in
/// again. After `CLI_AUTH_NETWORK`, keep the token and try again; it may have been used if the response was lost. After
/// `CLI_AUTH_ACTION_REQUIRED`, log in again in the browser. After `CLI_AUTH_INVALID_RESPONSE`, the ID token was refused
/// or is for another user, and the refresh token has probably been used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_refresh(
    client: Option<NonNull<cli_auth_client>>,
    refresh_token: *const c_char,
    options: Option<&cli_auth_refresh_options>,
    tokens: Out<'_, *mut cli_auth_tokens>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs, a live client, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("refresh_token", refresh_token)) };
    entry::status(error, || {
        let (client, token, tokens) = (client?, Secret::new(token?), required("tokens", tokens)?);
        let options = cli_auth_refresh_options::checked(options)?;
        let _quiet = sigpipe::Blocked::new();
        tokens.write(into_handle(cli_auth_tokens::new(client.refresh_with(&token, &options)?)));
        Ok(())
    })
}

/// Revokes a token (RFC 7009). Sends one request, after discovery where that is needed.
///
/// Blocks in the same way as `cli_auth_client_refresh`. May be called from any thread.
///
/// Revoke the refresh token: servers then revoke its access tokens too. A token that the server does not know counts as
/// revoked.
///
/// @param client The client. Must not be NULL.
/// @param token The token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_UNSUPPORTED` means that the server has no revocation endpoint
/// (WorkOS has none) or cannot revoke this kind of token. After `CLI_AUTH_NETWORK` the token may still be valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_revoke(
    client: Option<NonNull<cli_auth_client>>,
    token: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs, a live client, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("token", token)) };
    entry::status(error, || {
        let (client, token) = (client?, Secret::new(token?));
        let _quiet = sigpipe::Blocked::new();
        Ok(client.revoke(&token)?)
    })
}

/// Begins a refresh as `cli_auth_client_refresh` does it, without waiting for the response. `cli_auth_request_step`
/// drives the request, and so does any other call of this client that waits for the server. May be called from any
/// thread.
///
/// @param client The client. Must not be NULL.
/// @param refresh_token The refresh token. Must not be NULL or empty.
/// @param options What else to ask for. May be NULL. The caller keeps ownership.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_begin_refresh(
    client: Option<NonNull<cli_auth_client>>,
    refresh_token: *const c_char,
    options: Option<&cli_auth_refresh_options>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_request {
    // SAFETY: the caller passes NULLs, a live client, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("refresh_token", refresh_token)) };
    entry::handle(error, || {
        let options = cli_auth_refresh_options::checked(options)?;
        Ok(cli_auth_request::Refresh(client?.begin_refresh(&Secret::new(token?), &options)?))
    })
}

/// Begins a revocation as `cli_auth_client_revoke` does it, without waiting for the response. See
/// `cli_auth_client_begin_refresh`.
///
/// @param client The client. Must not be NULL.
/// @param token The token. Must not be NULL or empty.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_begin_revoke(
    client: Option<NonNull<cli_auth_client>>,
    token: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_request {
    // SAFETY: the caller passes NULLs, a live client, and a text that ends with NUL.
    let (client, token) = unsafe { (shared(client), read("token", token)) };
    entry::handle(error, || Ok(cli_auth_request::Revocation(client?.begin_revoke(&Secret::new(token?))?)))
}

/// Asks the server who the user of an access token is (OpenID Connect Core section 5.3). Sends one request, after
/// discovery where that is needed.
///
/// Blocks in the same way as `cli_auth_client_refresh`. May be called from any thread. The access token must have been
/// issued for the scope `openid`.
///
/// @param client The client. Must not be NULL.
/// @param access_token The access token. Must not be NULL. An empty one returns `CLI_AUTH_INVALID_CONFIG`.
/// @param subject The `cli_auth_identity_subject` of the login. A response about another user returns
/// `CLI_AUTH_INVALID_RESPONSE`. May be NULL if it is not known.
/// @param[out] identity The user. Written only on success; owned by the caller, who frees it with
/// `cli_auth_identity_free`. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_UNSUPPORTED` means that the server has no userinfo endpoint, or
/// that it is not known, as with WorkOS AuthKit and explicit endpoints. After `CLI_AUTH_REJECTED` the server does not
/// accept the access token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_userinfo(
    client: Option<NonNull<cli_auth_client>>,
    access_token: *const c_char,
    subject: *const c_char,
    identity: Out<'_, *mut cli_auth_identity>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs, a live client, and texts that end with NUL.
    let (client, token) = unsafe { (shared(client), read("access_token", access_token)) };
    // SAFETY: as above.
    let subject = unsafe { read_optional("subject", subject) };
    entry::status(error, || {
        let (client, token, subject) = (client?, Secret::new(token?), subject?);
        let identity = required("identity", identity)?;
        let _quiet = sigpipe::Blocked::new();
        identity.write(into_handle(cli_auth_identity::new(client.userinfo(&token, subject)?)));
        Ok(())
    })
}

/// Begins a userinfo request as `cli_auth_client_userinfo` does it, without waiting for the response. See
/// `cli_auth_client_begin_refresh`. `cli_auth_request_identity` returns the user after the last step.
///
/// @param client The client. Must not be NULL.
/// @param access_token The access token. Must not be NULL or empty.
/// @param subject The `cli_auth_identity_subject` of the login. May be NULL if it is not known.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return A request, owned by the caller; free it with `cli_auth_request_free`. NULL on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_client_begin_userinfo(
    client: Option<NonNull<cli_auth_client>>,
    access_token: *const c_char,
    subject: *const c_char,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_request {
    // SAFETY: the caller passes NULLs, a live client, and texts that end with NUL.
    let (client, token) = unsafe { (shared(client), read("access_token", access_token)) };
    // SAFETY: as above.
    let subject = unsafe { read_optional("subject", subject) };
    entry::handle(error, || {
        let request = client?.begin_userinfo(&Secret::new(token?), subject?)?;
        Ok(cli_auth_request::Userinfo(request, OnceLock::new()))
    })
}

/// Frees a client. Must not be called while another thread is in a call with the client.
///
/// @param client The client. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_client_free(client: Option<Box<cli_auth_client>>) {
    entry::free(client);
}
