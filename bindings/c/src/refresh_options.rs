//! What a refresh asks for besides new tokens.

use std::{ffi::c_char, mem};

use super::{
    entry::{self, Refusal, into_handle},
    status::{CLI_AUTH_MISUSE, CLI_AUTH_OK, cli_auth_status},
    text::read,
};
use cli_auth::{Error, RefreshOptions};

/// What a refresh asks for besides new tokens: other scopes, an organization, a resource.
///
/// The functions below copy every argument. Only one thread at a time may use the options. The options keep the first
/// setting that was refused, and a refresh then fails with its error, so the caller need not check the status of each
/// function. Free the options with `cli_auth_refresh_options_free`, at any time after the call that used them.
#[derive(Default)]
pub struct cli_auth_refresh_options {
    options: RefreshOptions,
    refused: Option<(cli_auth_status, Error)>,
}

impl cli_auth_refresh_options {
    fn set(
        this: Option<&mut Self>,
        change: impl FnOnce(RefreshOptions) -> Result<RefreshOptions, Refusal>,
    ) -> cli_auth_status {
        let Some(this) = this else { return CLI_AUTH_MISUSE };
        let options = mem::take(&mut this.options);
        match entry::caught(|| change(options)) {
            Ok(options) => {
                this.options = options;
                CLI_AUTH_OK
            }
            Err(Refusal { status, error }) => {
                this.refused.get_or_insert((status, error));
                status
            }
        }
    }

    /// Returns the options of a call, which may be NULL.
    pub(super) fn checked(this: Option<&Self>) -> Result<RefreshOptions, Refusal> {
        match this {
            None => Ok(RefreshOptions::new()),
            Some(Self { refused: Some((status, error)), .. }) => {
                Err(Refusal { status: *status, error: error.clone() })
            }
            Some(Self { options, .. }) => Ok(options.clone()),
        }
    }
}

/// Creates options that ask for nothing else.
///
/// @return The options, owned by the caller; free them with `cli_auth_refresh_options_free`.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_refresh_options_new() -> *mut cli_auth_refresh_options {
    entry::value(std::ptr::null_mut(), || into_handle(cli_auth_refresh_options::default()))
}

/// Asks for an access token with this scope, and with those of other calls, only. The user must have granted it (RFC
/// 6749 section 6). Without any call, the new token has all scopes that were granted.
///
/// @param options The options. Must not be NULL.
/// @param scope One scope. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_refresh_options_add_scope(
    options: Option<&mut cli_auth_refresh_options>,
    scope: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let scope = unsafe { read("scope", scope) };
    cli_auth_refresh_options::set(options, |options| Ok(options.scopes([scope?])))
}

/// Adds a parameter to the request, such as `resource` (RFC 8707 section 2.2) or the `organization_id` of WorkOS. It
/// replaces those of `cli_auth_client_options_add_refresh_param` with the same name. Do not use it for secrets.
///
/// @param options The options. Must not be NULL.
/// @param name The name. Must not be NULL. The rules are those of `cli_auth_client_options_add_param`.
/// @param value The value. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_refresh_options_add_param(
    options: Option<&mut cli_auth_refresh_options>,
    name: *const c_char,
    value: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULLs or texts that end with NUL.
    let (name, value) = unsafe { (read("name", name), read("value", value)) };
    cli_auth_refresh_options::set(options, |options| Ok(options.param(name?, value?)))
}

/// Sets the user that the tokens must be for: the `cli_auth_identity_subject` of the login. If the response identifies
/// another user, the refresh returns `CLI_AUTH_INVALID_RESPONSE` (OpenID Connect Core section 12.2).
///
/// @param options The options. Must not be NULL.
/// @param subject The id of the user. Must not be NULL.
/// @return `CLI_AUTH_OK` or `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_refresh_options_set_subject(
    options: Option<&mut cli_auth_refresh_options>,
    subject: *const c_char,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a text that ends with NUL.
    let subject = unsafe { read("subject", subject) };
    cli_auth_refresh_options::set(options, |options| Ok(options.subject(subject?)))
}

/// Frees options.
///
/// @param options The options. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_refresh_options_free(options: Option<Box<cli_auth_refresh_options>>) {
    entry::free(options);
}
