//! A single login attempt.

use std::{
    ffi::{c_int, c_void},
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
/// Several threads may use it, but only one call at a time may drive it: `cli_auth_login_start`, `_poll` or `_step`.
/// While one of them runs, another fails with `CLI_AUTH_BUSY`. In a forked child, a login of the parent fails with
/// `CLI_AUTH_FORKED`. The login of the parent continues.
///
/// It stays usable when its client is freed. Free it with `cli_auth_login_free`, which ends it.
pub struct cli_auth_login(Login);

/// Returns the login behind a pointer that several threads may use at once.
///
/// # Safety
///
/// `login` is NULL, or was returned by `cli_auth_login_new` and has not been freed.
pub(super) unsafe fn living<'a>(login: Option<NonNull<cli_auth_login>>) -> Result<&'a Login, Refusal> {
    // SAFETY: the caller's promise; nothing ever borrows it mutably.
    required("login", login).map(|login| unsafe { &login.as_ref().0 })
}

/// A function that receives the events of a login. It runs on the thread that called `cli_auth_login_poll`, and no lock
/// is held meanwhile.
///
/// It may cancel the login. A call that would drive the login fails with `CLI_AUTH_BUSY`. It must not free the login.
/// It must not leave by `longjmp` or a C++ exception, which is undefined behaviour.
///
/// @param user_data The pointer that was passed to `cli_auth_login_poll`.
/// @param event The event, borrowed until the callback returns.
pub type cli_auth_event_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const cli_auth_event)>;

/// Creates a login. Does no I/O. May be called from any thread.
///
/// @param client The client. Must not be NULL. The caller keeps ownership and may free it before the login.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return A login, owned by the caller; free it with `cli_auth_login_free`. NULL on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_new(
    client: Option<NonNull<cli_auth_client>>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_login {
    // SAFETY: the caller passes NULL or a live client.
    let client = unsafe { shared(client) };
    entry::handle(error, || Ok(cli_auth_login(client?.login())))
}

/// Requests a code from the server: discovery where that is needed, then one request, or a second one without PKCE if
/// the server refuses PKCE.
///
/// Blocks until there is a response. The client's timeouts apply to each request. Nothing is retried, because a user is
/// waiting. Another call returns the same prompt, or the error of a login that has failed: it cannot be restarted.
///
/// @param login The login. Must not be NULL.
/// @param[out] prompt The prompt to show to the user. Written only on success; owned by the caller. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next. After `CLI_AUTH_NETWORK`, try again later with a new login.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_start(
    login: Option<NonNull<cli_auth_login>>,
    prompt: Out<'_, *mut cli_auth_prompt>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || {
        let (login, out) = (login?, required("prompt", prompt)?);
        let _quiet = sigpipe::Blocked::new();
        let prompt = login.start()?;
        out.write(into_handle(cli_auth_prompt::new(prompt)));
        Ok(())
    })
}

/// Waits for the user's decision. Blocks until the login ends. Transport failures are not errors: they are reported as
/// `CLI_AUTH_EVENT_RETRYING`, and the login continues.
///
/// It returns early when another thread, the callback or a signal handler calls `cli_auth_login_cancel` (see there). A
/// signal alone does not end it.
///
/// @param login The login. Must not be NULL. Before `cli_auth_login_start` the status is `CLI_AUTH_MISUSE`, because the
/// user has not seen the code.
/// @param on_event The function that is called with every event. May be NULL.
/// @param user_data A pointer that is passed to `on_event`. May be NULL.
/// @param[out] tokens The tokens. Written only on success, just before the call returns; owned by the caller. Must not
/// be NULL.
/// @param[out] error The error. Written only on failure, just before the call returns; owned by the caller. May be
/// NULL.
/// @return `CLI_AUTH_OK`, or what to do next. Every program should handle `CLI_AUTH_DENIED`, `CLI_AUTH_EXPIRED`,
/// `CLI_AUTH_CANCELLED` and `CLI_AUTH_ACTION_REQUIRED`. Another call returns the same outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_poll(
    login: Option<NonNull<cli_auth_login>>,
    on_event: cli_auth_event_callback,
    user_data: *mut c_void,
    tokens: Option<NonNull<*mut cli_auth_tokens>>,
    error: Option<NonNull<*mut cli_auth_error>>,
) -> cli_auth_status {
    // The outputs are pointers here and are written last: until then the callback may use them too.
    let polled = entry::caught(|| {
        // SAFETY: the caller passes NULL or a live login.
        let login = unsafe { living(login) }?;
        let out = required("tokens", tokens)?;
        let polled = poll(login, |event| {
            if let Some(on_event) = on_event {
                // SAFETY: the caller passes a function of this type, and the event outlives the call.
                unsafe { on_event(user_data, ptr::from_ref(event)) };
            }
        })?;
        Ok((out, into_handle(cli_auth_tokens::new(polled))))
    });
    match polled {
        Ok((out, tokens)) => {
            // SAFETY: the caller passes a place for a pointer.
            unsafe { out.write(tokens) };
            CLI_AUTH_OK
        }
        // SAFETY: the caller passes NULL or a place for a pointer.
        Err(refusal) => entry::report(refusal, error.map(|out| unsafe { out.cast().as_mut() })),
    }
}

