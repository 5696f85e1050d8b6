//! A single login attempt.

use std::{
    ffi::c_void,
    ptr::{self, NonNull, null_mut},
    time::Duration,
};

use super::{
    client::{cli_auth_client, shared},
    entry::{self, Out, Refusal, into_handle, max_wait_of, required},
    error::cli_auth_error,
    event::cli_auth_event,
    prompt::cli_auth_prompt,
    sigpipe,
    status::{CLI_AUTH_OK, cli_auth_status},
    step::cli_auth_step,
    tokens::cli_auth_tokens,
};
use cli_auth::{
    Login, Tokens,
    host::{Claim, Step},
};

/// A single login attempt.
///
/// All threads may use it, but only one call drives it at a time (`start`, `poll` or `step`, for as long as it takes): a second one fails
/// with `CLI_AUTH_BUSY`. A login that was inherited through a fork fails with `CLI_AUTH_FORKED`; the parent's goes on.
///
/// It lives on when its client is freed. Free it with `cli_auth_login_free`, which ends it.
pub struct cli_auth_login(Login);

/// The login behind a pointer that several threads may use at once.
///
/// # Safety
///
/// `login` is NULL, or came from `cli_auth_login_new` and was not freed.
pub(super) unsafe fn living<'a>(login: Option<NonNull<cli_auth_login>>) -> Result<&'a Login, Refusal> {
    // SAFETY: the caller's promise; nothing ever takes it mutably.
    required("login", login).map(|login| unsafe { &login.as_ref().0 })
}

/// Called with the events of a login, on the thread that called `cli_auth_login_poll`, with no lock held.
///
/// It may cancel the login. A call that would drive it fails with `CLI_AUTH_BUSY`. It must not free the login, and must not leave
/// by `longjmp` or a C++ exception: that is undefined behaviour.
///
/// @param user_data What was given to `cli_auth_login_poll`.
/// @param event What happened; borrowed until the callback returns.
pub type cli_auth_event_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const cli_auth_event)>;

/// Makes a login. No I/O.
///
/// @param client The client.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return A login, owned by the caller, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_new(
    client: Option<NonNull<cli_auth_client>>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_login {
    // SAFETY: the caller gives NULL or a client that lives.
    let client = unsafe { shared(client) };
    entry::handle(error, || Ok(cli_auth_login(client?.login())))
}

/// Asks the server for a code: discovery where needed, then one request. Blocks until there is a response; each request has
/// the client's timeouts. Nothing is tried twice, since a user is waiting. Called again, it returns the same prompt, or the
/// same error: a login that failed is over.
///
/// @param login The login.
/// @param[out] prompt What the user has to see, written only on success; owned by the caller.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next. `CLI_AUTH_NETWORK`: try again later, with a new login.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_start(
    login: Option<NonNull<cli_auth_login>>,
    prompt: Out<'_, *mut cli_auth_prompt>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller gives NULL or a login that lives.
    let login = unsafe { living(login) };
    entry::status(error, || {
        let (login, out) = (login?, required("prompt", prompt)?);
        let _quiet = sigpipe::Blocked::new();
        let prompt = login.start()?;
        out.write(into_handle(cli_auth_prompt::new(prompt)));
        Ok(())
    })
}

