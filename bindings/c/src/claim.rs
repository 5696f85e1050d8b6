//! Claims, for packages that wait by themselves.

use std::ptr::NonNull;

use cli_auth::Login;

use super::{
    entry::{self, Out, into_handle, max_wait_of, required},
    error::cli_auth_error,
    login::{cli_auth_login, living},
    sigpipe,
    status::cli_auth_status,
    step::cli_auth_step,
};

/// Makes one call of a package the one that drives a login.
///
/// Claims are only for packages of other languages, which wait outside of this library between the steps of one call. Such a call
/// claims the login at its begin, drives it with `cli_auth_claim_step`, and ends with `cli_auth_claim_release`, whatever happened
/// in between. Programs in C need none of this: `cli_auth_login_start`, `_poll` and `_step` claim the login by themselves.
///
/// @param login The login.
/// @param number A number for this call: not 0, below 2^63, and none that another call uses on this login at the same time.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`; `CLI_AUTH_BUSY` while another call drives it, `CLI_AUTH_FORKED` in a forked child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_login(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a login that lives.
    let login = unsafe { living(login) };
    entry::status(error, || Ok(login?.claim_as(number)?))
}

/// Whether polling makes sense: `cli_auth_login_start` succeeded, or the login has ended.
///
/// @param login The login.
/// @param number The number of the call that has the claim.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or `CLI_AUTH_MISUSE`: the user has not seen the code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_check_started(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a login that lives.
    let login = unsafe { living(login) };
    entry::status(error, || Ok(login?.must_be_started_as(number)?))
}

/// As `cli_auth_login_step`, for the call that has the claim. Tokens that it returns count as accepted with
/// `cli_auth_claim_release`; until then `cli_auth_claim_abandon` revokes them.
///
/// @param login The login.
/// @param number The number of the call that has the claim.
/// @param max_wait At most so many seconds, as for `cli_auth_login_step`.
/// @param[out] step What was found, written only on success; owned by the caller.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK` with a step, or how the login ended. `CLI_AUTH_BUSY` where this call does not have the claim.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_step(
    login: Option<NonNull<cli_auth_login>>,
    number: u64,
    max_wait: f64,
    step: Out<'_, *mut cli_auth_step>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a login that lives.
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

/// Cancels a login. Tokens that have come and were not accepted are revoked where the server can, which may take two seconds: by
/// this call where it has the claim or nothing else has, otherwise by the call that has it.
///
/// @param login The login, or NULL.
/// @param number The number of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_abandon(login: Option<NonNull<cli_auth_login>>, number: u64) {
    // SAFETY: the caller gives NULL or a login that lives.
    with(unsafe { living(login) }.ok(), |login| {
        let _quiet = sigpipe::Blocked::new();
        login.abandon_as(number);
    });
}

/// Ends a claim: other calls can drive the login. Changes nothing where this call does not have it.
///
/// @param login The login, or NULL.
/// @param number The number of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_claim_release(login: Option<NonNull<cli_auth_login>>, number: u64) {
    // SAFETY: the caller gives NULL or a login that lives.
    with(unsafe { living(login) }.ok(), |login| login.release_as(number));
}

fn with(login: Option<&Login>, work: impl FnOnce(&Login)) {
    entry::value((), || {
        if let Some(login) = login {
            work(login);
        }
    });
}
