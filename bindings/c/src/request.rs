//! Refreshes, revocations and userinfo requests in progress.

use std::{
    ptr::{self, NonNull},
    sync::OnceLock,
};

use super::{
    entry::{self, Out, into_handle, max_wait_of, required, write_some},
    error::cli_auth_error,
    identity::cli_auth_identity,
    sigpipe,
    status::cli_auth_status,
    tokens::cli_auth_tokens,
};
use cli_auth::host::{RefreshRequest, RevokeRequest, UserinfoRequest};

/// A refresh, a revocation or a userinfo request in progress, for programs that want to cancel it or to wait for it in
/// steps.
///
/// One thread at a time may step it. Any thread may cancel it. It stays usable when its client is freed. Free it with
/// `cli_auth_request_free`, which ends it.
pub enum cli_auth_request {
    #[doc(hidden)]
    Refresh(RefreshRequest),
    #[doc(hidden)]
    Revocation(RevokeRequest),
    #[doc(hidden)]
    Userinfo(UserinfoRequest, OnceLock<cli_auth_identity>),
}

/// Waits for the response.
///
/// @param request The request. Must not be NULL.
/// @param max_wait The longest wait in seconds. 0 or less does not wait for the network; INFINITY waits as long as it
/// takes. The step that sends the first request of a client may block for longer: it reads and parses the trusted root
/// certificates.
/// @param[out] done Whether the response has arrived. It is returned once; a later step returns `CLI_AUTH_MISUSE`.
/// Written only on success. Must not be NULL.
/// @param[out] tokens The new tokens of a refresh. Written only if `done` is true; owned by the caller. Must not be
/// NULL for a refresh, and is not used for other requests.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return As the call that waits for the same kind of request. `CLI_AUTH_CANCELLED` after
/// `cli_auth_request_cancel`, `CLI_AUTH_BUSY` while another thread steps it, `CLI_AUTH_FORKED` in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_request_step(
    request: Option<NonNull<cli_auth_request>>,
    max_wait: f64,
    done: Out<'_, bool>,
    tokens: Out<'_, *mut cli_auth_tokens>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live request; nothing ever borrows it mutably.
    let request = request.map(|request| unsafe { request.as_ref() });
    entry::status(error, || {
        let (request, done) = (required("request", request)?, required("done", done)?);
        let max_wait = max_wait_of(max_wait)?;
        let answered = match request {
            cli_auth_request::Refresh(request) => {
                let tokens = required("tokens", tokens)?;
                let _quiet = sigpipe::Blocked::new();
                let answer = request.step(max_wait)?;
                write_some(Some(tokens), answer.map(|answer| into_handle(cli_auth_tokens::new(answer))))
            }
            cli_auth_request::Revocation(request) => {
                let _quiet = sigpipe::Blocked::new();
                request.step(max_wait)?
            }
            cli_auth_request::Userinfo(request, identity) => {
                let _quiet = sigpipe::Blocked::new();
                let answer = request.step(max_wait)?;
                answer.map(|answer| identity.get_or_init(|| cli_auth_identity::new(answer))).is_some()
            }
        };
        done.write(answered);
        Ok(())
    })
}

/// Returns the user that a userinfo request was answered with.
///
/// @param request The request. May be NULL.
/// @return The identity, borrowed from the request; NULL before the response has arrived, for other requests, and for
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_request_identity(request: Option<&cli_auth_request>) -> *const cli_auth_identity {
    match request {
        Some(cli_auth_request::Userinfo(_, identity)) => identity.get().map_or(ptr::null(), ptr::from_ref),
        _ => ptr::null(),
    }
}

/// Cancels a request. The step that waits for it returns `CLI_AUTH_CANCELLED` at once, and so does every later step. A
/// response that has already arrived is still returned. It is not known whether the server received the request.
///
/// It is wait-free. It may be called from any thread and from a signal handler. It preserves `errno`.
///
/// @param request The request. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_request_cancel(request: Option<&cli_auth_request>) {
    match request {
        Some(cli_auth_request::Refresh(request)) => request.cancel(),
        Some(cli_auth_request::Revocation(request)) => request.cancel(),
        Some(cli_auth_request::Userinfo(request, _)) => request.cancel(),
        None => {}
    }
}

/// Frees a request and ends it. Must not be called while another thread is in a call with the request, including
/// `cli_auth_request_cancel`.
///
/// @param request The request. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_request_free(request: Option<Box<cli_auth_request>>) {
    entry::value((), || {
        let _quiet = sigpipe::Blocked::new();
        drop(request);
    });
}