/// Waits for the user's decision. Transport trouble is not an error here: it is reported as `CLI_AUTH_EVENT_RETRYING`, and the
/// login goes on.
///
/// It returns at once when another thread, the callback or a signal handler calls `cli_auth_login_cancel` (see there). A
/// signal alone does not end it.
///
/// @param login The login. Before `cli_auth_login_start` the status is `CLI_AUTH_MISUSE`: the user has not seen the code.
/// @param on_event Called with every event, or NULL.
/// @param user_data Given to `on_event` as it is.
/// @param[out] tokens What the server gave out, written only on success, as the last thing; owned by the caller.
/// @param[out] error Why not, written only then, as the last thing; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next: `CLI_AUTH_DENIED`, `CLI_AUTH_EXPIRED`, `CLI_AUTH_CANCELLED` and
/// `CLI_AUTH_ACTION_REQUIRED` are the ends that every program meets. Called again, it returns the same outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_poll(
    login: Option<NonNull<cli_auth_login>>,
    on_event: cli_auth_event_callback,
    user_data: *mut c_void,
    tokens: Option<NonNull<*mut cli_auth_tokens>>,
    error: Option<NonNull<*mut cli_auth_error>>,
) -> cli_auth_status {
    // The outputs are pointers here, and written last: until then they are the callback's, too.
    let polled = entry::caught(|| {
        // SAFETY: the caller gives NULL or a login that lives.
        let login = unsafe { living(login) }?;
        let out = required("tokens", tokens)?;
        let polled = poll(login, |event| {
            if let Some(on_event) = on_event {
                // SAFETY: the caller gives a function of this type, and the event outlives the call.
                unsafe { on_event(user_data, ptr::from_ref(event)) };
            }
        })?;
        Ok((out, into_handle(cli_auth_tokens::new(polled))))
    });
    match polled {
        Ok((out, tokens)) => {
            // SAFETY: the caller gives a place for a pointer.
            unsafe { out.write(tokens) };
            CLI_AUTH_OK
        }
        // SAFETY: the caller gives NULL or a place for a pointer.
        Err(refusal) => entry::report(refusal, error.map(|out| unsafe { out.cast().as_mut() })),
    }
}

/// As [`Login::poll`], but SIGPIPE is blocked only while the library works, and not in the callback.
fn poll(login: &Login, mut on_event: impl FnMut(&cli_auth_event)) -> Result<Tokens, Refusal> {
    let claim = Claim::of(login)?;
    claim.must_be_started()?;
    loop {
        let step = {
            let _quiet = sigpipe::Blocked::new();
            claim.step(Duration::MAX)?
        };
        match step {
            Step::Authorized(tokens) => return Ok(tokens),
            Step::Event(event) => on_event(&cli_auth_event::from(event)),
            Step::Prompt(_) | Step::Waiting(_) => {}
        }
    }
}

/// Drives a login for a while: the primitive under `start` and `poll`, for programs with an event loop of their own.
///
/// A request that is under way when the time is up goes on: the next step finds its response, and it is never sent again. After
/// the outcome, every step returns that outcome again.
///
/// @param login The login.
/// @param max_wait At most so many seconds. 0 or less never blocks, but for the step that ends a cancelled login: revoking a token that
/// came too late may take it two seconds. INFINITY waits as long as it takes.
/// @param[out] step What was found, written only on success; owned by the caller.
/// @param[out] error Why not, written only then; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK` with a step, or how the login ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_step(
    login: Option<NonNull<cli_auth_login>>,
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
        let found = Claim::of(login)?.step(max_wait)?;
        out.write(into_handle(cli_auth_step::new(found)));
        Ok(())
    })
}

/// Ends a login: the call that drives it returns `CLI_AUTH_CANCELLED` at once, whatever it waits for, and so does every later
/// one (but `cli_auth_login_start` still returns a prompt that there is). Where tokens had come at that very moment, the call
/// revokes them first if the server can, which may take two seconds. After the outcome it changes nothing.
///
/// Idempotent and wait-free: callable from every thread, from the callback and from a signal handler. It leaves `errno` as it
/// was. A request that is under way is dropped.
///
/// @param login The login, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_cancel(login: Option<&cli_auth_login>) {
    if let Some(login) = login {
        login.0.cancel();
    }
}

/// The prompt, once there is one.
///
/// @param login The login.
/// @return A prompt, owned by the caller, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_prompt(login: Option<&cli_auth_login>) -> *mut cli_auth_prompt {
    entry::value(null_mut(), || {
        let prompt = login.and_then(|login| login.0.prompt());
        prompt.map_or(null_mut(), |prompt| into_handle(cli_auth_prompt::new(prompt.clone())))
    })
}

/// Frees a login, and ends it. Not from its own callback, and not while another thread is inside a call with it,
/// `cli_auth_login_cancel` included: cancel it, wait for the calls to return, then free it.
///
/// @param login The login, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_free(login: Option<Box<cli_auth_login>>) {
    entry::value((), || {
        if let Some(login) = login {
            let _quiet = sigpipe::Blocked::new();
            login.0.free();
        }
    });
}
