//! One attempt to log in.

use std::{
    ffi::c_void,
    ptr::{self, NonNull, null_mut},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    client::{cli_auth_client, shared},
    entry::{self, Out, Refusal, give, given, patience},
    error::cli_auth_error,
    event::cli_auth_event,
    prompt::cli_auth_prompt,
    sigpipe,
    status::{CLI_AUTH_OK, cli_auth_status},
    step::cli_auth_step,
    tokens::cli_auth_tokens,
};
use crate::{Login, Step, Tokens};

/// One attempt to log in.
///
/// All threads may use it, but only one call drives it at a time (`start`, `poll` and `step` do): a second one gets
/// `CLI_AUTH_BUSY`. A login that was inherited through a fork answers `CLI_AUTH_FORKED`; the parent's goes on.
///
/// It lives on when its client is freed. Free it with `cli_auth_login_free`, which ends it.
pub struct cli_auth_login {
    login: Login,
    /// A poll drives it also while it is in the callback.
    driven: AtomicBool,
}

/// As long as this lives, no other call drives the login.
struct Driver<'a>(&'a cli_auth_login);

impl<'a> Driver<'a> {
    fn of(login: &'a cli_auth_login) -> Result<Self, Refusal> {
        // First: in a forked child the driver may be a thread that stayed in the parent.
        login.login.must_be_ours()?;
        if login.driven.swap(true, Ordering::SeqCst) {
            return Err(Login::busy().into());
        }
        Ok(Self(login))
    }

    fn step(&self, max_wait: Duration) -> Result<Step, Refusal> {
        let _quiet = sigpipe::Blocked::new();
        Ok(self.0.login.step(max_wait)?)
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.0.driven.store(false, Ordering::SeqCst);
    }
}

/// The login behind a pointer that several threads may use at once.
///
/// # Safety
///
/// `login` is NULL, or came from `cli_auth_login_new` and was not freed.
unsafe fn living<'a>(login: Option<NonNull<cli_auth_login>>) -> Result<&'a cli_auth_login, Refusal> {
    // SAFETY: the caller's promise; nothing ever takes it mutably.
    given("login", login).map(|login| unsafe { login.as_ref() })
}

/// Called with what a login tells, on the thread that called `cli_auth_login_poll`, with no lock held.
///
/// It may cancel the login. A call that would drive it gets `CLI_AUTH_BUSY`. It must not free the login, and must not leave
/// by `longjmp` or a C++ exception: that is undefined behaviour.
///
/// @param user_data What was given to `cli_auth_login_poll`.
/// @param event What happened; borrowed until the callback returns.
pub type cli_auth_event_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const cli_auth_event)>;

/// Makes a login. No I/O.
///
/// @param client The client.
/// @param[out] error Why not, written only then; yours. May be NULL.
/// @return A login of yours, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_login_new(
    client: Option<NonNull<cli_auth_client>>,
    error: Out<'_, *mut cli_auth_error>,
) -> *mut cli_auth_login {
    // SAFETY: the caller gives NULL or a client that lives.
    let client = unsafe { shared(client) };
    entry::handle(error, || Ok(cli_auth_login { login: client?.login(), driven: AtomicBool::new(false) }))
}

/// Asks the server for a code: discovery where needed, then one request. Blocks until there is an answer; each request has
/// the client's timeouts. Nothing is tried twice, since a person is waiting. Called again, it gives the same prompt, or the
/// same error: a login that failed is over.
///
/// @param login The login.
/// @param[out] prompt What the person has to see, written only on success; yours.
/// @param[out] error Why not, written only then; yours. May be NULL.
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
        let (login, out) = (login?, given("prompt", prompt)?);
        let driver = Driver::of(login)?;
        let prompt = loop {
            if let Some(prompt) = login.login.prompt() {
                break prompt.clone();
            }
            driver.step(Duration::MAX)?;
        };
        out.write(give(cli_auth_prompt::new(prompt)));
        Ok(())
    })
}

