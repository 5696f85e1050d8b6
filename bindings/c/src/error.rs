//! Errors.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    ptr,
    sync::OnceLock,
};

use super::{
    entry::{self, Out, Refusal, write_some},
    status::{CLI_AUTH_OK, cli_auth_status, name},
    text::{self, Exposed, List, copy, lend},
};
use cli_auth::Error;

/// Why a call failed.
///
/// The caller owns it and frees it with `cli_auth_error_free`. It does not change, and several threads may read it at
/// once. What its functions return is borrowed from it. All its functions accept NULL.
pub struct cli_auth_error {
    status: cli_auth_status,
    error: Error,
    message: CString,
    oauth_error: Option<CString>,
    description: Option<CString>,
    detail: Option<CString>,
    request_id: Option<CString>,
    claims: Option<CString>,
    organization_ids: Option<List>,
    organization_names: Option<List>,
    pending_authentication_token: OnceLock<Exposed>,
    member_names: List,
    members: BTreeMap<String, OnceLock<Exposed>>,
}

impl cli_auth_error {
    pub(super) fn new(refusal: Refusal) -> Self {
        let Refusal { status, error } = refusal;
        Self {
            status,
            message: copy(&error.to_string()),
            oauth_error: error.oauth_error().map(copy),
            description: error.description().map(copy),
            detail: error.detail().map(copy),
            request_id: error.request_id().map(copy),
            claims: error.claims().map(copy),
            organization_ids: error.organizations().map(|all| List::new(all.iter().map(|o| o.id.as_str()))),
            organization_names: error
                .organizations()
                .map(|all| List::new(all.iter().map(|o| o.name.as_str()))),
            pending_authentication_token: OnceLock::new(),
            member_names: List::new(error.member_names()),
            members: error.member_names().map(|name| (name.to_owned(), OnceLock::new())).collect(),
            error,
        }
    }
}

/// Returns the status, which says what to do next.
///
/// @param error The error. May be NULL.
/// @return The status that the call returned; `CLI_AUTH_OK` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_status(error: Option<&cli_auth_error>) -> cli_auth_status {
    error.map_or(CLI_AUTH_OK, |error| error.status)
}

/// Returns the name of the status in snake_case, such as `denied` or `network`.
///
/// @param error The error. May be NULL.
/// @return The name; `ok` for NULL. It stays valid as long as the program runs.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_kind(error: Option<&cli_auth_error>) -> *const c_char {
    name(cli_auth_error_status(error)).as_ptr()
}

/// Returns a sentence for the user: what happened and what to do next. It contains no secret. What came from the server
/// is sanitised.
///
/// @param error The error. May be NULL.
/// @return The sentence, borrowed from the error; an empty text for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_message(error: Option<&cli_auth_error>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Returns the server's error code as it was sent (RFC 6749 section 5.2, RFC 8628 section 3.5), or the `code` of
/// WorkOS. It is raw, except that secrets are masked: pass it to `cli_auth_sanitize` before you print it.
///
/// @param error The error. May be NULL.
/// @return The code, borrowed from the error; NULL if there was none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_oauth_error(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.oauth_error.as_ref()))
}

/// Returns the server's description of the error, sanitised. The message already contains it.
///
/// @param error The error. May be NULL.
/// @return The description, borrowed from the error; NULL if the server sent none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_description(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.description.as_ref()))
}

/// Returns the technical cause in the words of the operating system, TLS or HTTP, such as `Connection refused (os error
/// 111)`. The message does not contain it. It is sanitised.
///
/// @param error The error. May be NULL.
/// @return The cause, borrowed from the error; NULL if there is nothing to add, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_detail(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.detail.as_ref()))
}

/// Returns the HTTP status of the response that caused the error.
///
/// @param error The error. May be NULL.
/// @return The status; 0 if there was no response, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_http_status(error: Option<&cli_auth_error>) -> i32 {
    error.and_then(|error| error.error.http_status()).map_or(0, i32::from)
}

