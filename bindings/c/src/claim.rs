//! Claims, for packages that wait outside this library.

use std::ptr::{NonNull, null_mut};

use cli_auth::Login;

use super::{
    entry::{self, Out, into_handle, max_wait_of, required},
    error::cli_auth_error,
    login::{cli_auth_login, living},
    prompt::cli_auth_prompt,
    sigpipe,
    status::cli_auth_status,
    step::cli_auth_step,
};

/// Claims a login for one call of a package of another language.
///
/// Claims are only for packages of other languages, which wait outside this library between the steps of one call. Such
/// a call claims the login when it begins, drives it with `cli_auth_claim_step`, and always ends with
/// `cli_auth_claim_release`. Programs in C do not need claims: `cli_auth_login_start`, `_poll` and `_step` claim the
/// login themselves.
///
/// May be called from any thread.
///
/// @param login The login. Must not be NULL.
/// @param number A number that identifies this call: more than 0, less than 2^63, and not used by another call on this
/// login at the same time.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_BUSY` while another call drives the login, `CLI_AUTH_FORKED` in a forked child, or
/// `CLI_AUTH_MISUSE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_login(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || Ok(login?.claim_as(number)?))
}

/// Returns what `cli_auth_login_start` returns, without driving the login.
///
/// @param login The login. Must not be NULL.
/// @param number The number of the call that holds the claim.
/// @param[out] prompt The prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL if the call must step
/// first: there is no prompt yet, or the login was cancelled, which the next step reports. Written only on success.
/// Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or the outcome of a login that has failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_prompt(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    prompt: Out<'_, *mut cli_auth_prompt>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || {
        let (login, out) = (login?, required("prompt", prompt)?);
        let prompt = login.started_as(number)?;
        out.write(prompt.map_or(null_mut(), |prompt| into_handle(cli_auth_prompt::new(prompt))));
        Ok(())
    })
}

/// Checks that the login can be polled: `cli_auth_login_start` has succeeded, or the login has ended.
///
/// @param login The login. Must not be NULL.
/// @param number The number of the call that holds the claim.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE` if the user has not seen the code yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_check_started(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || Ok(login?.must_be_started_as(number)?))
}

/// Does the same as `cli_auth_login_step`, for the call that holds the claim. Tokens that it returns count as accepted
/// when the call calls `cli_auth_claim_release`. Until then, `cli_auth_claim_abandon` revokes them.
///
/// @param login The login. Must not be NULL.
/// @param number The number of the call that holds the claim.
/// @param max_wait The longest wait in seconds, as for `cli_auth_login_step`.
/// @param[out] step The result. Written only on success; owned by the caller. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK` with a step, or the outcome of the login. `CLI_AUTH_BUSY` if this call does not hold the
/// claim.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_step(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    max_wait: f64,
    step: Out<'_, *mut cli_auth_step>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || {
        let (login, out) = (login?, required("step", step)?);
        let max_wait = max_wait_of(max_wait)?;
        let _quiet = sigpipe::Blocked::new();
        let found = login.step_as(number, max_wait)?;
        out.write(into_handle(cli_auth_step::new(found)));
        Ok(())
    })
}

/// Cancels a login and revokes tokens that were issued but not accepted, where the server supports it. Revoking may
/// take up to 2 seconds. This call revokes them if it holds the claim or no other call does. Otherwise the call that
/// holds the claim does.
///
/// @param login The login. May be NULL.
/// @param number The number of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_abandon(login: Option<NonNull<cli_auth_login>>, number: u64) {
    // SAFETY: the caller passes NULL or a live login.
    with(unsafe { living(login) }.ok(), |login| {
        let _quiet = sigpipe::Blocked::new();
        login.abandon_as(number);
    });
}

/// Releases a claim, so that other calls can drive the login. Does nothing if this call does not hold the claim.
///
/// @param login The login. May be NULL.
/// @param number The number of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_release(login: Option<NonNull<cli_auth_login>>, number: u64) {
    // SAFETY: the caller passes NULL or a live login.
    with(unsafe { living(login) }.ok(), |login| login.release_as(number));
}

fn with(login: Option<&Login>, work: impl FnOnce(&Login)) {
    entry::value((), || {
        if let Some(login) = login {
            work(login);
        }
    });
}