/// Waits for the person's decision. Transport trouble is not an error here: it is told as `CLI_AUTH_EVENT_RETRYING`, and the
/// login goes on.
///
/// It returns at once when another thread, the callback or a signal handler calls `cli_auth_login_cancel` (see there). A
/// signal alone does not end it.
///
/// @param login The login. Before `cli_auth_login_start` the answer is `CLI_AUTH_INVALID_CONFIG`: nobody has seen the code.
/// @param on_event Called with every event, or NULL.
/// @param user_data Given to `on_event` as it is.
/// @param[out] tokens What the server gave out, written only on success, as the last thing; yours.
/// @param[out] error Why not, written only then, as the last thing; yours. May be NULL.
/// @return `CLI_AUTH_OK`, or what to do next: `CLI_AUTH_DENIED`, `CLI_AUTH_EXPIRED`, `CLI_AUTH_CANCELLED` and
/// `CLI_AUTH_ACTION_REQUIRED` are the ends that every program meets. Called again, it gives the same outcome.
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
        let out = given("tokens", tokens)?;
        let polled = poll(login, |event| {
            if let Some(on_event) = on_event {
                // SAFETY: the caller gives a function of this type, and the event outlives the call.
                unsafe { on_event(user_data, ptr::from_ref(event)) };
            }
        })?;
        Ok((out, give(cli_auth_tokens::new(polled))))
    });
    match polled {
        Ok((out, tokens)) => {
            // SAFETY: the caller gives a place for a pointer.
            unsafe { out.write(tokens) };
            CLI_AUTH_OK
        }
        // SAFETY: the caller gives NULL or a place for a pointer.
        Err(refusal) => entry::told(refusal, error.map(|out| unsafe { out.cast().as_mut() })),
    }
}

fn poll(login: &cli_auth_login, mut on_event: impl FnMut(&cli_auth_event)) -> Result<Tokens, Refusal> {
    let driver = Driver::of(login)?;
    login.login.must_be_started()?;
    loop {
        match driver.step(Duration::MAX)? {
            Step::Authorized(tokens) => return Ok(tokens),
            Step::Event(event) => on_event(&cli_auth_event::from(&event)),
            Step::Prompt(_) | Step::Waiting { .. } => {}
        }
    }
}

/// Drives a login for a while: the primitive under `start` and `poll`, for programs with an event loop of their own.
///
/// A request that is under way when the time is up goes on: the next step finds its answer, and it is never sent again. After
/// the outcome, every step gives that outcome again.
///
/// @param login The login.
/// @param max_wait At most so many seconds. 0 or less never blocks, but for the step that ends a cancelled login: revoking a token that
/// came too late may take it two seconds. INFINITY waits as long as it takes.
/// @param[out] step What was found, written only on success; yours.
/// @param[out] error Why not, written only then; yours. May be NULL.
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
        let (login, out) = (login?, given("step", step)?);
        let found = Driver::of(login)?.step(patience(max_wait)?)?;
        out.write(give(cli_auth_step::new(found)));
        Ok(())
    })
}

/// Ends a login: the call that drives it returns `CLI_AUTH_CANCELLED` at once, whatever it waits for, and so does every later
/// one (but `cli_auth_login_start` still gives a prompt that there is). Where tokens had come at that very moment, the call
/// revokes them first if the server can, which may take two seconds. After the outcome it changes nothing.
///
/// Idempotent and wait-free: callable from every thread, from the callback and from a signal handler. It leaves `errno` as it
/// was. A request that is under way is dropped.
///
/// @param login The login, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_cancel(login: Option<&cli_auth_login>) {
    if let Some(login) = login {
        login.login.cancel();
    }
}

/// The prompt, once there is one.
///
/// @param login The login.
/// @return A prompt of yours, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_login_prompt(login: Option<&cli_auth_login>) -> *mut cli_auth_prompt {
    entry::value(null_mut(), || {
        let prompt = login.and_then(|login| login.login.prompt());
        prompt.map_or(null_mut(), |prompt| give(cli_auth_prompt::new(prompt.clone())))
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
            login.login.end();
        }
    });
}