/// Returns the server's identifier of the request (`x-request-id`), sanitised. Include it when you contact the server's
/// support.
///
/// @param error The error. May be NULL.
/// @return The identifier, borrowed from the error; NULL if there is none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_request_id(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.request_id.as_ref()))
}

/// Reads how long the server asked to wait before the next request (RFC 9110 section 10.2.3). The value is as large as
/// the server sent it, so the caller should limit it.
///
/// @param error The error. May be NULL.
/// @param[out] seconds The wait in seconds. Written only if the server asked for one. May be NULL.
/// @return Whether the server asked for a wait; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_retry_after(error: Option<&cli_auth_error>, seconds: Out<'_, f64>) -> bool {
    write_some(seconds, error.and_then(|error| error.error.retry_after()).map(|wait| wait.as_secs_f64()))
}

/// Returns the claims challenge of a server such as Microsoft Entra ID, if it came with `CLI_AUTH_ACTION_REQUIRED`.
/// Pass it to a new login as the extra parameter `claims` of both requests. It is raw, except that secrets are masked.
///
/// @param error The error. May be NULL.
/// @return The challenge, borrowed from the error; NULL if there is none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_claims(error: Option<&cli_auth_error>) -> *const c_char {
    lend(error.and_then(|error| error.claims.as_ref()))
}

/// Returns the ids of the organizations that the user may choose from, if the server named them with
/// `CLI_AUTH_ACTION_REQUIRED`. They are raw.
///
/// @param error The error. May be NULL.
/// @return An array that ends with NULL, borrowed from the error; NULL if the server named none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_organization_ids(error: Option<&cli_auth_error>) -> *const *const c_char {
    error.and_then(|error| error.organization_ids.as_ref()).map_or(ptr::null(), List::lend)
}

/// Returns the names of the same organizations, in the same order. They are raw.
///
/// @param error The error. May be NULL.
/// @return An array that ends with NULL, borrowed from the error; NULL if the server named none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_organization_names(error: Option<&cli_auth_error>) -> *const *const c_char {
    error.and_then(|error| error.organization_names.as_ref()).map_or(ptr::null(), List::lend)
}

/// Returns the `pending_authentication_token` of WorkOS in clear text. A component that holds the WorkOS API key can
/// complete the required step with it. A tool on a user's machine cannot: let the user log in again.
///
/// @param error The error. May be NULL.
/// @return The secret, borrowed from the error and overwritten when the error is freed; NULL if there is none, and for
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_expose_pending_authentication_token(
    error: Option<&cli_auth_error>,
) -> *const c_char {
    error.map_or(ptr::null(), |error| {
        Exposed::lend_some(&error.pending_authentication_token, error.error.pending_authentication_token())
    })
}

/// Returns the names of all members of the server's response, sorted. They are raw.
///
/// @param error The error. May be NULL.
/// @return An array that ends with NULL, borrowed from the error; it is empty if the response is not a JSON object or
/// there was none. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_member_names(error: Option<&cli_auth_error>) -> *const *const c_char {
    error.map_or(ptr::null(), |error| error.member_names.lend())
}

/// Returns any member of the server's response, as raw JSON. It is treated as a secret, because it may be one.
///
/// @param error The error. May be NULL.
/// @param name The name of the member. If it is NULL or not UTF-8, the result is NULL.
/// @return The JSON text, borrowed from the error and overwritten when the error is freed; NULL if the response has no
/// such member, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_error_expose_member(
    error: Option<&cli_auth_error>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let name = unsafe { text::read("name", name) };
    let (Some(error), Ok(name)) = (error, name) else { return ptr::null() };
    let slot = error.members.get(name);
    slot.map_or(ptr::null(), |slot| Exposed::lend_some(slot, error.error.member(name)))
}

/// Frees an error and overwrites the secrets that were exposed.
///
/// @param error The error. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_error_free(error: Option<Box<cli_auth_error>>) {
    entry::free(error);
}
