//! A refresh or a revocation under way.

use std::ptr::NonNull;

use super::{
    entry::{self, Out, into_handle, max_wait_of, required, write_some},
    error::cli_auth_error,
    sigpipe,
    status::cli_auth_status,
    tokens::cli_auth_tokens,
};
use cli_auth::host::{RefreshRequest, RevokeRequest};

/// A refresh or a revocation under way, for programs that want to end it or wait for it in slices.
///
/// One thread at a time steps it; every thread may cancel it. It lives on when its client is freed. Free it with
/// `cli_auth_request_free`, which ends it.
pub enum cli_auth_request {
    #[doc(hidden)]
    Refresh(RefreshRequest),
    #[doc(hidden)]
    Revocation(RevokeRequest),
}

/// Waits for the response.
///
/// @param request The request.
/// @param max_wait At most so many seconds; 0 or less only looks, INFINITY waits as long as it takes.
/// @param[out] done Whether the response is there. It is returned once. Written only on success.
/// @param[out] tokens The new tokens of a refresh, written only with `done`; owned by the caller. May be NULL for a revocation.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return As `cli_auth_client_refresh` or `cli_auth_client_revoke`. `CLI_AUTH_CANCELLED` after `cli_auth_request_cancel`,
/// `CLI_AUTH_BUSY` while another thread steps it, `CLI_AUTH_FORKED` in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_request_step(
    request: Option<NonNull<cli_auth_request>>,
    max_wait: f64,
    done: Out<'_, bool>,
    tokens: Out<'_, *mut cli_auth_tokens>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a request that lives; nothing ever takes it mutably.
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
        };
        done.write(answered);
        Ok(())
    })
}

/// Ends a request: the step that waits for it returns `CLI_AUTH_CANCELLED` at once, and so does every later one. A response
/// that is there already is still returned. Whether the server saw the request is not known.
///
/// Wait-free; callable from every thread, and from a signal handler. It leaves `errno` as it was.
///
/// @param request The request, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_request_cancel(request: Option<&cli_auth_request>) {
    match request {
        Some(cli_auth_request::Refresh(request)) => request.cancel(),
        Some(cli_auth_request::Revocation(request)) => request.cancel(),
        None => {}
    }
}

/// Frees a request, and ends it. Not while another thread is inside a call with it, `cli_auth_request_cancel` included.
///
/// @param request The request, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_request_free(request: Option<Box<cli_auth_request>>) {
    entry::value((), || {
        let _quiet = sigpipe::Blocked::new();
        match request.map(|request| *request) {
            Some(cli_auth_request::Refresh(request)) => request.free(),
            Some(cli_auth_request::Revocation(request)) => request.free(),
            None => {}
        }
    });
}
