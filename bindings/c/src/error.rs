//! Errors.

use std::{
    ffi::{CString, c_char},
    ptr,
    sync::OnceLock,
};

use super::{
    entry::{self, Out, Refusal, write_some},
    status::{CLI_AUTH_OK, cli_auth_status, name},
    text::{Exposed, List, copy, lend},
};
use cli_auth::Error;

/// Why a call did not succeed.
///
/// It belongs to whoever received it: free it with `cli_auth_error_free`. It does not change, and all threads may read it.
/// What its functions return lives as long as it. All of them take NULL, and give what says "nothing".
pub struct cli_auth_error {
    status: cli_auth_status,
    error: Error,
    message: CString,
    oauth_error: Option<CString>,
    description: Option<CString>,
    request_id: Option<CString>,
    organization_ids: Option<List>,
    organization_names: Option<List>,
    pending_authentication_token: OnceLock<Exposed>,
}

impl cli_auth_error {
    pub(super) fn new(refusal: Refusal) -> Self {
        let Refusal { status, error } = refusal;
        Self {
            status,
            message: copy(&error.to_string()),
            oauth_error: error.oauth_error().map(copy),
            description: error.description().map(copy),
            request_id: error.request_id().map(copy),
            organization_ids: error.organizations().map(|all| List::new(all.iter().map(|o| o.id.as_str()))),
            organization_names: error
                .organizations()
                .map(|all| List::new(all.iter().map(|o| o.name.as_str()))),
            pending_authentication_token: OnceLock::new(),
            error,
        }
    }
}

/// What to do next.
///
/// @param error The error.
/// @return The status that the call returned; `CLI_AUTH_OK` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_status(error: Option<&cli_auth_error>) -> cli_auth_status {
    error.map_or(CLI_AUTH_OK, |error| error.status)
}

/// The status in snake_case: `denied`, `network`, ...
///
/// @param error The error.
/// @return A text that lives as long as the program; `ok` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_kind(error: Option<&cli_auth_error>) -> *const c_char {
    name(cli_auth_error_status(error)).as_ptr()
}

/// A sentence for the user: what happened and what to do next. It holds no secret, and what of it came
/// from the server is sanitised.
///
/// @param error The error.
/// @return The sentence; an empty text for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_message(error: Option<&cli_auth_error>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// The server's error code as it came (RFC 6749 section 5.2, RFC 8628 section 3.5), or WorkOS's `code`. Raw, apart from
/// masked secrets: `cli_auth_sanitize` it before printing.
///
/// @param error The error.
/// @return The code, or NULL where there was none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_oauth_error(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.oauth_error.as_ref()))
}

/// The server's own words, sanitised. The message holds them already.
///
/// @param error The error.
/// @return The words, or NULL where the server said nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_description(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.description.as_ref()))
}

/// The HTTP status of the response that ended it.
///
/// @param error The error.
/// @return The status, or 0 where there was no response.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_http_status(error: Option<&cli_auth_error>) -> i32 {
    error.and_then(|error| error.error.http_status()).map_or(0, i32::from)
}

/// The server's name for the request (`x-request-id`), sanitised: what its support will ask for.
///
/// @param error The error.
/// @return The name, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_request_id(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.request_id.as_ref()))
}

/// How long the server asked to wait before the next request (RFC 9110 section 10.2.3). As large as the server said: cap it.
///
/// @param error The error.
/// @param[out] seconds The wait, written only where there is one.
/// @return Whether the server asked.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_retry_after(error: Option<&cli_auth_error>, seconds: Out<'_, f64>) -> bool {
    write_some(seconds, error.and_then(|error| error.error.retry_after()).map(|wait| wait.as_secs_f64()))
}

/// The ids of the organizations to choose from, when the server named them with `CLI_AUTH_ACTION_REQUIRED`. Raw.
///
/// @param error The error.
/// @return An array that ends with NULL, or NULL where the server named none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_organization_ids(error: Option<&cli_auth_error>) -> *const *const c_char {
    error.and_then(|error| error.organization_ids.as_ref()).map_or(ptr::null(), List::lend)
}

/// The names of the same organizations, in the same order. Raw.
///
/// @param error The error.
/// @return An array that ends with NULL, or NULL where the server named none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_organization_names(error: Option<&cli_auth_error>) -> *const *const c_char {
    error.and_then(|error| error.organization_names.as_ref()).map_or(ptr::null(), List::lend)
}

/// WorkOS's `pending_authentication_token` in clear text: the secret with which a component that holds the WorkOS API key can
/// complete the step. A tool on a user's machine cannot: let the user log in again.
///
/// @param error The error.
/// @return The secret, overwritten when the error is freed; NULL where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_expose_pending_authentication_token(
    error: Option<&cli_auth_error>,
) -> *const c_char {
    entry::value(ptr::null(), || {
        let Some(error) = error else { return ptr::null() };
        error.error.pending_authentication_token().map_or(ptr::null(), |secret| {
            error.pending_authentication_token.get_or_init(|| Exposed::new(secret)).lend()
        })
    })
}

/// Frees an error.
///
/// @param error The error, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_free(error: Option<Box<cli_auth_error>>) {
    entry::free(error);
}