/// Does the same as [`Login::poll`], but blocks SIGPIPE only while the library works, not in the callback.
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

/// Drives a login for a limited time. `cli_auth_login_start` and `cli_auth_login_poll` are built on it. Use it in
/// programs with an event loop of their own, with `cli_auth_login_fd`.
///
/// A request that is in progress when the time is up continues: a later step returns its response, and the request is
/// never sent again. After the login has ended, every step returns the same outcome.
///
/// @param login The login. Must not be NULL.
/// @param max_wait The longest wait in seconds. 0 or less does not wait for the network; INFINITY waits as long as it
/// takes. Two steps may block for longer: the step that sends the first request of a client reads and parses the
/// trusted root certificates, and the step that ends a cancelled login may spend up to 2 seconds on revoking tokens
/// that arrived too late.
/// @param[out] step The result. Written only on success; owned by the caller. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK` with a step, or the outcome of the login.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_step(
    login: Option<NonNull<cli_auth_login>>,
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
        let found = Claim::of(login)?.step(max_wait)?;
        out.write(into_handle(cli_auth_step::new(found)));
        Ok(())
    })
}

/// Returns a file descriptor for an event loop: poll, epoll, libuv, GLib. It is readable while `cli_auth_login_step`
/// would have something to do: a request has ended, the login was cancelled, or the last step returned a prompt or an
/// event. It is also readable at first, so that a loop begins with a step. A step makes it unreadable.
///
/// Watch it for reading, together with a timer, and call `cli_auth_login_step` with a `max_wait` of 0 when it becomes
/// readable, and when `cli_auth_step_due_in` of the last step has passed. The descriptor does not report that time.
///
/// The first call for a login of a client starts a thread, which drives the requests of the client's logins from then
/// on. It never calls your code. Your signal handlers never run on it. It ends after the client, its logins and its
/// requests are freed. Only one call at a time may drive the login, as without a descriptor.
///
/// May be called at any time, from any thread, also while another call drives the login. It never blocks. Each call
/// returns the same descriptor. It is close-on-exec and non-blocking.
///
/// @param login The login. Must not be NULL.
/// @param[out] fd The descriptor. Written only on success. It belongs to the login, and is valid until
/// `cli_auth_login_free`: stop watching it before that. Do not read it, write to it or close it. Must not be NULL.
/// @param[out] error The error. Written only on failure; owned by the caller. May be NULL.
/// @return `CLI_AUTH_OK`, `CLI_AUTH_FORKED` in a forked child, which must not watch the descriptor of its parent,
/// `CLI_AUTH_INTERNAL` if there is no descriptor or no thread left, or `CLI_AUTH_MISUSE`. `CLI_AUTH_UNSUPPORTED` is
/// for systems without such descriptors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_fd(
    login: Option<NonNull<cli_auth_login>>,
    fd: Out<'_, c_int>,
    error: Out<'_, *mut cli_auth_error>,
) -> cli_auth_status {
    // SAFETY: the caller passes NULL or a live login.
    let login = unsafe { living(login) };
    entry::status(error, || {
        let (login, fd) = (login?, required("fd", fd)?);
        fd.write(login.descriptor()?);
        Ok(())
    })
}

/// Cancels a login. The call that drives it returns `CLI_AUTH_CANCELLED` at once, whatever it waits for, and so does
/// every later call. If tokens arrived at the same moment, the driving call first revokes them where the server
/// supports it, which may take up to 2 seconds. After the login has ended, this function does nothing.
///
/// It is idempotent and wait-free. It may be called from any thread, from the callback and from a signal handler. It
/// preserves `errno`. A request that is in progress is dropped. The descriptor of `cli_auth_login_fd` becomes readable.
///
/// @param login The login. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_cancel(login: Option<&cli_auth_login>) {
    if let Some(login) = login {
        login.0.cancel();
    }
}

/// Returns the prompt of a login, if there is one yet. Each call returns a new handle. May be called from any thread.
///
/// @param login The login. May be NULL.
/// @return A prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL if there is none yet, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_prompt(login: Option<&cli_auth_login>) -> *mut cli_auth_prompt {
    entry::value(null_mut(), || {
        let prompt = login.and_then(|login| login.0.prompt());
        prompt.map_or(null_mut(), |prompt| into_handle(cli_auth_prompt::new(prompt.clone())))
    })
}

/// Frees a login and ends it. Must not be called from the login's own callback, or while another thread is in a call
/// with the login, including `cli_auth_login_cancel`. Cancel the login, wait for the calls to return, then free it.
///
/// @param login The login. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_free(login: Option<Box<cli_auth_login>>) {
    entry::value((), || {
        let _quiet = sigpipe::Blocked::new();
        drop(login);
    });
}
